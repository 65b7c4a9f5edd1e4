import type { Database } from '../../../domain/database/pool.js';
import { PopupRecords } from '../../../domain/popups/records.js';
import type { Snapshot } from '../snapshot.js';
import type { Difference, Step } from './step.js';

interface PopupOver extends Difference {
  readonly channel: string;
}

/** A popup whose phone has left the call, and whose end nobody has seen, is over. */
export class ComparePopups implements Step<PopupOver> {
  readonly name = 'popups';
  readonly #records: PopupRecords;

  constructor(db: Database, node: string) {
    this.#records = new PopupRecords(db, node);
  }

  async compare({ live }: Snapshot): Promise<PopupOver[]> {
    const open = await this.#records.open();
    return open
      .filter((channel) => !live.has(channel))
      .map((channel) => ({ key: `popup of ${channel} is over`, channel }));
  }

  async mend(differences: readonly PopupOver[]): Promise<void> {
    await this.#records.told(
      differences.map(({ channel }) => ({ channel, answeredAgo: null, closedAgo: 0, outcome: null })),
    );
  }
}
