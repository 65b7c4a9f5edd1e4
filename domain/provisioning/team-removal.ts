import { dependents, stillNeeded } from './refusals/dependents.js';
import { discard, type Progress } from './operations/discard.js';
import type { Database, Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { fail } from '../errors.js';
import type { Noun } from './fields/description.js';
import { nouns, removalOrder } from './nouns/index.js';
import { team } from './nouns/team.js';
import { operationsOf } from './operations/operations.js';
import { requireRow } from './values/rows.js';

export type { Progress };

/** Tables that would go with the team, and grow with its calls: in one statement they might be too many. */
const growing = ['callbacks', 'limits_reached'];

/** So far calls and sign-ins are counted, to say how many there are. */
const countedUpTo = 100_000;

const teams = operationsOf(team);
const system = { team: null, teamId: null };

/**
 * Removes a team that owns nothing any more. Its recorded calls and its agents' sign-ins keep it, unless they are to be
 * discarded with it. They go in pieces, each in a transaction of its own, so that a million calls are no long
 * transaction; what was stopped half way goes on when it is asked for again.
 */
export async function removeTeam(
  db: Database,
  identity: string,
  options: { discardCalls?: boolean; progress?: Progress } = {},
): Promise<void> {
  await withDatabaseErrors(async () => {
    const { id } = await requireRow(db, team, system, identity);
    const held = await dependents(db, team, id);
    if (held.length > 0) {
      throw stillNeeded({ verb: 'remove', noun: team, scope: system, name: identity, id, given: {} }, held);
    }
    if (!options.discardCalls) await refuseHistory(db, identity, id);
    const { progress } = options;
    for (const table of await historyTables(db)) await discard(db, table, id, { progress });
    // What was removed before is hidden: now that nothing names it any more, it can go.
    for (const { table } of hiddenNouns())
      await discard(db, table, id, { progress, only: 'and removed_at is not null' });
  });
  await teams.remove(db, null, identity);
}

async function refuseHistory(db: Queryable, identity: string, id: number): Promise<void> {
  const { rows } = await db.raw<{ rows: { calls: number; signIns: number }[] }>(
    `select
       (select count(*) from (select from calls where team_id = :id limit :most) as found)::integer as calls,
       (select count(*) from (select from sign_ins where team_id = :id limit :most) as found)::integer as "signIns"`,
    { id, most: countedUpTo },
  );
  const { calls = 0, signIns = 0 } = rows[0] ?? {};
  if (calls === 0 && signIns === 0) return;
  const count = (number: number): string => (number < countedUpTo ? String(number) : `over ${countedUpTo}`);
  throw fail('has_history', {
    noun: 'team',
    name: identity,
    facts: { calls, signIns },
    says: `team ${identity} has ${count(calls)} recorded calls and ${count(signIns)} sign-ins of agents`,
    remedy: {
      text: '{0} removes them, too',
      steps: [{ noun: 'team', verb: 'remove', name: identity, options: '--discard-calls' }],
    },
  });
}

/** Nouns whose removed rows are only hidden, in the order in which they can go. */
const hiddenNouns = (): readonly Noun[] =>
  nouns
    .filter(({ outlived }) => outlived)
    .sort((a, b) => removalOrder.indexOf(a.noun) - removalOrder.indexOf(b.noun));

/**
 * The tables that say what has happened in a team: all with a team that neither belong to a noun nor go with the team by
 * themselves, unless they grow. Those that refer to another come before it.
 */
async function historyTables(db: Queryable): Promise<string[]> {
  const provisioned = nouns.flatMap(({ table, fields }) => [
    table,
    ...Object.values(fields).flatMap(({ value }) =>
      value.is === 'references' || value.is === 'destinations' ? [value.through.table] : [],
    ),
  ]);
  const { rows } = await db.raw<{ rows: { name: string; parents: string[] }[] }>(
    `select c.relname as name, array(
       select p.relname::text from pg_constraint k join pg_class p on p.oid = k.confrelid
       where k.conrelid = c.oid and k.contype = 'f' and p.oid <> c.oid) as parents
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'team_id' and not a.attisdropped
     where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
       and c.relname <> all(:provisioned::text[])
       and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'
         and k.confrelid = 'teams'::regclass and k.confdeltype = 'c' and c.relname <> all(:growing::text[]))
     order by c.relname`,
    { provisioned, growing },
  );
  const sorted: string[] = [];
  const visit = (name: string): void => {
    if (sorted.includes(name)) return;
    for (const child of rows) if (child.parents.includes(name)) visit(child.name);
    sorted.push(name);
  };
  for (const { name } of rows) visit(name);
  return sorted;
}
