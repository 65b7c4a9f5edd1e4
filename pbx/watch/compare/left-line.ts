import type { CallOutBegun, CallOutTold } from '../../../domain/calls/outbound/calls-out-records.js';
import { callerBy, epochIn, outcomeOfCallOut, sideIn, tryOf, wholeIn } from '../events/call-out-event.js';

/** The family of astdb in which the dialplan leaves calls to the outside of which no server heard. */
export const leftFamily = 'star64-out';

/** A call to the outside from its beginning to its end, as the dialplan has left it. */
export interface LeftCall {
  begun: CallOutBegun;
  told: CallOutTold;
}

/**
 * Reads a line of star64-left-out.conf; undefined: it is none. `now` is Asterisk's clock, in seconds: the moments of the
 * line are by it.
 */
export function readLeftLine(uniqueid: string, line: string, now: number): LeftCall | undefined {
  const [
    version,
    ended,
    team,
    phone,
    dialled,
    number,
    begun,
    answered,
    trunk,
    code,
    cause,
    by,
    refused,
    tried,
  ] = line.split('|');
  const endedAt = epochIn(ended);
  if (version !== '1' || endedAt === null || team === undefined || dialled === undefined) return undefined;
  const ago = (at: number): number => Math.max(0, now - at);
  const answeredAt = epochIn(answered);
  const endedBy = sideIn(by);
  const told = { code: wholeIn(code), cause: wholeIn(cause), endedBy };
  // One came after the other, the last one until the answer or the end.
  let since = ago(answeredAt ?? endedAt);
  const texts = (tried ?? '').split('&').map((text, index) => ({ text, position: String(index + 1) }));
  const tries = texts
    .reverse()
    .flatMap(({ text, position }) => {
      const [trunk = '', sent = '', sip = '', why = '', outcome = '', milliseconds = ''] = text.split(':');
      const one = tryOf({ position, trunk, sent, code: sip, cause: why, outcome, milliseconds }, since);
      since = one?.secondsAgo ?? since;
      return one ?? [];
    })
    .reverse();
  const last = tries.at(-1)?.outcome;
  return {
    begun: {
      uniqueid,
      team,
      dialled,
      number: number || null,
      refused: refused || null,
      ...callerBy(phone ?? '', team),
      decided: false,
      secondsAgo: ago(epochIn(begun) ?? endedAt),
    },
    told: {
      uniqueid,
      team,
      ringingAgo: null,
      answeredAgo: answeredAt === null ? null : ago(answeredAt),
      leg: null,
      legEndedAgo: null,
      endedAgo: ago(endedAt),
      final: true,
      talked: null,
      outcome:
        answeredAt === null ? outcomeOfCallOut({ refused: refused || null, last, ...told }) : 'answered',
      refused: refused || null,
      cause: told.cause || null,
      endedBy,
      trunk: answeredAt !== null || last === 'ended' ? trunk || null : null,
      tries,
    },
  };
}
