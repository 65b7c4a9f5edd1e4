import type { Queryable } from './pool.js';

/**
 * Begins a new era of the events where their transaction ids are not of this cluster's past: after a restore, a failover,
 * a move. Called by whatever starts, in its transaction and one at a time. A cursor of an older era then goes on behind
 * the last event of that era; without it, it would wait for ids which this cluster reaches in months, and miss all until
 * then.
 */
export async function checkEra(trx: Queryable): Promise<void> {
  if (!(await isForeign(trx))) return;
  // What is being written now ends in the old era: nobody looks for late events in an era that is over.
  await trx.raw('lock table events in exclusive mode');
  await trx.raw(`update event_log set era = era + ?, origin = (${originSql})`, [
    (await isForeign(trx, { hasEvents: true })) ? 1 : 0,
  ]);
}

/** The cluster and its timeline; null where the role may not ask for them. */
const originSql = `
  select case when has_function_privilege('pg_control_system()', 'execute')
      and has_function_privilege('pg_control_checkpoint()', 'execute')
    then (select system_identifier::text from pg_control_system()) || '/' || (select timeline_id from pg_control_checkpoint())
  end`;

/** Whether the events were written by another cluster, or by this one's future. */
export async function isForeign(db: Queryable, { hasEvents = false } = {}): Promise<boolean> {
  const { rows } = await db.raw<{ rows: { foreign: boolean }[] }>(
    `select (${hasEvents ? 'last.xid > 0 and' : ''} l.origin is distinct from (${originSql}))
       or last.xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint as foreign
     from event_log l cross join lateral (
       select greatest(max(e.xid), case l.removed_era when l.era then l.removed_xid end) as xid
       from events e where e.era = l.era) as last`,
  );
  return rows[0]?.foreign ?? false;
}
