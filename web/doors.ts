import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Database } from '../domain/database/pool.js';
import { isLimited, requireReach, type Named } from '../domain/monitor/reach.js';
import {
  apiRoles,
  principalOf,
  type ApiRole,
  type Principal,
} from '../domain/provisioning/people/principal.js';
import { unknown } from '../domain/names.js';
import { cookieToken, requireSameOrigin } from './cookie.js';
import { Refusal } from './problems.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any handler of a route that has a team runs. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** The least that the holder of the token has to be; without it the route is open to everybody. */
    role?: Exclude<ApiRole, 'agent'>;
    /** It is also open to agents, as far as `:agent`, `:group` and `:call` of its path are theirs (domain/monitor/reach.ts). */
    agent?: 'own';
    /**
     * The path has none of `:agent`, `:group`, `:call`, and the handler itself leaves out what is not of an agent or of who is
     * limited to groups (`principal.agent`, `principal.groups`). Without it these are not let in.
     */
    limits?: true;
  }
}

/** The token of `Authorization: Bearer …`, or else of the cookie; it is never read from the address, which logs and histories keep. */
const bearer = /^Bearer +([A-Za-z0-9_-]{1,200}) *$/i;

/**
 * Lets a request in that has a token which opens this route, by the database as it is now: one that was taken away opens
 * nothing from the next request on. A team that is not the token's is answered like one that there is not.
 */
export async function enter(
  db: Database,
  guesses: Guesses,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { role } = request.routeOptions.config;
  if (role === undefined) return;
  const given = request.headers.authorization;
  const cookie = given === undefined ? cookieToken(request) : undefined;
  if (given === undefined && cookie === undefined)
    throw new Refusal(401, 'token_wanted', 'send a token as `Authorization: Bearer …` (star64 token add)');
  if (cookie !== undefined && !isRead(request)) requireSameOrigin(request);
  const token = cookie ?? bearer.exec(given ?? '')?.[1];
  const wait = guesses.waitSeconds(request.ip, token);
  if (wait > 0) {
    reply.header('retry-after', wait);
    throw new Refusal(429, 'too_many_requests', `too many wrong tokens: try again in ${wait} s`);
  }
  const principal = token === undefined ? undefined : await principalOf(db, token);
  guesses.tried(request.ip, token, principal !== undefined);
  if (!principal)
    throw new Refusal(
      401,
      'token_unknown',
      'the token opens nothing: it has ended, was taken away, or never was one',
    );
  await admit(db, request, principal);
  request.principal = principal;
}

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD';

/** Refuses somebody whom this route is not for. @throws Refusal `role_wanted`, Star64Error `unknown`, `unknown_call`. */
async function admit(db: Database, request: FastifyRequest, principal: Principal): Promise<void> {
  const { role = 'administrator', agent, limits } = request.routeOptions.config;
  const { team, ...named } = request.params as { team?: string } & Named;
  if (team !== undefined && team !== principal.team) throw unknown('team', null, team);
  const { kind, name } = principal;
  const refuse = (why: string): Refusal => new Refusal(403, 'role_wanted', `${kind} ${name} ${why}`);
  if (kind === 'agent' ? agent !== 'own' : apiRoles.indexOf(principal.role) < apiRoles.indexOf(role))
    throw refuse(
      kind === 'agent'
        ? "may not do this: it is no agent's"
        : `is ${principal.role}: this needs the role ${role}`,
    );
  if (!isLimited(principal) || limits) return;
  if (named.agent === undefined && named.group === undefined && named.call === undefined)
    throw refuse('is limited to some groups: this is of the whole team');
  await requireReach(db, principal, named, { now: !isRead(request) });
}

/** Who asks, on a route that wants a token. */
export function principalOn({ principal }: FastifyRequest): Principal {
  if (!principal) throw new Error('a route without a role has no principal');
  return principal;
}

/**
 * Wrong tokens by address: who has sent as many within a minute as may be sent is told so, and the database is asked nothing.
 * Behind a proxy everybody has one address: tokens that have opened something are asked for nevertheless.
 */
export class Guesses {
  readonly #wrong = new Map<string, { count: number; until: number }>();
  readonly #right = new Set<string>();

  constructor(private readonly perMinute: number) {}

  /** Seconds after which the address may try this token; 0: now. */
  waitSeconds(address: string, token: string | undefined): number {
    const wrong = this.#wrong.get(address);
    const leftMs = (wrong?.until ?? 0) - performance.now();
    if (leftMs <= 0 || (wrong?.count ?? 0) < this.perMinute) return 0;
    return token !== undefined && this.#right.has(digest(token)) ? 0 : Math.ceil(leftMs / 1000);
  }

  /** What has come of a token that was sent. */
  tried(address: string, token: string | undefined, opens: boolean): void {
    if (opens && token !== undefined) {
      this.#right.add(digest(token));
      dropOldest(this.#right);
      return;
    }
    if (token !== undefined) this.#right.delete(digest(token));
    const now = performance.now();
    const wrong = this.#wrong.get(address);
    if (wrong && wrong.until > now) wrong.count++;
    else {
      this.#wrong.delete(address);
      this.#wrong.set(address, { count: 1, until: now + 60_000 });
      dropOldest(this.#wrong);
    }
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('base64');

const mostKept = 10_000;
function dropOldest(kept: Set<string> | Map<string, unknown>): void {
  const [oldest] = kept.keys();
  if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
}

/** Who asks, by the name under which the database keeps who did something. */
export function actorOf(request: FastifyRequest): string {
  const { kind, name } = principalOn(request);
  return `api:${kind === 'machine' ? '' : `${kind} `}${name}:${request.id}`;
}
