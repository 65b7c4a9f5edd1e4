import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** What a page of another origin reads of an answer beside its body; browsers hide the other headers. */
const exposed = [
  'etag',
  'location',
  'idempotent-replayed',
  'retry-after',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
];

/** Seconds for which a browser need not ask again what it may send. What it may read is said with each answer. */
const preflightSeconds = 600;

/**
 * Lets pages of these origins use `/v1` from a browser (the CORS protocol of the Fetch standard), with a token that they
 * send themselves: the cookie of our own pages is never theirs, since nothing allows credentials. To be called before
 * anything asks for a token: a browser sends none with its question what it may send, and a refusal is to be read, too.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  const options = {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'if-match', 'idempotency-key', 'last-event-id'],
    exposedHeaders: exposed,
    maxAge: preflightSeconds,
    // An OPTIONS that is no such question has the same empty answer, and not a refusal in a form of its own.
    strictPreflight: false,
  };
  await app.register(cors, {
    hook: 'onRequest',
    delegator: ({ url }, done) => {
      done(null, url.startsWith('/v1/') ? options : { origin: false });
    },
  });
}

/** What was set for this answer so far, for one that is written past Fastify. */
export const headersOf = (reply: FastifyReply): Record<string, number | string | string[]> =>
  Object.fromEntries(
    Object.entries(reply.getHeaders()).filter(
      (entry): entry is [string, number | string | string[]] => entry[1] !== undefined,
    ),
  );
