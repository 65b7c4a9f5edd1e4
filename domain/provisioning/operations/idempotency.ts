import { createHash, createHmac } from 'node:crypto';
import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';

/** A request that may be sent more than once and is to be done once: whose it is, by which key, and what it says. */
export interface Repeatable {
  /** Id of the token of who asks. */
  readonly token: number;
  readonly key: string;
  /** Method, path and body. */
  readonly request: string;
}

/** What was answered. */
export interface Answer {
  readonly status: number;
  /** Without secrets: it is kept. */
  readonly answer: object;
}

const keptHours = 24;
/** So many that have ended are deleted along with each new one: more go than come. */
const pruned = 20;

/** Thrown out of the transaction of a change that was done before. */
export class AnsweredBefore extends Error {
  constructor(readonly before: Answer) {
    super('this request was answered before');
  }
}

const keyHash = ({ key }: Repeatable): string => createHash('sha256').update(key).digest('hex');
const requestHash = ({ key, request }: Repeatable): string =>
  createHmac('sha256', key).update(request).digest('hex');

/**
 * First in the transaction of a change: nobody else does what has this key until it ends, and nobody waits for it.
 *
 * @throws AnsweredBefore if it was done within the last 24 h; Star64Error `key_in_use` while the first request runs,
 * `key_reused` for a key that came with another request.
 */
export async function onlyOnce(trx: Queryable, repeatable: Repeatable): Promise<void> {
  const hash = keyHash(repeatable);
  const { rows } = await trx.raw<{ rows: { mine: boolean }[] }>(
    'select pg_try_advisory_xact_lock(hashtextextended(?, ?)) as mine',
    [hash, repeatable.token],
  );
  if (!rows[0]?.mine)
    throw fail('key_in_use', {
      says: 'a request with this Idempotency-Key is still being answered',
      remedy: { text: 'send it again in a moment' },
    });
  const kept = await trx('idempotency_keys')
    .where({ token_id: repeatable.token, key_hash: hash })
    .whereRaw(`made_at > clock_timestamp() - make_interval(hours => ?)`, [keptHours])
    .first<(Answer & { request_hash: string }) | undefined>('request_hash', 'status', 'answer');
  if (!kept) return;
  if (kept.request_hash !== requestHash(repeatable))
    throw fail('key_reused', {
      says: 'this Idempotency-Key was sent before, with another request',
      remedy: { text: 'make a new key for each thing that is to be done' },
    });
  throw new AnsweredBefore({ status: kept.status, answer: kept.answer });
}

/** Last in that transaction: keeps what is answered. Some of those that have ended go. */
export async function keepAnswer(
  trx: Queryable,
  repeatable: Repeatable,
  { status, answer }: Answer,
): Promise<void> {
  await trx.raw(
    `delete from idempotency_keys where ctid = any(array(
       select ctid from idempotency_keys where made_at < clock_timestamp() - make_interval(hours => :keptHours)
       order by made_at limit :pruned for update skip locked))`,
    { keptHours, pruned },
  );
  await trx.raw(
    `insert into idempotency_keys (token_id, key_hash, request_hash, status, answer)
     values (:token, :key, :request, :status, :answer)
     on conflict (token_id, key_hash) do update set request_hash = excluded.request_hash, status = excluded.status,
       answer = excluded.answer, made_at = clock_timestamp()`,
    {
      token: repeatable.token,
      key: keyHash(repeatable),
      request: requestHash(repeatable),
      status,
      answer: JSON.stringify(answer),
    },
  );
}
