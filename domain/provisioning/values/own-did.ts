import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import type { NounName } from '../../names.js';
import { bare } from '../../telephone-numbers.js';
import { homePlan } from './home-plan.js';
import type { Scope } from './scope.js';

/**
 * The one form of a number that is shown to who is called: a DID of the team, or one number of a range of it, since
 * nobody may call as somebody else. @throws Star64Error `foreign_caller_id`
 */
export async function requireOwnDid(
  db: Queryable,
  { team, teamId }: Scope,
  owner: { noun: NounName; name: string },
  typed: string,
): Promise<string> {
  const number = (await homePlan(db, teamId ?? 0)).canonical(typed);
  const key = bare(number);
  const { rows } = await db.raw<{ rows: { number: string; wide: boolean }[] }>(
    `select d.number, d.wide from dids d where d.team_id = :teamId and (not d.wide and d.lowest = :key
       or d.wide and d.lowest <= :key and did_overlaps(:key, :key, d.lowest, d.highest)) order by d.wide limit 1`,
    { teamId, key },
  );
  const [own] = rows;
  // As the DID is written: a number that no plan knows may have a + there and none here.
  if (own) return own.wide ? number : own.number;
  throw fail('foreign_caller_id', {
    ...owner,
    facts: { team, number },
    says: `caller ID ${typed} is no DID of team ${team ?? ''}, and calls go out under its own numbers only`,
    remedy: { text: '{0} shows those that it has', steps: [{ noun: 'did', verb: 'list', team }] },
  });
}
