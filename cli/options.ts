import { InvalidArgumentError } from 'commander';
import { usage } from '../domain/errors.js';

/** For options that take a whole number; the bounds are the domain's. */
export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('Type a whole number.');
  return Number(text);
}

/** For options that are `on` or `off`. */
export function onOff(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('Type on or off.');
  return text === 'on';
}

/** For an option that may be typed several times, each `name=number`. */
export function numberByName(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [, name, number] = /^([^=]+)=([0-9]{1,9})$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Type a name and a whole number, as support=10.');
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError('Type each name only once.');
  return { ...before, [name]: Number(number) };
}

/** For options that take several names: `a,b`. */
export function nameList(text: string): string[] {
  return text === '' ? [] : text.split(',').map((name) => name.trim());
}

/** A record without the fields that were not given. */
export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what was not typed, so that only real values reach the domain. */
export function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** As `given`, and refuses when nothing was typed. */
export function onlyGiven<T extends object>(changes: T, options: string): Given<T> {
  const typed = given(changes);
  if (Object.keys(typed).length === 0) throw usage(`nothing to change: give at least one of ${options}.`);
  return typed;
}

const secondsOf: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** For options that take a length of time, as `90s`, `15m`, `1h` or `2d`; in seconds. */
export function duration(text: string): number {
  const [, number, unit = ''] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError('Type a number and its unit, as 90s, 15m, 1h or 2d.');
  return Number(number) * (secondsOf[unit] ?? 1);
}
