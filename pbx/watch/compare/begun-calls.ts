import { callKinds } from '../../../domain/presence/agent-state.js';
import type { Database } from '../../../domain/database/pool.js';
import { beginCall } from '../../../domain/presence/wrap-up.js';
import { AmiError } from '../../ami/errors.js';
import type { ManagerActions } from '../../ami/manager.js';
import type { OtherChannel } from '../../queue/offers.js';
import type { SignedInPhone } from './signed-in-phones.js';
import type { Mendable } from './step.js';

/** Where star64-own-call.conf notes on the channel of the phone what kind of call it is: `out|calling`, `direct|called`. */
const note = 'STAR64_AGENT_CALL';

/** Whether the state is that of a call which no queue gave them. */
export const isInCall = ({ state, callKind }: SignedInPhone): boolean =>
  callKind !== null && (state === 'ringing' || state === 'talking');

/** Calls that no queue gives an agent and whose beginning was not seen; the channel of the phone says which they are. */
export class BegunCalls {
  constructor(
    private readonly db: Database,
    private readonly manager: ManagerActions,
  ) {}

  /** What differs of an agent whom the database has in no call, or has not answering yet. */
  async begun(phone: SignedInPhone, channels: readonly OtherChannel[] = []): Promise<Mendable | undefined> {
    const rings = phone.state === 'ringing' && phone.callKind !== null;
    if (!rings && (phone.state === 'ringing' || phone.state === 'talking')) return undefined;
    for (const { name, uniqueid: offerId, linkedid, state } of channels) {
      // Its end has been seen, and the channel is about to go.
      if (offerId === phone.offerId && !rings) continue;
      const [kindNoted, side] = (await this.#noted(name)).split('|');
      const kind = callKinds.find((one) => one === kindNoted);
      if (kind === undefined) continue;
      const event = side === 'calling' || state === 'Up' ? 'call' : 'call-rings';
      if (event === 'call-rings' && (state !== 'Ringing' || phone.state !== 'idle')) continue;
      const call = { offerId, call: linkedid, kind };
      return {
        key: `${event} ${kind} ${offerId}`,
        mend: () => beginCall(this.db, phone.signInId, event, call, { id: phone.stateId }),
      };
    }
    return undefined;
  }

  async #noted(channel: string): Promise<string> {
    try {
      return (
        (await this.manager.action('Getvar', { Channel: channel, Variable: note })).headers.get('value') ?? ''
      );
    } catch (error) {
      // Gone meanwhile.
      if (error instanceof AmiError && error.code === 'rejected') return '';
      throw error;
    }
  }
}
