import type { CallOutcome } from '../../domain/calls/records.js';
import type { AmiMessage } from '../ami/message.js';

/** DIALSTATUS of app_dial. Others say that nothing was dialled. */
const byStatus: Readonly<Record<string, CallOutcome>> = {
  BUSY: 'busy',
  NOANSWER: 'no-answer',
  CONGESTION: 'refused',
};

/** The cause "call rejected": app_dial calls that unavailable, as a phone that is not there. */
const rejected = '21';

/** Why nobody answered a call to an extension, by the event that follows its Dial. */
export function outcomeOf({ headers }: AmiMessage): CallOutcome | undefined {
  const status = headers.get('status') ?? '';
  if (status === 'CHANUNAVAIL') return headers.get('cause') === rejected ? 'refused' : 'unreachable';
  return byStatus[status];
}
