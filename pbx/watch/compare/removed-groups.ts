import type { Database } from '../../../domain/database/pool.js';
import { groupsPendingRemoval, removeGroups } from '../../../domain/provisioning/values/removal-pending.js';
import { queueOf } from '../../queue/names.js';
import type { Snapshot } from './snapshot.js';
import type { Difference, Step } from './step.js';

/** A removed group goes once its queue has neither a caller nor a member. */
export class CompareRemovedGroups implements Step<Difference & { id: number }> {
  readonly name = 'removed groups';

  constructor(
    private readonly db: Database,
    private readonly node: string,
  ) {}

  async compare({ members, waiting }: Snapshot): Promise<(Difference & { id: number })[]> {
    const used = new Set([...members, ...waiting].map(({ queue }) => queue));
    const pending = await groupsPendingRemoval(this.db, this.node);
    return pending
      .filter(({ team, name }) => !used.has(queueOf(team, name)))
      .map(({ id, team, name }) => ({ key: `queue ${queueOf(team, name)} is empty`, id }));
  }

  async mend(differences: readonly (Difference & { id: number })[]): Promise<void> {
    await removeGroups(
      this.db,
      differences.map(({ id }) => id),
    );
  }
}
