import type { FastifyRequest } from 'fastify';
import type { Database } from '../domain/database/pool.js';
import { principalOf, type ApiRole, type Principal } from '../domain/provisioning/api-token.js';
import { unknown } from '../domain/names.js';
import { Refusal } from './problems.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any handler of a route that has a team runs. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** What the holder of the token has to be; without it the route is open to everybody. */
    role?: ApiRole;
  }
}

/** The token of `Authorization: Bearer …`; it is never read from the address, which logs and histories keep. */
const bearer = /^Bearer +([A-Za-z0-9_-]{1,200}) *$/i;

/**
 * Lets a request in that has a token which opens this route, by the database as it is now: one that was taken away opens
 * nothing from the next request on. A team that is not the token's is answered like one that there is not.
 */
export async function enter(db: Database, request: FastifyRequest): Promise<void> {
  const { role } = request.routeOptions.config;
  if (role === undefined) return;
  const given = request.headers.authorization;
  if (given === undefined)
    throw new Refusal(401, 'token_wanted', 'send a token as `Authorization: Bearer …` (star64 token add)');
  const token = bearer.exec(given)?.[1];
  const principal = token === undefined ? undefined : await principalOf(db, token);
  if (!principal)
    throw new Refusal(
      401,
      'token_unknown',
      'the token opens nothing: it has ended, was taken away, or never was one',
    );
  const { team } = request.params as { team?: string };
  if (team !== undefined && team !== principal.team) throw unknown('team', null, team);
  if (role === 'supervisor' && principal.role !== 'supervisor')
    throw new Refusal(
      403,
      'role_wanted',
      `the token ${principal.name} may only read: this needs the role supervisor`,
    );
  request.principal = principal;
}

/** Who asks, by the name under which the database keeps who did something. */
export const actorOf = ({ principal, id }: FastifyRequest): string => `api:${principal?.name ?? '?'}:${id}`;
