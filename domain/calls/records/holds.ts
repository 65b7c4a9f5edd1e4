import { prepared, type Queryable } from '../../database/pool.js';

/** `hold`: the others of the call hear music; `consult`: and the phone is with somebody else meanwhile, whom it asks. */
export const holdKinds = ['hold', 'consult'] as const;
export type HoldKind = (typeof holdKinds)[number];

/** What was told of one time that a phone has its call on hold. */
export interface HoldTold {
  /** The channel of the phone, by its uniqueid. */
  channel: string;
  /** Its linkedid. */
  call: string;
  /** The phone: an extension by its team and number, or the operator's endpoint that it is; none: no phone of ours. */
  team?: string;
  extension?: string;
  endpoint?: string;
  kind: HoldKind;
  startedAgo: number;
  /** Seconds; null: it goes on. */
  endedAgo: number | null;
  /** The phone has left the call with it. */
  hungUp: boolean;
  /** Its own row, once it has one; and that of the one before it at this channel, which it cannot overlap. */
  row: number | null;
  after: number | null;
}

/** A hold that goes on, as far as the database knows. */
export interface OpenHold {
  id: number;
  channel: string;
  call: string;
  kind: HoldKind;
  startedAgo: number;
  /** The watch over the node ran out between its beginning and now, last at this moment. */
  unwatchedSince: string | null;
}

/**
 * What phones of one Asterisk node have on hold. Every function may be told the same twice, and by another server. A channel
 * that is no phone of a team of this node, as that of a caller from outside, is passed over.
 */
export class HoldRecords {
  constructor(
    private readonly db: Queryable,
    readonly node: string,
  ) {}

  /** Writes what was told, one for each channel. Returns the ids by channel; of those that were passed over there is none. */
  async told(holds: readonly HoldTold[]): Promise<Map<string, number>> {
    const rows = await prepared<{ channel: string; id: number }>(this.db, told, {
      node: this.node,
      told: JSON.stringify(holds),
    });
    return new Map(rows.map(({ channel, id }) => [channel, id]));
  }

  /** What the database holds for under way on this node. */
  async open(): Promise<OpenHold[]> {
    return prepared<OpenHold>(
      this.db,
      `select h.id, h.channel, h.call, h.kind,
         extract(epoch from clock_timestamp() - h.started_at)::double precision as "startedAgo",
         case when h.started_at < l.unwatched_since then l.unwatched_since end::text as "unwatchedSince"
       from holds h left join leader_leases l on l.node = h.node
       where h.node = :node and h.ended_at is null order by h.id`,
      { node: this.node },
    );
  }

  /** They are over and nobody saw it, at this moment at the latest. */
  async endedUnseen(holds: readonly { id: number; at: string | null; hungUp: boolean }[]): Promise<void> {
    await prepared(
      this.db,
      `update holds h set ended_at = greatest(h.started_at, least(r.at, clock_timestamp())), hung_up = r."hungUp"
       from json_to_recordset(:told::json) as r(id bigint, at timestamptz, "hungUp" boolean)
       where h.id = r.id and h.node = :node and h.ended_at is null`,
      { node: this.node, told: JSON.stringify(holds) },
    );
  }
}

const told = `
  with told as (
    select r.*, clock_timestamp() - make_interval(secs => r."startedAgo") as started,
      clock_timestamp() - make_interval(secs => r."endedAgo") as ended
    from json_to_recordset(:told::json) as r(channel text, call text, team text, extension text, endpoint text, kind text,
      "startedAgo" double precision, "endedAgo" double precision, "hungUp" boolean, "row" bigint, after bigint)
  ), changed as (
    -- The first word of its end stays; begun may it have been by the word of another server.
    update holds h set kind = case when told.kind = 'consult' then told.kind else h.kind end,
      ended_at = coalesce(h.ended_at, case when told.ended is not null then greatest(told.ended, h.started_at) end),
      hung_up = case when h.ended_at is null then told."hungUp" else h.hung_up end
    from told where h.node = :node and h.channel = told.channel
      and (h.id = told."row" or told."row" is null and h.ended_at is null)
    returning h.channel, h.id
  ), made as (
    insert into holds (team_id, node, call, channel, extension_id, agent_id, kind, started_at, ended_at, hung_up)
    select x.team_id, :node, told.call, told.channel, x.id, i.agent_id, told.kind, m.at,
      case when told.ended is not null then greatest(told.ended, m.at) end, told."hungUp"
    from told
    -- Each has an index of its own; put together they have none.
    left join teams t on t.identity = told.team and t.node = :node
    left join extensions n on n.team_id = t.id and n.number = told.extension and n.removed_at is null
    left join extensions e on e.endpoint_node = :node and e.endpoint = told.endpoint and e.removed_at is null
    join lateral (select coalesce(n.id, e.id) as id, coalesce(n.team_id, e.team_id) as team_id) x on x.id is not null
    -- Read off another clock, two may overlap by the time that a statement takes.
    cross join lateral (select greatest(told.started,
      (select b.ended_at from holds b where b.id = told.after and b.channel = told.channel)) as at) m
    left join lateral (
      select i.agent_id from sign_ins i
      where i.extension_id = x.id and i.signed_in_at <= m.at and (i.signed_out_at is null or i.signed_out_at > m.at)
      order by i.id desc limit 1) i on true
    where told."row" is null and not exists (select from changed c where c.channel = told.channel)
      and not exists (select from holds o where o.node = :node and o.channel = told.channel
        and o.id is distinct from told.after and (o.ended_at is null or o.ended_at > told.started))
    on conflict do nothing
    returning channel, id
  )
  select channel, id from changed union all select channel, id from made`;

/**
 * SQL: how long the others of a call were on hold in a time, whoever held it, each second once, and one in which
 * somebody was asked meanwhile as that. Columns `hold` and `consult`, in whole seconds, and `pieces`: 0 if there is nothing.
 * `which` narrows `h`, the table of holds; from `begun` until `over`, SQL, neither of them null.
 */
export const heldWithin = (which: string, begun: string, over: string): string => `
  select coalesce(round(sum(extract(epoch from upper(r) - lower(r))) filter (where not p.asked)), 0)::integer as hold,
    coalesce(round(sum(extract(epoch from upper(r) - lower(r))) filter (where p.asked)), 0)::integer as consult,
    count(*) as pieces
  from (
    select coalesce(range_agg(d.during) filter (where d.kind = 'hold'), '{}'::tstzmultirange)
        - coalesce(range_agg(d.during) filter (where d.kind = 'consult'), '{}'::tstzmultirange) as held,
      range_agg(d.during) filter (where d.kind = 'consult') as asked
    from (
      select h.kind, tstzrange(h.started_at, coalesce(h.ended_at, greatest(h.started_at, now())))
        * tstzrange(${begun}, greatest(${begun}, ${over})) as during
      from holds h where ${which}
    ) d
  ) s
  cross join lateral (
    select unnest(s.held) as r, false as asked union all select unnest(s.asked), true) p`;

/**
 * SQL: the time from the answer of a call `c` to its end, or so far, as talk, hold and consultation: columns `talkSeconds`,
 * `holdSeconds`, `consultSeconds`, which add up. All null: nobody has answered.
 */
export const secondsOfCall = (c: string): string => `
  select (whole.seconds - p.hold - p.consult)::integer as "talkSeconds", p.hold as "holdSeconds",
    p.consult as "consultSeconds"
  from (
    select greatest(0, round(extract(epoch from coalesce(${c}.ended_at, now()) - ${c}.answered_at))) as seconds
    where ${c}.answered_at is not null
  ) whole
  cross join lateral (
    select least(case when held.pieces = 0 then coalesce(${c}.hold_seconds, 0) else held.hold end, whole.seconds)::integer as hold,
      least(held.consult, whole.seconds)::integer as consult
    from (${heldWithin(`h.node = ${c}.node and h.call = ${c}.uniqueid and h.team_id = ${c}.team_id`, `${c}.answered_at`, `coalesce(${c}.ended_at, now())`)}) held
  ) p`;

/** Whether a phone has a call on hold, as far as was told. */
export async function isHeld(db: Queryable, node: string, channel: string): Promise<boolean> {
  const [row] = await prepared<{ held: boolean }>(
    db,
    `select exists (select from holds where node = ? and channel = ? and ended_at is null and kind = 'hold') as held`,
    [node, channel],
  );
  return row?.held === true;
}
