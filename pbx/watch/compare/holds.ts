import { HoldRecords, type OpenHold } from '../../../domain/calls/holds.js';
import type { Database } from '../../../domain/database/pool.js';
import type { ManagerActions } from '../../ami/manager.js';
import type { LiveChannel } from '../../queue/offers.js';
import { deviceOfChannel } from '../event-headers.js';
import type { Snapshot } from '../snapshot.js';
import type { Difference, Step } from './step.js';

interface HoldOver extends Difference {
  readonly id: number;
  readonly at: string | null;
  readonly hungUp: boolean;
}

/** What a channel runs while its phone talks. */
const ofTalks: ReadonlySet<string> = new Set(['Dial', 'AppDial', 'Queue', 'AppQueue']);

/**
 * Holds and consultations that are over in Asterisk are over in the database: the phone has left the call, is back in the
 * bridge of the caller, or its device says that nothing is on hold. One that nobody saw end ended while no server watched,
 * as a call to the outside does. That one has begun which nobody saw is not known: Asterisk does not tell since when.
 */
export class CompareHolds implements Step<HoldOver> {
  readonly name = 'calls on hold';
  readonly #records: HoldRecords;
  /** Those that this server has seen go on, and since when nobody had watched before. */
  #seen = new Map<number, string | null>();

  constructor(
    db: Database,
    node: string,
    private readonly manager: ManagerActions,
  ) {
    this.#records = new HoldRecords(db, node);
  }

  async compare({ channels }: Snapshot): Promise<HoldOver[]> {
    const open = await this.#records.open();
    const before = this.#seen;
    this.#seen = new Map();
    const over: HoldOver[] = [];
    for (const hold of open) {
      const channel = channels.find(({ uniqueid }) => uniqueid === hold.channel);
      const goesOn = channel !== undefined && (await this.#goesOn(hold, channel, channels));
      const seen = goesOn ? hold.unwatchedSince : before.get(hold.id);
      if (seen !== undefined) this.#seen.set(hold.id, seen);
      if (goesOn) continue;
      const at = seen === hold.unwatchedSince ? null : hold.unwatchedSince;
      over.push({ key: `${hold.kind} ${hold.channel} is over`, id: hold.id, at, hungUp: !channel });
    }
    return over;
  }

  mend(differences: readonly HoldOver[]): Promise<void> {
    return this.#records.endedUnseen(differences);
  }

  async #goesOn(
    { kind }: OpenHold,
    channel: LiveChannel,
    channels: readonly LiveChannel[],
  ): Promise<boolean> {
    if (kind === 'consult') {
      // With whoever is asked a phone is joined by a Local channel, and that one is optimised away only later.
      const { bridge, uniqueid } = channel;
      return !channels.some(
        (one) =>
          bridge !== '' &&
          one.bridge === bridge &&
          one.uniqueid !== uniqueid &&
          !one.name.startsWith('Local/'),
      );
    }
    const device = deviceOfChannel(channel.name);
    const lines = channels.filter(({ name }) => deviceOfChannel(name) === device);
    // Of several lines the device says one thing for all, of a telephone none; and of a hold by key it knows nothing.
    if (!device.startsWith('PJSIP/') || lines.length > 1 || !ofTalks.has(channel.application)) return true;
    const { headers } = await this.manager.action('Getvar', { Variable: `DEVICE_STATE(${device})` });
    return headers.get('value') !== 'INUSE';
  }
}
