import type { CallOutcome } from '../../../domain/calls/records/records.js';
import type { AmiMessage } from '../../ami/message.js';

/** DIALSTATUS of app_dial. Others say that nothing was dialled. */
const byStatus: Readonly<Record<string, CallOutcome>> = {
  BUSY: 'busy',
  NOANSWER: 'no-answer',
  CONGESTION: 'refused',
};

/** The cause "call rejected": app_dial calls that unavailable, as a phone that is not there. */
const rejected = '21';

/** What our own dialplan says of a ring group. */
const ofRingGroup: Readonly<Record<string, CallOutcome>> = { busy: 'busy', 'no-answer': 'no-answer' };

/** Likewise of callers who are let go: there is no phone to call for them, or no trunk, or right to it. */
const whenLetGo: Readonly<Record<string, CallOutcome>> = { nobody: 'nobody', unreachable: 'unreachable' };

/**
 * What a call has come to if it ends now: why nobody answered at an extension, by the event that follows its Dial, or in a
 * ring group, by the event with which it has left. While a ring group rings it is the caller who gives up.
 */
export function outcomeOf({ headers }: AmiMessage): CallOutcome | undefined {
  const told = headers.get('userevent');
  if (told === 'Star64RingGroup') return 'abandoned';
  if (told === 'Star64RingGroupLeft') return ofRingGroup[headers.get('outcome') ?? ''];
  if (told === 'Star64Over') return whenLetGo[headers.get('outcome') ?? ''];
  const status = headers.get('status') ?? '';
  if (status === 'CHANUNAVAIL') return headers.get('cause') === rejected ? 'refused' : 'unreachable';
  return byStatus[status];
}
