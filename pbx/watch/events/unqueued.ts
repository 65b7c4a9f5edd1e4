import type { CallOutcome } from '../../../domain/calls/records/records.js';
import type { CallStep } from '../../../domain/calls/records/steps.js';
import type { AmiMessage } from '../../ami/message.js';
import { outcomeOf } from './call-outcome.js';
import { stepOf } from './call-step.js';
import { dropOldest, type Endings } from './endings.js';
import { deviceOfChannel } from './event-headers.js';

/** More than are ever open at once: ends that another server sees leave their beginnings here. */
const most = 20_000;

/**
 * What our own dialplan tells of calls beside what queues do: extensions and ring groups, recordings, and steps of their
 * story.
 */
export class Unqueued {
  /** Why nobody has answered, by the caller's channel. */
  readonly #unanswered = new Map<string, CallOutcome>();
  /** Callers' channels that the dialplan ends by itself. */
  readonly #letGo = new Set<string>();
  /** Beginnings of recordings, by the channel of the phone at which each is made: they end with it. */
  readonly #recording = new Map<string, CallStep>();

  constructor(
    private readonly endings: Endings,
    private readonly step: (step: CallStep) => void,
  ) {}

  /** Takes one UserEvent; others than these are passed over. */
  take(event: AmiMessage): void {
    const { headers } = event;
    switch (headers.get('userevent')) {
      case 'Star64Step': {
        const step = stepOf(event);
        if (step?.kind === 'recording') this.#recording.set(headers.get('uniqueid') ?? '', step);
        dropOldest(this.#recording, most);
        // Who else is in a conference room has come by a call of their own.
        if (step?.kind === 'room') this.endings.spoken(step.call);
        this.tell(event);
        return;
      }
      case 'Star64PickedUp':
        this.#unanswered.delete(headers.get('call') ?? '');
        this.endings.pickedUp(headers.get('call') ?? '', deviceOfChannel(headers.get('channel') ?? ''));
        return;
      case 'Star64RingGroup':
        this.tell(event);
        this.endings.ringGroup(headers.get('linkedid') ?? '', {
          team: headers.get('team') ?? '',
          ringGroup: headers.get('ringgroup') ?? '',
        });
        this.#unansweredSoFar(event);
        return;
      case 'Star64RingGroupLeft':
      case 'Star64Dialled':
        this.#unansweredSoFar(event);
        return;
      case 'Star64Over':
        // Of one to whom a reason is told it says more.
        if (!this.#unansweredSoFar(event)) this.#letGo.add(headers.get('uniqueid') ?? '');
        dropOldest(this.#letGo, most);
    }
  }

  /** Tells the step that an event is, if it is one. */
  tell(event: AmiMessage): void {
    const step = stepOf(event);
    if (step) this.step(step);
  }

  /** A channel is gone, and a recording with it. Returns what its call has come to, as far as that was told. */
  ended(uniqueid: string): { outcome: CallOutcome | null; letGo: boolean } {
    const recording = this.#recording.get(uniqueid);
    if (recording) this.step({ ...recording, kind: 'recorded' });
    this.#recording.delete(uniqueid);
    const outcome = this.#unanswered.get(uniqueid) ?? null;
    this.#unanswered.delete(uniqueid);
    return { outcome, letGo: this.#letGo.delete(uniqueid) };
  }

  /** What the call has come to if nothing more is told of it. False: that is not said. */
  #unansweredSoFar(event: AmiMessage): boolean {
    const outcome = outcomeOf(event);
    if (outcome) this.#unanswered.set(event.headers.get('uniqueid') ?? '', outcome);
    dropOldest(this.#unanswered, most);
    return outcome !== undefined;
  }
}
