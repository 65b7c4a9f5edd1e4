import type { AgentResult } from '../../../domain/calls/commands/click-records.js';
import type { AmiMessage } from '../../ami/message.js';

/** What became of ringing an agent's phone, by the end of its channel before they answered: causes of Q.850. */
export function clickResultOf({ headers }: AmiMessage): AgentResult {
  switch (headers.get('cause')) {
    case '17':
      return 'busy';
    case '21':
      return 'rejected';
    case '3':
    case '20':
    case '27':
    case '38':
      return 'unreachable';
    default:
      return 'no-answer';
  }
}
