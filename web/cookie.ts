import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from './problems.js';

/** The cookie of a page that has logged in: EventSource cannot send a header. */
const name = 'star64';

/** The token of the cookie, if there is one. */
export function cookieToken({ headers: { cookie } }: FastifyRequest): string | undefined {
  for (const part of cookie?.split(';') ?? []) {
    const [key, value] = part.trim().split('=');
    if (key === name && value !== undefined && /^[A-Za-z0-9_-]{1,200}$/.test(value)) return value;
  }
  return undefined;
}

/** Gives the browser the token, for as long as it runs, out of reach of scripts and of other sites. */
export function setCookie(request: FastifyRequest, reply: FastifyReply, token: string): void {
  reply.header('set-cookie', `${name}=${token}; ${attributes(request)}`);
}

/** Takes the token from the browser. */
export function clearCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('set-cookie', `${name}=; ${attributes(request)}; Max-Age=0`);
}

const loopback = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?$/i;

/** `Secure` everywhere but on plain HTTP of this machine, where browsers would not keep the cookie. */
function attributes({ protocol, host }: FastifyRequest): string {
  const plain = protocol === 'http' && loopback.test(host);
  return `HttpOnly; SameSite=Strict; Path=/${plain ? '' : '; Secure'}`;
}

/**
 * Refuses what another site may have had a browser do with its cookie. Browsers say which site asks by Sec-Fetch-Site, where
 * the connection is one that they trust, and by Origin in any case.
 *
 * @throws Refusal `cross_site`.
 */
export function requireSameOrigin({ headers, host }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  if (site === undefined ? originHost(headers.origin) === host : site === 'same-origin') return;
  throw new Refusal(
    403,
    'cross_site',
    'with a cookie only pages of this address may do this: send Sec-Fetch-Site: same-origin, or an Origin that is the Host',
  );
}

function originHost(origin: string | undefined): string | undefined {
  try {
    return origin === undefined ? undefined : new URL(origin).host;
  } catch {
    return undefined;
  }
}
