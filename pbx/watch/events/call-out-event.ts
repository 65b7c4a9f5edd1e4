import {
  endingSides,
  tryOutcomes,
  type CallOutBegun,
  type CallOutOutcome,
  type CallTry,
  type TryOutcome,
} from '../../../domain/calls/outbound/calls-out-records.js';
import { phoneOf } from '../../queue/names.js';

/** A moment that Asterisk tells, in seconds of its clock; null: none. */
export const epochIn = (text: string | undefined): number | null =>
  /^[1-9][0-9]{0,11}$/.test(text ?? '') ? Number(text) : null;

/** A whole number that Asterisk tells; null: none. */
export const wholeIn = (text: string | undefined): number | null =>
  /^[0-9]{1,9}$/.test(text ?? '') ? Number(text) : null;

const wholeOrNothing = (text = ''): string => (/^[0-9]{1,15}$/.test(text) ? text : '');

export const sideIn = (text: string | undefined): CallTell['endedBy'] =>
  endingSides.find((side) => side === text) ?? null;

/** The phone that calls, by its endpoint: an extension of ours, or of the operator's. Empty: the team itself. */
export function callerBy(endpoint: string, team: string): Pick<CallOutBegun, 'extension' | 'endpoint'> {
  const phone = phoneOf(`PJSIP/${endpoint}`);
  if (phone?.team === team) return { extension: phone.extension, endpoint: null };
  return { extension: null, endpoint: endpoint === '' ? null : endpoint };
}

/** A try as it is told, just now or so many seconds ago. */
export function tryOf(
  told: Record<'position' | 'trunk' | 'sent' | 'milliseconds' | 'code' | 'cause' | 'outcome', string> & {
    at?: string;
  },
  secondsAgo: number,
): CallTry | undefined {
  const position = wholeIn(told.position);
  const outcome = tryOutcomes.find((one) => one === told.outcome);
  if (position === null || outcome === undefined || told.trunk === '') return undefined;
  const milliseconds = wholeIn(told.milliseconds);
  return {
    key: `${wholeOrNothing(told.at)}.${position}.${told.sent}`,
    position,
    trunk: told.trunk,
    sent: told.sent === '' ? null : told.sent,
    // It is told at its end.
    secondsAgo: secondsAgo + (milliseconds ?? 0) / 1000,
    milliseconds,
    code: wholeIn(told.code) || null,
    cause: wholeIn(told.cause) || null,
    outcome,
  };
}

interface CallTell {
  endedBy: (typeof endingSides)[number] | null;
}

const busy: readonly number[] = [486, 600];
const nobody: readonly number[] = [408, 480, 487];
const nowhere: readonly number[] = [404, 410, 484, 604];

/**
 * What a call to the outside has come to that nobody answered, by why it was refused, what the last trunk did, its SIP
 * answer, the cause, and who hung up.
 */
export function outcomeOfCallOut(told: {
  refused: string | null;
  last: TryOutcome | undefined;
  code: number | null;
  cause: number | null;
  endedBy: CallTell['endedBy'];
}): CallOutOutcome {
  const { refused, last, code, cause, endedBy } = told;
  if (refused !== null) return 'refused';
  if (endedBy === 'caller') return 'abandoned';
  if (
    last === undefined ||
    last === 'failed' ||
    last === 'full' ||
    last === 'unavailable' ||
    last === 'set-aside'
  )
    return 'failed';
  if (code !== null && busy.includes(code)) return 'busy';
  if (code !== null && nobody.includes(code)) return 'no-answer';
  if (code !== null && nowhere.includes(code)) return 'unreachable';
  if (cause === 17) return 'busy';
  return code === null || code < 300 ? 'no-answer' : 'refused';
}
