import type { Database } from '../../../domain/database/pool.js';
import type { ManagerActions } from '../../ami/manager.js';
import type { QueueMembership } from '../../queue/membership.js';
import { lampStates, readLamps, readPhoneStates, type PhoneState } from '../../queue/lamps.js';
import { lampOf } from '../../queue/names.js';
import { inPortions } from '../loops/in-portions.js';
import type { Difference, Step } from './step.js';

/** The share of the time that may go into reading lamps: Asterisk has no list of ours alone, but one of all devices. */
const mostTime = 1 / 50;
/**
 * Dark lamps that one reconciliation sets: each is a write to astdb, and Asterisk looks through its queue members at every
 * change of a device. A site of 100,000 phones at which nobody ever signed in has its lamps within a few hours.
 */
const usuallyAtOnce = 500;

interface WrongLamp extends Difference {
  readonly phone: PhoneState;
}

/** The lamps of all phones say what their agents do, also of phones at which nobody ever signed in. */
export class CompareLamps implements Step<WrongLamp> {
  readonly name = 'lamps';
  /** On the monotonic clock. */
  #notBefore = 0;
  /** Some were mended since the last look. */
  #mended = false;
  /** How long it took to look, in milliseconds. */
  #took = 0;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly manager: ManagerActions,
    private readonly membership: QueueMembership,
    private readonly darkAtOnce = usuallyAtOnce,
  ) {}

  async compare(): Promise<WrongLamp[]> {
    const began = performance.now();
    if (began < this.#notBefore) return [];
    const shown = await readLamps(this.manager);
    if (!shown) return [];
    const phones = await readPhoneStates(this.db, this.node);
    const wrong = phones.flatMap((phone) => {
      const state = shown.get(lampOf(phone)) ?? 'UNKNOWN';
      if (state === lampStates[phone.state]) return [];
      return [{ key: `lamp ${lampOf(phone)} is ${state}, ${phone.state}`, phone }];
    });
    this.#took = performance.now() - began;
    // What was found wants a second look at once.
    // And so does what was mended.
    if (wrong.length === 0 || this.#mended) this.#rest();
    this.#mended = false;
    const dark = wrong.filter(({ phone }) => phone.state === 'signed-out');
    return [...wrong.filter(({ phone }) => phone.state !== 'signed-out'), ...dark.slice(0, this.darkAtOnce)];
  }

  async mend(differences: readonly WrongLamp[]): Promise<void> {
    await inPortions(differences, ({ phone }) => this.membership.sync(phone, { alone: true }));
    this.#mended = true;
  }

  #rest(): void {
    this.#notBefore = performance.now() + this.#took / mostTime;
  }
}
