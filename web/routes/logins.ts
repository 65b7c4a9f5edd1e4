import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../domain/database/pool.js';
import { readDirectory } from '../../domain/monitor/directory.js';
import { readMe } from '../../domain/monitor/me.js';
import { networkOf, siteOf } from '../../domain/provisioning/people/login-lock.js';
import { endLogin, logIn, type Credentials } from '../../domain/provisioning/people/login.js';
import type { Principal } from '../../domain/provisioning/people/principal.js';
import { clearCookie, requireSameOrigin, setCookie } from '../cookie.js';
import { principalOn } from '../doors.js';
import { Gate } from '../gate.js';
import { Refusal } from '../problems.js';
import { teamParams, wire } from '../schemas.js';
import { directoryQuery, directorySchema, loggedInSchema, loginSchema, meSchema } from '../schemas/logins.js';

const everybody = { role: 'reader', agent: 'own', limits: true } as const;

/** Logging in and out with a password (spec 28), and who is logged in. `perMinute`: logins of one network. */
export const loginRoutes =
  (db: Database, perMinute: number): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    // As many as there are threads for hashes, less one for everything else.
    const gate = new Gate(3, 100, 60);
    app.post(
      '/tokens',
      {
        // Counted apart: whoever only looks takes nobody the login.
        config: { rateLimit: { max: perMinute, keyGenerator: ({ ip }) => siteOf(networkOf(ip)) } },
        schema: {
          summary: 'Log in: an agent by number, or a user by username, and password',
          description:
            'The token lasts 12 h after it was used last, and ends with another password. With cookie: true it comes as a cookie of this address instead, for a page. Wants no token.',
          body: loginSchema,
          response: { 201: loggedInSchema },
        },
      },
      async (request, reply) => {
        const { body } = request;
        if (body.cookie) requireSameOrigin(request);
        const network = networkOf(request.ip);
        const result = await gate.through(() => logIn(db, credentialsOf(body), network), siteOf(network));
        switch (result.outcome) {
          case 'wrong':
            throw new Refusal(
              401,
              'wrong_credentials',
              'there is no such account, or the password is another one',
            );
          case 'no-rights':
            throw new Refusal(403, 'role_wanted', 'this user administers neither the team nor a group of it');
          case 'locked':
            reply.header('retry-after', result.seconds);
            throw new Refusal(429, 'locked', `too many wrong passwords: try again in ${result.seconds} s`);
          case 'logged-in':
            if (body.cookie) setCookie(request, reply, result.token);
            reply.code(201);
            return wire({
              token: body.cookie ? null : result.token,
              expiresAt: result.expiresAt,
              ...shown(result.principal),
            });
        }
      },
    );
    app.delete(
      '/tokens/current',
      {
        config: everybody,
        schema: { summary: 'Log out: the token opens nothing from now on', response: { 204: z.null() } },
      },
      async (request, reply) => {
        await endLogin(db, principalOn(request).id);
        clearCookie(request, reply);
        return reply.code(204).send(null);
      },
    );
    app.get(
      '/me',
      {
        config: everybody,
        schema: {
          summary: 'Who is logged in, with which rights, and how they stand',
          description:
            'A stream of events that begins behind the cursor misses nothing of what comes after this answer.',
          response: { 200: meSchema },
        },
      },
      async (request) => {
        const principal = principalOn(request);
        return wire({ ...shown(principal), ...(await readMe(db, principal)) });
      },
    );
    app.get(
      '/teams/:team/directory',
      {
        config: everybody,
        schema: {
          summary: 'Whom one can call or consult within the team: names and numbers',
          description:
            '`q`: the beginning of a number, or some of a name. By name, so many as `limit` says (500; at most 1000); `cursor`: behind next_cursor of the piece before.',
          params: teamParams,
          querystring: directoryQuery,
          response: { 200: directorySchema },
        },
      },
      async (request) => {
        const { cursor, ...asked } = request.query;
        const { entries, next } = await readDirectory(db, principalOn(request), { ...asked, after: cursor });
        return wire({ items: entries, nextCursor: next });
      },
    );
    done();
  };

function credentialsOf({ team, agent, username, password }: z.infer<typeof loginSchema>): Credentials {
  if (agent !== undefined && username === undefined) return { team, agent, password };
  if (username !== undefined && agent === undefined) return { team, username, password };
  throw new Refusal(422, 'invalid_request', 'say who logs in: agent, with their number, or username');
}

const shown = ({ team, kind, name, role, agent, groups }: Principal) => ({
  team,
  kind,
  name,
  role,
  agent: agent ?? null,
  groups: groups ?? null,
});
