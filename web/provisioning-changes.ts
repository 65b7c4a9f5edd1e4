import type { FastifyReply, FastifyRequest } from 'fastify';
import { Star64Error } from '../domain/errors.js';
import type { Along } from '../domain/provisioning/operations/along.js';
import type { Repeatable } from '../domain/provisioning/operations/idempotency.js';
import { withoutOthers } from '../domain/provisioning/operations/teams-own.js';
import { principalOn } from './doors.js';
import { Refusal } from './problems.js';

/** A version as it goes over the wire (RFC 9110 8.8.3). */
export const etagOf = (version: string): string => `"${version}"`;

/** Has the answer of a change say the version that it has made. */
export const tagged = (reply: FastifyReply): Along => ({
  last: (_trx, { version }) => {
    reply.header('etag', etagOf(version));
    return Promise.resolve();
  },
});

/** What `If-Match` wants of a change: one of these versions; `*` and no header want none. @throws Refusal `bad_request` */
export function fitting({ headers }: FastifyRequest): Along {
  const given = headers['if-match'];
  if (given === undefined || given.trim() === '*') return {};
  // A weak one never matches.
  if (!/^\s*(W\/)?"[^"]*"\s*(,\s*(W\/)?"[^"]*"\s*)*$/.test(given))
    throw new Refusal(400, 'bad_request', 'If-Match must be the ETag of an answer, in quotes, or *');
  const wanted = given.split(',').map((tag) => tag.trim());
  return { fits: (version) => wanted.includes(etagOf(version)) };
}

/** What a request with an `Idempotency-Key` may be repeated by. @throws Refusal `bad_request` */
export function repeatableOf(request: FastifyRequest): Repeatable | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{16,200}$/.test(key))
    throw new Refusal(
      400,
      'bad_request',
      'Idempotency-Key must be one word of 16 to 200 characters of ASCII that nobody guesses, for example a UUID',
    );
  const { method, url, body } = request;
  return { token: principalOn(request).id, key, request: JSON.stringify([method, url, body]) };
}

/** Runs a change of a team; what it is refused for names nothing of another team. */
export async function ofTeam<T>(team: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Star64Error ? withoutOthers(error, team) : error;
  }
}

/** Where a page begins, as a client is given it. It says nothing to them. */
export const cursorOf = (noun: string, after: number): string =>
  Buffer.from(`${noun} ${after}`).toString('base64url');

/** The id behind which a page begins; 0 for the first one. @throws Refusal `invalid_request` */
export function afterOf(noun: string, cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const found = /^([a-z-]+) ([0-9]{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (found?.[1] === noun) return Number(found[2]);
  throw new Refusal(
    422,
    'invalid_request',
    'cursor is none of this list: take next_cursor of the page before',
  );
}
