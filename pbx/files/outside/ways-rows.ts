import type { Queryable } from '../../../domain/database/pool.js';
import { home } from '../../../domain/provisioning/values/home-plan.js';
import type { RecordRule } from '../../../domain/provisioning/fields/record.js';

export interface TrunkRow {
  endpoint: string;
  country: string | null;
  format: string;
  channels: number | null;
  replySeconds: number;
  nextOn: string | null;
  callerId: string | null;
}

/** What is done with numbers that begin so. */
export interface RuleRow {
  beginning: string;
  refused: boolean;
  strip: number;
  added: string;
}

/** Over what calls go: the trunks in their order, and rules if they are a group. */
export interface WayRow {
  trunks: TrunkRow[];
  rules: RuleRow[];
}

export interface UserGroupRow {
  name: string;
  way: WayRow | null;
  /** Null: as the team says. */
  mayCall: string | null;
  callerId: string | null;
  hours: string | null;
  /** The most calls at a time; null: any number. So below. */
  atOnce: number | null;
}

/** A phone of the team, and what decides of its calls. */
export interface PayerRow {
  number: string;
  /** Null: one is generated. */
  endpoint: string | null;
  callerId: string | null;
  record: RecordRule | null;
  atOnce: number | null;
  /** Those of its user, the lowest position first. */
  userGroups: UserGroupRow[];
}

/** What of a team decides of its calls to the outside when no server does. */
export interface WaysRow {
  outsidePrefix: string;
  /** In which its phones dial. */
  country: string | null;
  area: string | null;
  mayCall: string;
  callerId: string | null;
  atOnce: number | null;
  way: WayRow | null;
  classes: { beginning: string; class: string }[];
  payers: PayerRow[];
}

interface WayIds {
  trunkId: number | null;
  trunkGroupId: number | null;
}

/** Reads it for the teams of a node that call outside at all, by identity; in as many statements whatever their number. */
export async function readWays(trx: Queryable, node: string): Promise<Map<string, WaysRow>> {
  const teams = await rowsOf<Omit<WaysRow, 'way' | 'classes' | 'payers'> & WayIds & { team: string }>(
    trx,
    `select t.identity as team, t.outside_prefix as "outsidePrefix", ${home('t.id')} as country, t.area,
       t.may_call as "mayCall", t.caller_id as "callerId", t.calls_at_once as "atOnce", t.trunk_id as "trunkId", t.trunk_group_id as "trunkGroupId"
     from teams t where t.node = ? and t.outside_prefix is not null order by t.identity`,
    [node],
  );
  const byTeam = new Map<string, WaysRow>();
  if (teams.length === 0) return byTeam;
  const wayOf = await readTrunks(trx);
  const groups = await readUserGroups(trx, node, wayOf);
  const classes = await rowsOf<WaysRow['classes'][number] & { team: string }>(
    trx,
    `select t.identity as team, c.beginning, c.class from number_classes c join teams t on t.id = c.team_id
     where t.node = ? and t.outside_prefix is not null order by t.identity, c.beginning`,
    [node],
  );
  const payers = await rowsOf<Omit<PayerRow, 'userGroups'> & { team: string; groupIds: number[] }>(
    trx,
    `select t.identity as team, x.number, x.endpoint, x.caller_id as "callerId", x.record, x.calls_at_once as "atOnce",
       array(select g.id from user_group_members m join user_groups g on g.id = m.user_group_id
         where m.user_id = x.user_id and g.team_id = x.team_id and g.removed_at is null order by g.position) as "groupIds"
     from extensions x join teams t on t.id = x.team_id
     where t.node = ? and t.outside_prefix is not null and x.removed_at is null and x.kind = 'sip'
     order by t.identity, x.number`,
    [node],
  );
  for (const { team, trunkId, trunkGroupId, ...row } of teams)
    byTeam.set(team, { ...row, way: wayOf({ trunkId, trunkGroupId }), classes: [], payers: [] });
  for (const { team, ...row } of classes) byTeam.get(team)?.classes.push(row);
  for (const { team, groupIds, ...row } of payers)
    byTeam.get(team)?.payers.push({ ...row, userGroups: groupIds.flatMap((id) => groups.get(id) ?? []) });
  return byTeam;
}

async function readTrunks(trx: Queryable): Promise<(ids: WayIds) => WayRow | null> {
  const trunks = await rowsOf<TrunkRow & { id: number }>(
    trx,
    `select id, endpoint, country, number_format as format, channels, reply_seconds as "replySeconds", next_on as "nextOn",
       caller_id as "callerId"
     from trunks order by id`,
  );
  const groups = await rowsOf<{ id: number; members: number[]; rules: RuleRow[] }>(
    trx,
    `select g.id, array(select m.trunk_id from trunk_group_members m where m.trunk_group_id = g.id order by m.position) as members,
       (select coalesce(json_agg(json_build_object('beginning', r.beginning, 'refused', r.refused, 'strip', r.strip,
         'added', r.added) order by r.beginning), '[]') from trunk_group_rules r where r.trunk_group_id = g.id) as rules
     from trunk_groups g order by g.id`,
  );
  const trunk = new Map(trunks.map(({ id, ...row }) => [id, row]));
  const ways = new Map(
    groups.map(({ id, members, rules }) => [
      id,
      { trunks: members.flatMap((member) => trunk.get(member) ?? []), rules },
    ]),
  );
  return ({ trunkId, trunkGroupId }) => {
    const one = trunk.get(trunkId ?? 0);
    return one ? { trunks: [one], rules: [] } : (ways.get(trunkGroupId ?? 0) ?? null);
  };
}

async function readUserGroups(
  trx: Queryable,
  node: string,
  wayOf: (ids: WayIds) => WayRow | null,
): Promise<Map<number, UserGroupRow>> {
  const rows = await rowsOf<Omit<UserGroupRow, 'way'> & WayIds & { id: number }>(
    trx,
    `select g.id, g.name, g.trunk_id as "trunkId", g.trunk_group_id as "trunkGroupId", g.may_call as "mayCall",
       g.caller_id as "callerId", g.calls_at_once as "atOnce", h.name as hours
     from user_groups g join teams t on t.id = g.team_id left join hours h on h.id = g.hours_id
     where t.node = ? and t.outside_prefix is not null and g.removed_at is null`,
    [node],
  );
  return new Map(
    rows.map(({ id, trunkId, trunkGroupId, ...row }) => [
      id,
      { ...row, way: wayOf({ trunkId, trunkGroupId }) },
    ]),
  );
}

async function rowsOf<T>(trx: Queryable, sql: string, values: string[] = []): Promise<T[]> {
  const { rows } = await trx.raw<{ rows: T[] }>(sql, values);
  return rows;
}
