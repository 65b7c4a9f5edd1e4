import type { Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { fail } from '../errors.js';
import { checkWhole } from '../names.js';
import { change } from './operations/change.js';
import type { Changes } from './fields/description.js';
import { discard } from './operations/discard.js';
import { webhook } from './nouns/webhook.js';
import { operationsOf, type Operations } from './operations/operations.js';
import { requireRow, type Stored } from './values/rows.js';
import { scopeOf, type Scope } from './values/scope.js';
import { newSecret } from '../webhook-secret.js';

/** Each event of a team is written once more for each of them, by the one process that does it for all teams. */
export const mostWebhooks = 20;

const operations = operationsOf(webhook, {
  check: ({ name, given }) => {
    if ((given.types as unknown) !== '') return;
    throw fail('required', {
      noun: 'webhook',
      name,
      facts: { field: 'types' },
      says: `webhook ${name} needs a type of events`,
      remedy: { text: 'name some, leave them away for all, or switch it off with --enabled off' },
    });
  },
  columns: async ({ trx, scope, given, before }) => {
    if (!before) await room(trx, scope);
    return columnsOf(trx, given, before);
  },
  after: ({ before, written }) => Promise.resolve(before ? undefined : { secret: written['secret'] }),
});

function columnsOf(trx: Queryable, given: Given, before: Stored | undefined): Record<string, unknown> {
  return {
    ...(!before && { secret: newSecret() }),
    ...(before &&
      given.enabled === true &&
      before['enabled'] === false && {
        active_since: trx.raw('clock_timestamp()'),
        disabled_for: null,
        failing_since: null,
        rests_until: null,
      }),
    // Another receiver: what the one before did says nothing of it.
    ...(before && given.url !== undefined && { quick: false, failing_since: null, rests_until: null }),
  };
}

/** @throws Star64Error `webhook_limit`. Of two that are added at once one waits for the other. */
async function room(trx: Queryable, { team, teamId }: Scope): Promise<void> {
  await trx.raw('select from teams where id = ? for no key update', [teamId]);
  const { rows } = await trx.raw<{ rows: unknown[] }>('select from webhooks where team_id = ? limit ?', [
    teamId,
    mostWebhooks,
  ]);
  if (rows.length < mostWebhooks) return;
  throw fail('webhook_limit', {
    noun: 'webhook',
    facts: { team, most: mostWebhooks },
    says: `team ${team ?? ''} has ${mostWebhooks} webhooks, and cannot have more`,
    remedy: {
      text: 'remove one that nobody needs ({0} lists them), or have one receiver pass events on',
      steps: [{ noun: 'webhook', verb: 'list', team }],
    },
  });
}

/** Webhooks of a team. The secret of a new one is in what `add` returns, and nowhere else. */
export const webhooks: Operations<Shown, Given> = {
  ...operations,
  remove: async (db, team, name, along) => {
    if (along?.first !== undefined || along?.last !== undefined)
      return operations.remove(db, team, name, along);
    // A week of a busy team's events would be one long transaction, so what was not sent goes before, in pieces. A version that
    // is wanted is looked at in the change that begins it all: who changes the webhook after that changes one that goes.
    if (along?.fits) await operations.set(db, team, name, { enabled: false }, { fits: along.fits });
    await withDatabaseErrors(async () => {
      const { id, team_id: teamId } = await requireRow(db, webhook, await scopeOf(db, team), name);
      await discard(db, 'webhook_deliveries', Number(teamId), { only: `and webhook_id = ${id}` });
    });
    return operations.remove(db, team, name);
  },
};

type Shown = Awaited<ReturnType<typeof operations.show>>;
type Given = Changes<typeof webhook>;
export type Webhook = Awaited<ReturnType<typeof webhooks.show>>;

/** So long messages are signed with both secrets, unless it is said otherwise. */
export const usualKeepSeconds = 86_400;

/**
 * Gives a webhook a new secret, which is told here and nowhere else. Messages are signed with the old one, too, for
 * `keepSeconds` (0: not at all, for a secret that others know).
 *
 * @throws Star64Error `unknown`, `usage` for a time that is none.
 */
export function rotateSecret(
  db: Queryable,
  team: string,
  name: string,
  keepSeconds: number = usualKeepSeconds,
): Promise<{ team: string; name: string; secret: string; oldSecretUntil: Date | null }> {
  checkWhole('time for which the old secret goes on, in seconds,', { from: 0, to: 30 * 86_400 }, keepSeconds);
  const secret = newSecret();
  return change(db, async (trx) => {
    const { id } = await requireRow(trx, webhook, await scopeOf(trx, team), name, {
      lock: 'for no key update',
    });
    const { rows } = await trx.raw<{ rows: { oldSecretUntil: Date | null }[] }>(
      `update webhooks set secret = :secret,
         old_secret = case when :keepSeconds::integer > 0 then secret end,
         old_secret_until = case when :keepSeconds::integer > 0 then clock_timestamp() + make_interval(secs => :keepSeconds) end
       where id = :id returning old_secret_until as "oldSecretUntil"`,
      { id, secret, keepSeconds },
    );
    return { team, name, secret, oldSecretUntil: rows[0]?.oldSecretUntil ?? null };
  });
}
