import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import type { NounName } from '../../names.js';
import { bare } from '../../telephone-numbers.js';
import { homePlan } from './home-plan.js';
import type { Scope } from './scope.js';

/**
 * Refuses to send calls over the trunk to a number that is the team's own DID: each would come back as a new call and
 * leave again, until the trunk is full. @throws Star64Error `circle`
 */
export async function refuseOwnNumber(
  db: Queryable,
  { team, teamId }: Scope,
  owner: { noun: NounName; name: string },
  number: string,
): Promise<void> {
  const key = bare((await homePlan(db, teamId ?? 0)).canonical(number));
  const { rows } = await db.raw<{ rows: { number: string }[] }>(
    `select d.number from dids d where d.team_id = :teamId and (not d.wide and d.lowest = :key
       or d.wide and d.lowest <= :key and did_overlaps(:key, :key, d.lowest, d.highest)) limit 1`,
    { teamId, key },
  );
  const own = rows[0]?.number;
  if (own === undefined) return;
  throw fail('circle', {
    ...owner,
    facts: { team, number, did: own },
    says: `${number} is DID ${own} of team ${team ?? ''}: a call sent there over the trunk would come back`,
    remedy: {
      text: 'send it where that DID leads ({0})',
      steps: [{ noun: 'destination', verb: 'show', name: own, team }],
    },
  });
}
