import type { Database } from '../../../domain/database/pool.js';
import { PopupRecords, type PopupDue } from '../../../domain/popups/records.js';
import { phoneBy } from '../events/event-headers.js';
import type { Snapshot } from './snapshot.js';
import type { Difference, Step } from './step.js';

/** Over; or, with `due`, one that is missing. */
interface PopupApart extends Difference {
  readonly channel: string;
  readonly due?: PopupDue;
}

/**
 * A popup whose phone has left the call, and whose end nobody has seen, is over; a phone that rings since before the server
 * watched has its popup yet.
 */
export class ComparePopups implements Step<PopupApart> {
  readonly name = 'popups';
  readonly #records: PopupRecords;

  constructor(db: Database, node: string) {
    this.#records = new PopupRecords(db, node);
  }

  async compare({ live, others }: Snapshot): Promise<PopupApart[]> {
    const open = await this.#records.open();
    const missing = [...(await this.#records.missing()), ...(await this.#records.missingOf(ringing(others)))];
    return [
      ...open
        .filter((channel) => !live.has(channel))
        .map((channel) => ({ key: `popup of ${channel} is over`, channel })),
      ...missing
        .filter(({ channel }) => live.has(channel))
        .map((due) => ({ key: `popup of ${due.channel} is missing`, channel: due.channel, due })),
    ];
  }

  async mend(differences: readonly PopupApart[]): Promise<void> {
    const due = differences.flatMap((one) => one.due ?? []);
    if (due.length > 0) await this.#records.due(due);
    const over = differences.filter((one) => !one.due);
    if (over.length === 0) return;
    await this.#records.told(
      over.map(({ channel }) => ({ channel, answeredAgo: null, closedAgo: 0, outcome: null })),
    );
  }
}

/** Phones that ring, and no queue has called them; trunks, too. Whoever saw one begin has recorded it by the second look. */
const ringing = (others: Snapshot['others']): PopupDue[] =>
  [...others].flatMap(([device, channels]) =>
    channels
      .filter(({ state }) => state === 'Ringing')
      .map(({ uniqueid: channel, linkedid: call, seconds: secondsAgo }) => ({
        channel,
        call,
        kind: 'direct',
        ...phoneBy(device),
        caller: null,
        arrives: false,
        final: true,
        secondsAgo,
      })),
  );
