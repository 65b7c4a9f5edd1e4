import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { ForbiddenAddress, type Addresses } from './addresses.js';

/** What came of sending a message. */
export interface Outcome {
  /** HTTP status of the answer; null: there was none. */
  status: number | null;
  /** Why it was not taken, in a few words of ours; null: it was. */
  error: string | null;
  /** `Retry-After`, in seconds. */
  retryAfter: number | null;
}

export interface PostLimits {
  /** The answer's headers must have come by then, from the name's resolution on. */
  deadlineMs: number;
  /** What of an answer's body is read at most, and for how long: only so that the receiver does not see a broken connection. */
  mostBytes: number;
  bodyMs: number;
}

export const postLimits: PostLimits = { deadlineMs: 15_000, mostBytes: 16_384, bodyMs: 1000 };

/**
 * Sends a message on a connection of its own. Never throws: whatever the receiver does is an outcome. A redirect is a
 * failure, since it would lead past the check of the address. Resolves when the connection is over.
 */
export function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  addresses: Addresses,
  { signal, limits = postLimits }: { signal?: AbortSignal; limits?: PostLimits } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome: Outcome | undefined;
    const failed = (error: string): Outcome => ({ status: null, error, retryAfter: null });
    const to = new URL(url);
    try {
      addresses.checkHost(to.hostname);
    } catch (error) {
      resolve(failed(whyOf(error as Error)));
      return;
    }
    const request = (to.protocol === 'https:' ? requestSecure : requestPlain)(to, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      lookup: addresses.lookup,
      // A connection that was kept open would be to an address that was checked for another message.
      agent: false,
      maxHeaderSize: 16_384,
      ...(signal && { signal }),
    });
    const late = setTimeout(() => {
      outcome ??= failed(`no answer within ${limits.deadlineMs / 1000} s`);
      request.destroy();
    }, limits.deadlineMs);
    request.on('response', (response: IncomingMessage) => {
      clearTimeout(late);
      outcome = outcomeOf(response);
      let bytes = 0;
      const enough = setTimeout(() => request.destroy(), limits.bodyMs);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > limits.mostBytes) request.destroy();
      });
      response.on('error', () => undefined);
      response.once('close', () => clearTimeout(enough));
    });
    request.on('error', (error) => {
      outcome ??= failed(whyOf(error));
    });
    request.once('close', () => {
      clearTimeout(late);
      resolve(outcome ?? failed('connection closed without an answer'));
    });
    request.end(body);
  });
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): Outcome {
  const taken = statusCode >= 200 && statusCode < 300;
  const redirect = statusCode >= 300 && statusCode < 400;
  return {
    status: statusCode,
    error: taken ? null : redirect ? `redirect ${statusCode}, which is not followed` : `status ${statusCode}`,
    retryAfter: taken ? null : secondsOf(headers['retry-after']),
  };
}

const dayS = 86_400;

/** `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3): a day at most. */
function secondsOf(value: string | undefined): number | null {
  if (value === undefined) return null;
  const seconds = /^[0-9]{1,9}$/.test(value)
    ? Number(value)
    : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isNaN(seconds) || seconds <= 0 ? null : Math.min(seconds, dayS);
}

const known: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed without an answer',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'no such host',
  ENODATA: 'no such host',
  ESERVFAIL: 'name server does not answer',
  ETIMEOUT: 'name server does not answer',
  HPE_HEADER_OVERFLOW: 'headers of the answer too large',
};

function whyOf(error: NodeJS.ErrnoException): string {
  if (error instanceof ForbiddenAddress)
    return `${error.message}: web.webhook_networks in the settings allows it`;
  const code = error.code ?? error.name;
  if (code.startsWith('HPE_')) return known[code] ?? 'no HTTP answer';
  return known[code] ?? `failed (${code})`;
}
