import type { Position } from './hours-rules.js';

/** The device in Asterisk whose state is the switch of hours, known without a server, and which lights a lamp. */
export const switchDevice = (team: string, hours: string): string => `Custom:star64-hours-${team}-${hours}`;

/** What the device says of each position; star64-hours.conf reads it. A lamp is dark, lit at night, and held by day. */
export const switchStates: Readonly<Record<Position, string>> = {
  automatic: 'NOT_INUSE',
  day: 'ONHOLD',
  night: 'INUSE',
};

/** The digit that is dialled for each position, after `*61` and the number of the hours. */
export const switchDigits: Readonly<Record<string, Position>> = { 0: 'automatic', 1: 'day', 2: 'night' };
