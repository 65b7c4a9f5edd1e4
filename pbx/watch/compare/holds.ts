import { HoldRecords } from '../../../domain/calls/records/holds.js';
import type { Database } from '../../../domain/database/pool.js';
import type { ManagerActions } from '../../ami/manager.js';
import type { LiveChannel } from '../../queue/offers.js';
import { deviceOfChannel } from '../events/event-headers.js';
import { inPortions } from '../loops/in-portions.js';
import type { Snapshot } from './snapshot.js';
import type { Difference, Step } from './step.js';

interface HoldOver extends Difference {
  readonly id: number;
  readonly at: string | null;
  readonly hungUp: boolean;
}

/** What a channel runs while its phone talks. */
const ofTalks: ReadonlySet<string> = new Set(['Dial', 'AppDial', 'Queue', 'AppQueue']);

const toWhomTheyAsk = /^Local\/[^@]+@[a-z0-9]+-transfers-/;

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
    const byUniqueid = new Map(channels.map((channel) => [channel.uniqueid, channel]));
    const byDevice = groupedBy(channels, ({ name }) => deviceOfChannel(name));
    const byBridge = groupedBy(channels, ({ bridge }) => bridge);
    const looked = await inPortions(open, async (hold) => {
      const channel = byUniqueid.get(hold.channel);
      if (!channel) return { hold, channel, goesOn: false };
      const goesOn =
        hold.kind === 'consult'
          ? consults(channel, byBridge.get(channel.bridge) ?? [])
          : await this.#holds(channel, byDevice.get(deviceOfChannel(channel.name))?.length ?? 0);
      return { hold, channel, goesOn };
    });
    const before = this.#seen;
    this.#seen = new Map();
    const over: HoldOver[] = [];
    for (const { hold, channel, goesOn } of looked) {
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

  async #holds({ name, application }: LiveChannel, lines: number): Promise<boolean> {
    const device = deviceOfChannel(name);
    // Of several lines the device says one thing for all, of a telephone none; and of a hold by key it knows nothing.
    if (!device.startsWith('PJSIP/') || lines > 1 || !ofTalks.has(application)) return true;
    const { headers } = await this.manager.action('Getvar', { Variable: `DEVICE_STATE(${device})` });
    return headers.get('value') !== 'INUSE';
  }
}

/**
 * With whoever is asked a phone is joined by a Local channel, and that one is optimised away only later. A caller may be one
 * as well: somebody who is called back, or a telephone.
 */
function consults({ bridge, uniqueid }: LiveChannel, inBridge: readonly LiveChannel[]): boolean {
  return bridge === '' || inBridge.every((one) => one.uniqueid === uniqueid || toWhomTheyAsk.test(one.name));
}

function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
