import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { checkChoice } from '../../names.js';
import { requireTeam } from '../../provisioning/team.js';
import { heldWithin } from './holds.js';

/** By what calls to the outside can be summed. */
export const summedBy = ['user', 'user-group', 'trunk', 'group', 'extension'] as const;
export type SummedBy = (typeof summedBy)[number];

/** Calls to the outside of one class, of one user, trunk and so on. */
export interface CallSum {
  /** Its name or number; null: of none, such as calls of the team itself, or those that no trunk took. */
  of: string | null;
  class: string | null;
  /** Those that were let out; a call that came in and was sent on to a number outside, and answered there, is one. */
  calls: number;
  /** Those that were not. */
  refused: number;
  answered: number;
  /**
   * From the answer until the channel to the trunk ended; of a call that goes on, so far. Of one that was sent on to several
   * numbers all of them, with the trunk of the first.
   */
  talkSeconds: number;
  /** Of that: how long phones of the team had it on hold, and how long they asked somebody meanwhile; each second once. */
  holdSeconds: number;
  consultSeconds: number;
}

/** So much is read in one statement: one of a month of a large team would take longer than a statement may. */
const pieceMs = 86_400_000;

/**
 * What a team's calls to the outside come to that were dialled from `since` on and before `until`: calls count where they
 * began, and with all of their time.
 *
 * @throws Star64Error `usage` for a value that is none, `unknown` for a team that there is not.
 */
export function sumCalls(
  db: Queryable,
  team: string,
  { by, since, until }: { by: string; since: Date; until: Date },
): Promise<CallSum[]> {
  return withDatabaseErrors(async () => {
    const { name, joined } = ways[checkChoice('sum', summedBy, by)];
    const teamId = await requireTeam(db, team);
    const sums = new Map<string, CallSum>();
    let from = await firstCall(db, teamId, since);
    while (from !== undefined && from < until) {
      const to = new Date(Math.min(from.getTime() + pieceMs, until.getTime()));
      const { rows } = await db.raw<{ rows: CallSum[] }>(sql(name, joined), { teamId, from, to });
      for (const row of rows) {
        const key = JSON.stringify([row.of, row.class]);
        const before = sums.get(key);
        sums.set(key, before ? added(before, row) : row);
      }
      from = await firstCall(db, teamId, to);
    }
    const text = (value: string | null): string => value ?? '\uffff';
    return [...sums.values()].sort(
      (a, b) => text(a.of).localeCompare(text(b.of)) || text(a.class).localeCompare(text(b.class)),
    );
  });
}

const added = (one: CallSum, other: CallSum): CallSum => ({
  ...one,
  calls: one.calls + other.calls,
  refused: one.refused + other.refused,
  answered: one.answered + other.answered,
  talkSeconds: one.talkSeconds + other.talkSeconds,
  holdSeconds: one.holdSeconds + other.holdSeconds,
  consultSeconds: one.consultSeconds + other.consultSeconds,
});

/** What names the sums, and the table that it is in. */
const ways: Readonly<Record<SummedBy, { name: string; joined: string }>> = {
  user: { name: 'u.username', joined: 'left join users u on u.id = s.user_id' },
  'user-group': { name: 'g.name', joined: 'left join user_groups g on g.id = s.user_group_id' },
  trunk: { name: 's.trunk', joined: '' },
  group: { name: 'g.name', joined: 'left join agent_groups g on g.id = s.group_id' },
  extension: { name: 'x.number', joined: 'left join extensions x on x.id = s.from_extension_id' },
};

/** When the first of them from a moment on was dialled: over a time without calls one steps at once. */
async function firstCall(db: Queryable, teamId: number, from: Date): Promise<Date | undefined> {
  const { rows } = await db.raw<{ rows: { at: Date }[] }>(
    `select least(
       (select c.arrived_at from calls c where c.team_id = :teamId and c.direction = 'out' and c.arrived_at >= :from
        order by c.arrived_at, c.id limit 1),
       (select c.arrived_at from calls c where c.team_id = :teamId and c.leg is not null and c.direction <> 'out'
        and c.arrived_at >= :from order by c.arrived_at limit 1)) as at`,
    { teamId, from },
  );
  return rows[0]?.at ?? undefined;
}

const columns = `c.user_id, c.user_group_id, c.group_id, c.from_extension_id, c.trunk, c.class, c.refused, c.leg_answered_at,
  coalesce(c.leg_ended_at, now()) as over, c.node, c.uniqueid, c.hold_seconds,
  coalesce(c.leg_ended_at, now()) - c.leg_answered_at + make_interval(secs => coalesce(c.further_seconds, 0)) as talked`;

/** Summed by what they are, and only then by their names. */
const sql = (name: string, joined: string): string => `
  with c as (
    select ${columns} from calls c
    where c.team_id = :teamId and c.direction = 'out' and c.arrived_at >= :from and c.arrived_at < :to
    union all
    select ${columns} from calls c
    where c.team_id = :teamId and c.leg is not null and c.direction <> 'out' and c.arrived_at >= :from and c.arrived_at < :to
  ), with_holds as materialized (
    select c.node, c.uniqueid, c.leg_answered_at, c.over from c
    -- Whatever is held is in a call of so long at most.
    where c.leg_answered_at is not null and exists (select from holds h where h.team_id = :teamId and h.started_at >= :from
      and h.started_at < :to::timestamptz + interval '2 days' and h.node = c.node and h.call = c.uniqueid)
  ), held as (
    select w.node, w.uniqueid, m.hold, m.consult
    from with_holds w
    cross join lateral (${heldWithin('h.node = w.node and h.call = w.uniqueid and h.team_id = :teamId', 'w.leg_answered_at', 'w.over')}) m
    where m.pieces > 0
  ), s as (
    select user_id, user_group_id, group_id, from_extension_id, trunk, class,
      coalesce(sum(coalesce(held.hold, hold_seconds)), 0) as hold, coalesce(sum(held.consult), 0) as consult,
      count(*) filter (where refused is null) as calls, count(*) filter (where refused is not null) as refused,
      count(leg_answered_at) as answered, coalesce(sum(round(extract(epoch from talked))), 0) as seconds
    from c left join held on held.node = c.node and held.uniqueid = c.uniqueid group by 1, 2, 3, 4, 5, 6
  )
  select ${name} as of, s.class, sum(s.calls)::integer as calls, sum(s.refused)::integer as refused,
    sum(s.answered)::integer as answered, sum(s.seconds)::double precision as "talkSeconds",
    sum(s.hold)::double precision as "holdSeconds", sum(s.consult)::double precision as "consultSeconds"
  from s ${joined} group by 1, 2`;
