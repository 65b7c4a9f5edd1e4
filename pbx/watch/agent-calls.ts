import { callKinds, endOffer } from '../../domain/presence/agent-state.js';
import type { Database } from '../../domain/database/pool.js';
import type { SignIn } from '../../domain/presence/open-sign-in.js';
import { beginCall, beginWrapUpOfCall, type AgentCall } from '../../domain/presence/wrap-up.js';
import type { AmiMessage } from '../ami/message.js';
import { dropOldest } from './endings.js';
import type { Work } from './ordered-work.js';

/** More than are ever open at once: ends that another server sees leave their beginnings here. */
const most = 20_000;

/** Work for whoever is signed in at the phone that a header of an event names. */
type ForPhone = (event: AmiMessage, header: string, run: (signIn: SignIn) => Promise<void>) => Work;

/** The call that an event of star64-own-call.conf is about; undefined for a kind that is unknown here. */
function callIn({ headers }: AmiMessage): AgentCall | undefined {
  const kind = callKinds.find((one) => one === headers.get('kind'));
  const offerId = headers.get('offer') ?? '';
  return kind && { kind, offerId, call: headers.get('call') ?? offerId };
}

/** Turns what the dialplan tells of calls that no queue gives an agent into their states. */
export class AgentCalls {
  /** Calls to phones that have not been answered, by the phone's channel: what was told when they began. */
  readonly #called = new Map<string, AmiMessage>();

  constructor(
    private readonly db: Database,
    private readonly forPhone: ForPhone,
    private readonly deadlineSet: () => void,
  ) {}

  /** A Star64AgentCall or Star64AgentCallEnd; the first is told when somebody dials, is called, and answers. */
  take(event: AmiMessage): Work | undefined {
    const { headers } = event;
    const call = callIn(event);
    if (!call) return undefined;
    if (headers.get('userevent') === 'Star64AgentCallEnd') {
      this.#called.delete(call.offerId);
      return this.forPhone(event, 'member', (signIn) =>
        this.#ended(signIn, call, headers.get('wrapup') === 'yes'),
      );
    }
    if (headers.get('step') === 'called') {
      this.#called.set(call.offerId, event);
      dropOldest(this.#called, most);
      return undefined;
    }
    return this.forPhone(event, 'member', async (signIn) => {
      await beginCall(this.db, signIn.id, 'call', call);
    });
  }

  /** A phone has said that it rings. Undefined: in no call that was told of. */
  rings(offerId: string): Work | undefined {
    const event = this.#called.get(offerId);
    const call = event && callIn(event);
    if (!call) return undefined;
    return this.forPhone(event, 'member', async (signIn) => {
      await beginCall(this.db, signIn.id, 'call-rings', call);
    });
  }

  async #ended(signIn: SignIn, call: AgentCall, wrapUp: boolean): Promise<void> {
    if (!wrapUp) return endOffer(this.db, signIn.id, call.offerId);
    await beginWrapUpOfCall(this.db, signIn.id, call);
    this.deadlineSet();
  }
}
