import { randomUUID } from 'node:crypto';
import type { Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { fail, notFound } from '../errors.js';
import { eventTypes } from '../event-types.js';
import { EventFeed } from '../monitor/event-feed.js';
import { checkWhole, quoted } from '../names.js';
import { change } from '../provisioning/operations/change.js';
import { webhook as description } from '../provisioning/nouns/webhook.js';
import { requireRow, type Stored } from '../provisioning/values/rows.js';
import { scopeOf } from '../provisioning/values/scope.js';

/** An event for a webhook, and what has become of it so far. */
export interface Delivery {
  id: number;
  webhook: string;
  /** `webhook-id`: the cursor of the event, or that of a test. */
  message: string;
  type: string;
  /** When it happened. */
  at: Date;
  /** `dead`: it was tried for the last time. */
  state: 'due' | 'delivered' | 'dead';
  tries: number;
  triedAt: Date | null;
  /** When it is tried next; null: not any more. */
  nextAt: Date | null;
  /** HTTP status of the last answer. */
  status: number | null;
  /** Why the last try failed. */
  error: string | null;
}

const columns = `d.id, w.name as webhook, d.message, d.type, d.at, d.state, d.tries, d.tried_at as "triedAt",
  case when d.state = 'due' then d.due_at end as "nextAt", d.status, d.error`;

/** In the words of the index of these alone (migration 0053): of a healthy webhook there are few among many. */
const isFailed = `d.state = 'dead' or d.state = 'due' and d.error is not null`;

/**
 * Deliveries of a team, or of one webhook of it, the newest first. `failed`: those that were not taken at their last try.
 * `before`: the page behind the delivery with this id.
 *
 * @throws Star64Error `unknown`, `usage` for a limit that is none.
 */
export function listDeliveries(
  db: Queryable,
  team: string,
  {
    webhook,
    failed = false,
    before,
    limit = 50,
  }: { webhook?: string; failed?: boolean; before?: number; limit?: number } = {},
): Promise<{ deliveries: Delivery[]; next: number | null }> {
  checkWhole('number of deliveries', { from: 1, to: 1000 }, limit);
  return withDatabaseErrors(async () => {
    const scope = await scopeOf(db, team);
    const own = webhook === undefined ? undefined : await requireRow(db, description, scope, webhook);
    const { rows } = await db.raw<{ rows: Delivery[] }>(
      `select ${columns} from webhook_deliveries d join webhooks w on w.id = d.webhook_id
       where d.team_id = :teamId ${own ? 'and d.webhook_id = :webhookId' : ''} ${before === undefined ? '' : 'and d.id < :before'}
         ${failed ? `and (${isFailed})` : ''}
       order by d.id desc limit :limit`,
      {
        teamId: scope.teamId,
        limit: limit + 1,
        ...(own && { webhookId: own.id }),
        ...(before !== undefined && { before }),
      },
    );
    const deliveries = rows.slice(0, limit);
    return { deliveries, next: rows.length > limit ? (deliveries.at(-1)?.id ?? null) : null };
  });
}

/**
 * Sends a delivery anew, from its first try on, whatever has become of it. `message` stays the same.
 *
 * @throws Star64Error `not_found` for an id that no delivery of the team has, `webhook_disabled`.
 */
export function redeliver(db: Queryable, team: string, id: number): Promise<Delivery> {
  return change(db, async (trx) => {
    const { teamId } = await scopeOf(trx, team);
    const { rows } = await trx.raw<{ rows: { webhookId: number; enabled: boolean; name: string }[] }>(
      `select d.webhook_id as "webhookId", w.enabled, w.name from webhook_deliveries d join webhooks w on w.id = d.webhook_id
       where d.team_id = :teamId and d.id = :id for update of d`,
      { teamId, id },
    );
    const [row] = rows;
    if (!row)
      throw notFound(
        `delivery ${id} does not exist in team ${team}, or is no longer kept: star64 webhook deliveries lists them.`,
      );
    requireEnabled(team, row);
    const { rows: now } = await trx.raw<{ rows: Delivery[] }>(
      `update webhook_deliveries d set ${anew} from webhooks w where w.id = d.webhook_id and d.id = :id returning ${columns}`,
      { id },
    );
    const [delivery] = now;
    if (!delivery) throw new Error('a delivery vanished under its lock');
    return delivery;
  });
}

/** Whoever is trying it now has another claim than the row then, and says no more what became of it. */
const anew = `state = 'due', due_at = clock_timestamp(), tries = 0, claim = d.claim + 1, status = null, error = null`;

/** What a piece of {@link redeliverSince} begins with. */
export type Stretch = { /** Ago. */ seconds: number } | { /** `next` of the piece before. */ after: string };

/** So many events of the past at most are gone through in one piece. */
const mostEvents = 5000;
/** A piece whose process has died holds others back for so long. */
const leaseSeconds = 30;

/**
 * Sends a webhook every event from a moment on that is kept and that it takes, also those that it was never sent because it
 * was disabled or not there yet; with `failedOnly` not those that it has taken. Goes through some thousands; `next` says
 * where to go on, null: nothing is left. Returns how many are sent.
 *
 * @throws Star64Error `unknown`, `webhook_disabled`, `webhook_busy` while another one of the webhook runs, `usage` for a time
 *   or cursor that is none, `cursor_too_old` for a cursor whose events are no longer kept.
 */
export function redeliverSince(
  db: Queryable,
  team: string,
  name: string,
  { failedOnly = false, most = mostEvents, ...from }: Stretch & { failedOnly?: boolean; most?: number },
): Promise<{ team: string; webhook: string; events: number; next: string | null }> {
  if ('seconds' in from)
    checkWhole('time since when, in seconds,', { from: 1, to: 31_536_000 }, from.seconds);
  return withDatabaseErrors(async () => {
    const row = await requireRow(db, description, await scopeOf(db, team), name);
    requireEnabled(team, { name, enabled: row['enabled'] === true });
    await takeTurn(db, team, name, row.id);
    try {
      const types = typesOf(row);
      const start = 'seconds' in from ? { sinceSeconds: from.seconds } : { after: from.after };
      const feed = await EventFeed.open(db, { team, types, ...start }, Math.min(500, most));
      let events = 0;
      let seen = 0;
      let more = true;
      // Piece by piece: what happened in a week is more than one statement should write.
      while (more && seen < most) {
        const { events: found, caughtUp } = await feed.next();
        events += await sendAnew(db, row, found, failedOnly);
        seen += found.length;
        more = !caughtUp;
      }
      return { team, webhook: name, events, next: more ? feed.cursor : null };
    } finally {
      // What cannot be given back is free after its time.
      await db
        .raw('update webhooks set redelivering_until = null where id = ?', [row.id])
        .catch(() => undefined);
    }
  });
}

/** @throws Star64Error `webhook_busy`. */
async function takeTurn(db: Queryable, team: string, name: string, id: number): Promise<void> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `update webhooks set redelivering_until = clock_timestamp() + interval '${leaseSeconds} seconds'
     where id = ? and (redelivering_until is null or redelivering_until <= clock_timestamp()) returning 1`,
    [id],
  );
  if (rows.length > 0) return;
  throw fail('webhook_busy', {
    noun: 'webhook',
    name,
    facts: { team },
    says: `webhook ${quoted(name)} of team ${team} is being sent what has happened anew already`,
    remedy: { text: 'wait until that is done, and try again' },
  });
}

function typesOf({ types }: Stored) {
  const named = typeof types === 'string' ? types.split(',') : eventTypes;
  return eventTypes.filter((type) => named.some((one) => one === type));
}

async function sendAnew(
  db: Queryable,
  row: Stored,
  events: readonly { cursor: string; type: string; at: Date }[],
  failedOnly: boolean,
): Promise<number> {
  if (events.length === 0) return 0;
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `insert into webhook_deliveries as d (team_id, webhook_id, message, type, at, era, xid, event)
     select :teamId, :webhookId, message, type, at, split_part(message, '-', 1)::integer,
       split_part(message, '-', 2)::bigint, split_part(message, '-', 3)::bigint
     from unnest(:messages::text[], :types::text[], :at::timestamptz[]) with ordinality as e (message, type, at, place)
     order by place
     on conflict on constraint webhook_deliveries_message_key do update set ${anew}
       where not :failedOnly::boolean or d.state <> 'delivered'
     returning 1`,
    {
      teamId: row['team_id'] as number,
      webhookId: row.id,
      messages: events.map(({ cursor }) => cursor),
      types: events.map(({ type }) => type),
      at: events.map(({ at }) => at),
      failedOnly,
    },
  );
  return rows.length;
}

/**
 * Has a webhook sent a message of type `webhook.test`, which is no event: only this webhook gets it, whatever types it takes.
 *
 * @throws Star64Error `unknown`, `webhook_disabled`.
 */
export function testWebhook(db: Queryable, team: string, name: string): Promise<Delivery> {
  return change(db, async (trx) => {
    const row = await requireRow(trx, description, await scopeOf(trx, team), name, { lock: 'for key share' });
    requireEnabled(team, { name, enabled: row['enabled'] === true });
    const { rows } = await trx.raw<{ rows: Delivery[] }>(
      `with d as (
         insert into webhook_deliveries (team_id, webhook_id, message, type, at)
         values (:teamId, :webhookId, :message, 'webhook.test', clock_timestamp()) returning *)
       select ${columns} from d join webhooks w on w.id = d.webhook_id`,
      { teamId: row['team_id'] as number, webhookId: row.id, message: `test-${randomUUID()}` },
    );
    const [delivery] = rows;
    if (!delivery) throw new Error('the database returned no row for a new delivery');
    return delivery;
  });
}

/** @throws Star64Error `not_found` for a delivery that is no longer kept. */
export function showDelivery(db: Queryable, team: string, id: number): Promise<Delivery> {
  return withDatabaseErrors(async () => {
    const { teamId } = await scopeOf(db, team);
    const { rows } = await db.raw<{ rows: Delivery[] }>(
      `select ${columns} from webhook_deliveries d join webhooks w on w.id = d.webhook_id
       where d.team_id = :teamId and d.id = :id`,
      { teamId, id },
    );
    const [delivery] = rows;
    if (delivery) return delivery;
    throw notFound(`delivery ${id} does not exist in team ${team}, or is no longer kept.`);
  });
}

function requireEnabled(team: string, { name, enabled }: { name: string; enabled: boolean }): void {
  if (enabled) return;
  throw fail('webhook_disabled', {
    noun: 'webhook',
    name,
    facts: { team },
    says: `webhook ${quoted(name)} of team ${team} is disabled, and is sent nothing`,
    remedy: {
      text: 'enable it first ({0})',
      steps: [{ noun: 'webhook', verb: 'set', name, options: '--enabled on', team }],
    },
  });
}
