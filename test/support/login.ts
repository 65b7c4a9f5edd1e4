import { createHook } from 'node:async_hooks';
import type { FastifyInstance } from 'fastify';

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
