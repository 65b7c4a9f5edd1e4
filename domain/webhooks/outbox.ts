import { prepared, type Queryable } from '../database/pool.js';
import { jsonText } from '../json-text.js';
import { toEvent, type EventRow } from '../monitor/events.js';

/** A message that is to be sent now, by whoever has claimed it. */
export interface Message {
  /** Of the delivery. */
  id: number;
  /** Which try this is of all ever: whoever claims it after this one has a larger number. */
  claim: number;
  /** Which try it is since it was made, or was last to be sent anew, from 1. */
  tries: number;
  webhookId: number;
  team: string;
  webhook: string;
  url: string;
  /** Those that count, the newest first. */
  secrets: string[];
  /** `webhook-id`. */
  message: string;
  type: string;
  /** Undefined: the event is no longer kept. */
  body: string | undefined;
}

type Row = Omit<Message, 'secrets' | 'body'> & {
  secret: string;
  oldSecret: string | null;
  at: Date;
  event: number | null;
  row: EventRow | null;
};

export interface ClaimOptions {
  /** Webhooks whose last answer was a good and quick one, or the others. */
  quick: boolean;
  /** Messages at most, in all and of one webhook. */
  most: number;
  mostOfOne: number;
  /** How many the process is sending already, by id of the webhook. */
  busy: Readonly<Record<number, number>>;
  /** Another process may take them after this, should this one have died. */
  leaseSeconds: number;
}

/**
 * Claims messages that are due, those of the webhook first whose turn was longest ago, good or not: a claim is its turn. One
 * statement: nothing is locked once it has answered, and no message is with two processes at once while its lease lasts.
 */
export async function claimMessages(
  db: Queryable,
  { quick, most, mostOfOne, busy, leaseSeconds }: ClaimOptions,
): Promise<Message[]> {
  const rows = await prepared<Row>(db, claimSql, {
    quick,
    most,
    mostOfOne,
    busy: JSON.stringify(busy),
    leaseSeconds,
  });
  return rows
    .sort((one, other) => one.id - other.id)
    .map(({ secret, oldSecret, at, event, row, ...message }) => ({
      ...message,
      secrets: oldSecret === null ? [secret] : [secret, oldSecret],
      body: event === null ? testBody(message, at) : row === null ? undefined : eventBody(row),
    }));
}

/** What is sent of an event: its envelope, and in `data` the line that the stream has. */
function eventBody(row: EventRow): string {
  const event = toEvent({ ...row, at: new Date(row.at) });
  return jsonText({ id: event.cursor, type: event.type, timestamp: event.at, team: event.team, data: event });
}

const testBody = (
  { message: id, team, webhook }: { message: string; team: string; webhook: string },
  at: Date,
) => jsonText({ id, type: 'webhook.test', timestamp: at, team, data: { team, webhook } });

const claimSql = `
  with chosen as (
    -- So that no more is locked than is claimed: of thousands of webhooks that fail a few have their turn.
    select w.id, w.tried_at, :mostOfOne::integer - coalesce((:busy::jsonb ->> w.id::text)::integer, 0) as room
    from webhooks w
    where w.enabled and w.quick = :quick::boolean and (w.rests_until is null or w.rests_until <= clock_timestamp())
      and coalesce((:busy::jsonb ->> w.id::text)::integer, 0) < :mostOfOne::integer
      and exists (select from webhook_deliveries d
        where d.webhook_id = w.id and d.state = 'due' and d.due_at <= clock_timestamp())
    -- Of one of which another process claims at this moment, or says what came of a message, it is not the turn.
    order by w.tried_at nulls first, w.id limit :most::integer for no key update skip locked
  ), picked as (
    select d.id from chosen w cross join lateral (
      select d.id from webhook_deliveries d
      where d.webhook_id = w.id and d.state = 'due' and d.due_at <= clock_timestamp()
      order by d.due_at, d.id limit w.room for update skip locked
    ) d
    order by w.tried_at nulls first, w.id, d.id limit :most::integer
  ), claimed as (
    update webhook_deliveries d set due_at = clock_timestamp() + make_interval(secs => :leaseSeconds),
      tries = d.tries + 1, claim = d.claim + 1, tried_at = clock_timestamp()
    from picked where d.id = picked.id
    returning d.id, d.claim, d.tries, d.webhook_id, d.message, d.type, d.at, d.era, d.xid, d.event
  ), turned as (
    update webhooks w set tried_at = clock_timestamp() where w.id in (select webhook_id from claimed)
  )
  select c.id, c.claim, c.tries, c.webhook_id as "webhookId", t.identity as team, w.name as webhook, w.url, w.secret,
    case when w.old_secret_until > clock_timestamp() then w.old_secret end as "oldSecret",
    c.message, c.type, c.at, c.event,
    (select json_build_object('era', e.era, 'xid', e.xid, 'id', e.id, 'at', e.at, 'type', e.type, 'data', e.data)
     from events e where e.era = c.era and e.xid = c.xid and e.id = c.event) as row
  from claimed c join webhooks w on w.id = c.webhook_id join teams t on t.id = w.team_id`;

/**
 * Whether a message is due that can be sent: cheap, however many webhooks there are. Only what waits for one that is disabled
 * or wants to be left alone has each webhook looked at.
 */
export async function anyDue(db: Queryable): Promise<boolean> {
  const [row] = await prepared<{ due: boolean }>(
    db,
    `select exists (select from webhook_deliveries where state = 'due' and due_at <= clock_timestamp())
       and exists (select from webhooks w where w.enabled and (w.rests_until is null or w.rests_until <= clock_timestamp())
         and exists (select from webhook_deliveries d
           where d.webhook_id = w.id and d.state = 'due' and d.due_at <= clock_timestamp())) as due`,
  );
  return row?.due === true;
}

type Claimed = Pick<Message, 'id' | 'claim' | 'webhookId'>;

/** The receiver has taken a message. `quick`: soon enough to be sent several at a time. */
export async function noteDelivered(
  db: Queryable,
  { id, claim, webhookId }: Claimed,
  { status, quick }: { status: number; quick: boolean },
): Promise<void> {
  await prepared(
    db,
    `with done as (
       update webhook_deliveries set state = 'delivered', status = :status, error = null
       where id = :id and claim = :claim and state = 'due'
     )
     -- Most find the webhook as it was, and write nothing: the row would be locked for each message.
     update webhooks set failing_since = null, rests_until = null, quick = :quick,
       tried_at = clock_timestamp()
     where id = :webhookId and (failing_since is not null or quick <> :quick or not quick)`,
    { id, claim, webhookId, status, quick },
  );
}

export interface Failure {
  /** Of the answer; null: there was none. */
  status: number | null;
  /** In a few words of ours. */
  error: string;
  /** When it is tried again; null: never. */
  againSeconds: number | null;
  /** For how long the receiver wants nothing at all. */
  restSeconds: number | null;
  /** It has said that it is no longer there. */
  gone: boolean;
}

/** A message was not taken. A webhook that has done nothing but fail for `failureDays`, or is gone, is disabled. */
export async function noteFailed(
  db: Queryable,
  { id, claim, webhookId }: Claimed,
  { status, error, againSeconds, restSeconds, gone }: Failure,
  failureDays = 5,
): Promise<void> {
  await prepared(
    db,
    `with noted as (
       update webhook_deliveries set status = :status::integer, error = :error,
         state = case when :againSeconds::double precision is null then 'dead' else 'due' end,
         due_at = clock_timestamp() + make_interval(secs => coalesce(:againSeconds::double precision, 0))
       where id = :id and claim = :claim and state = 'due'
     )
     update webhooks w set quick = false, tried_at = clock_timestamp(),
       failing_since = coalesce(failing_since, clock_timestamp()),
       rests_until = coalesce(clock_timestamp() + make_interval(secs => :restSeconds::double precision), rests_until),
       enabled = enabled and disabling.why is null,
       disabled_for = case when enabled then disabling.why else disabled_for end
     from (select case when :gone::boolean then 'gone'
         when failing_since < clock_timestamp() - make_interval(days => :failureDays) then 'failures' end as why
       from webhooks where id = :webhookId) as disabling
     where w.id = :webhookId`,
    { id, claim, webhookId, status, error, againSeconds, restSeconds, gone, failureDays },
  );
}

/** What was to be sent is no longer kept, which says nothing of the receiver. */
export async function noteLost(db: Queryable, { id, claim }: Claimed, error: string): Promise<void> {
  await prepared(
    db,
    `update webhook_deliveries set state = 'dead', status = null, error = :error
     where id = :id and claim = :claim and state = 'due'`,
    { id, claim, error },
  );
}

/** Gives back what was claimed and could not be tried to its end: another process takes it at once. */
export async function giveBack(db: Queryable, claimed: readonly Claimed[]): Promise<void> {
  for (const { id, claim } of claimed)
    await prepared(
      db,
      `update webhook_deliveries set due_at = clock_timestamp(), tries = tries - 1
       where id = :id and claim = :claim and state = 'due'`,
      { id, claim },
    );
}

/** Removes deliveries as old as the events that are removed. Returns how many; call it again for as long as there are many. */
export async function removeOldDeliveries(db: Queryable, keptDays = 7, piece = 5000): Promise<number> {
  const [row] = await prepared<{ gone: number }>(
    db,
    `with gone as (
       delete from webhook_deliveries where id in (
         select id from webhook_deliveries where made_at < clock_timestamp() - make_interval(days => :keptDays)
         order by made_at limit :piece) returning 1)
     select count(*)::integer as gone from gone`,
    { keptDays, piece },
  );
  return row?.gone ?? 0;
}
