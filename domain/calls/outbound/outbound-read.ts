import type { Queryable } from '../../database/pool.js';
import { diallingPlan, type DiallingPlan, type NumberFormat } from '../../dialling-plan.js';
import { readClasses, type NumberClass } from '../../number-classes.js';
import { home } from '../../provisioning/values/home-plan.js';
import type { TrunkStrategy } from '../../provisioning/nouns/trunk-group.js';
import type { RecordRule } from '../../provisioning/fields/record.js';
import type { ExtensionOut, OutboundTeam, UserGroupOut } from './outbound-team.js';
import { nextOnUnlessSaid, type TrunkGroupOut, type TrunkOut, type TrunkRule, type Way } from './ways-out.js';

interface TeamRow {
  id: number;
  team: string;
  country: string | null;
  area: string | null;
  outsidePrefix: string | null;
  callerId: string | null;
  mayCall: string;
  record: RecordRule;
  trunkId: number | null;
  trunkGroupId: number | null;
}

/** What every team of a node says about calls to the outside, or these of them; in as many statements whatever their number. */
export async function readOutboundTeams(
  db: Queryable,
  node: string,
  teamIds: readonly number[] | undefined,
): Promise<OutboundTeam[]> {
  const only = { node, ids: teamIds === undefined ? null : [...teamIds] };
  const mine = 't.node = :node and (:ids::integer[] is null or t.id = any(:ids::integer[]))';
  const { rows: teams } = await db.raw<{ rows: TeamRow[] }>(
    `select t.id, t.identity as team, ${home('t.id')} as country, t.area, t.outside_prefix as "outsidePrefix",
       t.caller_id as "callerId", t.may_call as "mayCall", t.record, t.trunk_id as "trunkId", t.trunk_group_id as "trunkGroupId"
     from teams t where ${mine}`,
    only,
  );
  if (teams.length === 0) return [];
  const ways = await readWays(db, mine, only);
  const groups = await readGroups(db, mine, only, ways);
  const extensions = await readExtensions(db, mine, only, groups);
  const { rows: classes } = await db.raw<{
    rows: { teamId: number; beginning: string; class: NumberClass }[];
  }>(
    `select t.id as "teamId", c.beginning, c.class from number_classes c join teams t on t.id = c.team_id where ${mine}`,
    only,
  );
  const found: OutboundTeam[] = [];
  for (const row of teams) {
    const { id, team, country, area, outsidePrefix, callerId, mayCall, record } = row;
    const plan = await diallingPlan(country);
    found.push({
      id,
      team,
      plan,
      area,
      outsidePrefix,
      callerId,
      mayCall: readClasses(mayCall),
      record,
      // As they were typed where the country was not known then.
      classes: longestFirst(
        classes
          .filter(({ teamId }) => teamId === id)
          .map(({ beginning, class: of }) => ({ beginning: plan.beginning(beginning), class: of })),
      ),
      way: ways.of(row),
      extensions: extensions.get(id) ?? new Map<string, ExtensionOut>(),
      trunks: ways.trunksOf(id),
    });
  }
  return found;
}

const longestFirst = <T extends { readonly beginning: string }>(beginnings: readonly T[]): T[] =>
  [...beginnings].sort((a, b) => b.beginning.length - a.beginning.length);

interface Ways {
  of(row: { trunkId: number | null; trunkGroupId: number | null }): Way | null;
  /** Every trunk that a team may use: first its own. */
  trunksOf(teamId: number): Way[];
}

/** Those of the teams, and those for every team. */
async function readWays(db: Queryable, mine: string, only: object): Promise<Ways> {
  const { rows } = await db.raw<{
    rows: {
      id: number;
      teamId: number | null;
      name: string;
      endpoint: string;
      country: string | null;
      format: NumberFormat;
      channels: number | null;
      replySeconds: number;
      nextOn: string | null;
      callerId: string | null;
    }[];
  }>(
    `select id, team_id as "teamId", name, endpoint, country, number_format as format, channels,
       reply_seconds as "replySeconds", next_on as "nextOn", caller_id as "callerId"
     from trunks where team_id is null or team_id in (select t.id from teams t where ${mine})
     order by team_id nulls last, name`,
    { ...only },
  );
  const plans = new Map<string | null, DiallingPlan>();
  for (const { country } of rows) if (!plans.has(country)) plans.set(country, await diallingPlan(country));
  const trunks = new Map<number, TrunkOut>();
  for (const { nextOn, ...row } of rows)
    trunks.set(row.id, {
      ...row,
      plan: plans.get(row.country) as DiallingPlan,
      nextOn: nextOn === null ? nextOnUnlessSaid : nextOn.split(','),
    });
  const groups = await readTrunkGroups(db, mine, only, trunks);
  return {
    of: ({ trunkId, trunkGroupId }) => {
      const trunk = trunks.get(trunkId ?? 0);
      const group = groups.get(trunkGroupId ?? 0);
      return trunk ? { trunk } : group ? { group } : null;
    },
    trunksOf: (teamId) =>
      rows
        .filter((row) => row.teamId === teamId || row.teamId === null)
        .map(({ id }) => ({ trunk: trunks.get(id) as TrunkOut })),
  };
}

async function readTrunkGroups(
  db: Queryable,
  mine: string,
  only: object,
  trunks: ReadonlyMap<number, TrunkOut>,
): Promise<Map<number, TrunkGroupOut>> {
  const { rows } = await db.raw<{
    rows: { id: number; name: string; strategy: TrunkStrategy; members: number[]; rules: TrunkRule[] }[];
  }>(
    `select g.id, g.name, g.strategy,
       array(select m.trunk_id from trunk_group_members m where m.trunk_group_id = g.id order by m.position) as members,
       (select coalesce(json_agg(json_build_object('beginning', r.beginning, 'refused', r.refused, 'strip', r.strip, 'added', r.added)
           order by length(r.beginning) desc), '[]')
        from trunk_group_rules r where r.trunk_group_id = g.id) as rules
     from trunk_groups g where g.team_id is null or g.team_id in (select t.id from teams t where ${mine})`,
    { ...only },
  );
  return new Map(
    rows.map(({ members, ...group }) => [
      group.id,
      { ...group, trunks: members.flatMap((id) => trunks.get(id) ?? []) },
    ]),
  );
}

async function readGroups(
  db: Queryable,
  mine: string,
  only: object,
  ways: Ways,
): Promise<Map<number, UserGroupOut>> {
  const { rows } = await db.raw<{
    rows: {
      id: number;
      name: string;
      position: number;
      trunkId: number | null;
      trunkGroupId: number | null;
      mayCall: string | null;
      callerId: string | null;
      hours: string | null;
    }[];
  }>(
    `select g.id, g.name, g.position, g.trunk_id as "trunkId", g.trunk_group_id as "trunkGroupId", g.may_call as "mayCall",
       g.caller_id as "callerId", h.name as hours
     from user_groups g join teams t on t.id = g.team_id left join hours h on h.id = g.hours_id where ${mine} and g.removed_at is null`,
    { ...only },
  );
  return new Map(
    rows.map(({ id, name, position, mayCall, callerId, hours, ...way }) => [
      id,
      {
        id,
        name,
        position,
        way: ways.of(way),
        mayCall: mayCall === null ? null : readClasses(mayCall),
        callerId,
        hours,
      },
    ]),
  );
}

/**
 * The extensions that have something of their own to say, by team and endpoint. Of all others there is nothing to know: a
 * team may have 100,000.
 */
async function readExtensions(
  db: Queryable,
  mine: string,
  only: object,
  groups: ReadonlyMap<number, UserGroupOut>,
): Promise<Map<number, Map<string, ExtensionOut>>> {
  const { rows } = await db.raw<{
    rows: {
      teamId: number;
      number: string;
      endpoint: string;
      callerId: string | null;
      record: RecordRule | null;
      groups: number[];
    }[];
  }>(
    `select t.id as "teamId", x.number, coalesce(x.endpoint, t.identity || '-' || x.number) as endpoint, x.caller_id as "callerId",
       x.record, coalesce(m.groups, '{}') as groups
     from extensions x join teams t on t.id = x.team_id
     left join (
       select g.team_id, m.user_id, array_agg(g.id order by g.position) as groups
       from user_groups g join teams t on t.id = g.team_id join user_group_members m on m.user_group_id = g.id
       where ${mine} and g.removed_at is null group by g.team_id, m.user_id) m
         on m.team_id = x.team_id and m.user_id = x.user_id
     where ${mine} and x.removed_at is null and x.kind = 'sip'
       and (x.caller_id is not null or x.endpoint is not null or x.record is not null or m.user_id is not null)`,
    { ...only },
  );
  const found = new Map<number, Map<string, ExtensionOut>>();
  for (const { teamId, endpoint, groups: ids, ...extension } of rows) {
    const of = found.get(teamId) ?? new Map<string, ExtensionOut>();
    found.set(teamId, of.set(endpoint, { ...extension, groups: ids.flatMap((id) => groups.get(id) ?? []) }));
  }
  return found;
}
