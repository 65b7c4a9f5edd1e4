import type { Queryable } from './pool.js';

/** The channel on which a command, which has no connection to Asterisk, tells the running servers whom it has changed. */
export const agentChannel = 'star64_agents';
/** The channel on which the servers are told that a command to a call was given; the payload is the node. */
export const callCommandChannel = 'star64_call_commands';
/** Likewise that somebody asks from where phones have registered. */
export const phoneQuestionChannel = 'star64_phone_questions';

/** PostgreSQL takes up to 8000 bytes in one notification. */
const mostInOne = 500;
/** The largest id that the column can hold. */
const largestId = 2 ** 31 - 1;

/**
 * Tells the servers which sign-ins have begun, ended or changed: only the ids, since the database says the rest, and
 * only once the transaction is committed.
 */
export async function tellServers(trx: Queryable, signInIds: readonly number[]): Promise<void> {
  for (let from = 0; from < signInIds.length; from += mostInOne) {
    const ids = signInIds.slice(from, from + mostInOne);
    await trx.raw('select pg_notify(?, ?)', [agentChannel, ids.join(',')]);
  }
}

/** The ids in a notification; undefined for one that is not ours, since whoever reaches the database can send one. */
export function readTold(payload: string): number[] | undefined {
  if (!/^[0-9]{1,10}(,[0-9]{1,10})*$/.test(payload)) return undefined;
  const ids = payload.split(',').map(Number);
  return ids.every((id) => id <= largestId) ? ids : undefined;
}
