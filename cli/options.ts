import { InvalidArgumentError } from 'commander';

/** For options that take a whole number; the bounds are the domain's. */
export const wholeNumber = (text: string): number => wholeNumberIn('')(text);

/** The same, with the range in the message: ` from 3 to 300`. */
export const wholeNumberIn =
  (range: string) =>
  (text: string): number => {
    if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError(`Type a whole number${range}.`);
    return Number(text);
  };

/** For an option that others know, and that is not there for a reason. */
export const refusedOption = (why: string) => (): never => {
  throw new InvalidArgumentError(why);
};

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

/** For an option that may be typed several times, one name each. */
export const collected = (text: string, before: readonly string[] = []): string[] => [...before, text];

const secondsOf: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** For options that take a length of time, as `90s`, `15m`, `1h` or `2d`; in seconds. */
export function duration(text: string): number {
  const [, number, unit = ''] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError('Type a number and its unit, as 90s, 15m, 1h or 2d.');
  return Number(number) * (secondsOf[unit] ?? 1);
}
