import { createHook } from 'node:async_hooks';
import { randomBytes, scryptSync } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Database } from '../../../domain/database/pool.js';

/** Logs in at the API, from an address. */
export const logIn = (
  web: FastifyInstance,
  body: object,
  from = '10.0.0.1',
  headers: Record<string, string> = {},
) => web.inject({ method: 'POST', url: '/v1/tokens', body, remoteAddress: from, headers });

/** The token of a login that succeeds. */
export async function tokenBy(web: FastifyInstance, body: object): Promise<string> {
  const answer = await logIn(web, body);
  if (answer.statusCode !== 201) throw new Error(`the login came to ${answer.body}`);
  return answer.json<{ token: string }>().token;
}

/** How many passwords are hashed while something is done: whether one was, no clock need tell. */
export async function hashesDuring(work: () => Promise<unknown>): Promise<number> {
  let hashes = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'SCRYPTREQUEST') hashes++;
    },
  }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return hashes;
}

/** Gives somebody a password whose hash costs nothing: the real ones take long on purpose. */
export async function givePassword(
  db: Database,
  who: { agents: string } | { users: string },
  password: string,
): Promise<void> {
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 64, r: 8, p: 1 });
  const stored = ['scrypt', 64, 8, 1, salt.toString('base64'), hash.toString('base64')].join('$');
  const changed = await (
    'agents' in who ? db('agents').where({ number: who.agents }) : db('users').where({ username: who.users })
  ).update({ password_hash: stored });
  if (changed !== 1) throw new Error(`${changed} rows have got a password`);
}
