import { endSupervision, openSupervisions } from '../../../domain/calls/commands/supervision.js';
import type { Database } from '../../../domain/database/pool.js';
import type { Snapshot } from './snapshot.js';
import type { Difference, Step } from './step.js';

interface EndedSupervision extends Difference {
  readonly id: string;
}

/** A supervision whose listening channel is gone, and whose end nobody has seen, is over. */
export class CompareSupervisions implements Step<EndedSupervision> {
  readonly name = 'supervisions';

  constructor(
    private readonly db: Database,
    private readonly node: string,
  ) {}

  async compare({ live }: Snapshot): Promise<EndedSupervision[]> {
    const open = await openSupervisions(this.db, this.node);
    return open
      .filter(({ byCall }) => !live.has(byCall))
      .map(({ id }) => ({ key: `supervision ${id} is over`, id }));
  }

  async mend(differences: readonly EndedSupervision[]): Promise<void> {
    for (const { id } of differences) await endSupervision(this.db, id);
  }
}
