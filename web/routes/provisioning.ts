import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../domain/database/pool.js';
import { nounOf } from '../../domain/names.js';
import type { Noun } from '../../domain/provisioning/fields/description.js';
import { operationsNamed } from '../../domain/provisioning/every-noun.js';
import { behind, saysBehind } from '../../domain/provisioning/generations.js';
import { AnsweredBefore, keepAnswer, onlyOnce } from '../../domain/provisioning/operations/idempotency.js';
import { nouns } from '../../domain/provisioning/nouns/index.js';
import { pageOf } from '../../domain/provisioning/operations/page.js';
import { saysRemoved } from '../../domain/provisioning/operations/says-removed.js';
import { refuseOperatorsOwn } from '../../domain/provisioning/operations/teams-own.js';
import { actorOf } from '../doors.js';
import { afterOf, cursorOf, etagOf, fitting, ofTeam, repeatableOf, tagged } from '../provisioning-changes.js';
import { givenOf, keyIn, nothingToChange, withoutSecrets, type Given } from '../provisioning-values.js';
import { teamParams, wire } from '../schemas.js';
import { changedSchema, givenSchema, readSchema, removedSchema } from '../schemas/provisioning.js';

const usualPage = 100;
const largestPage = 500;

const thingParams = teamParams.extend({
  name: z
    .string()
    .max(150)
    .regex(/^\P{Cc}*$/u, 'no control characters'),
});
const page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(largestPage).default(usualPage),
  cursor: z.string().max(100).optional(),
});

/** A noun as a path has it: `ring-groups`, `number-classes`, `hours`. */
export const plural = (noun: string): string =>
  noun.endsWith('ss') ? `${noun}es` : noun.endsWith('s') ? noun : `${noun}s`;

/** Nouns that have routes of their own. */
export const elsewhere: ReadonlySet<string> = new Set(['webhook']);

/**
 * What is configured of a team, for its administrators: the nouns of the command line by their descriptions, with the same
 * functions, checks and messages. A noun that is described is here by itself.
 */
export const provisioningRoutes =
  (db: Database): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    for (const noun of nouns.filter(({ noun }) => !elsewhere.has(noun))) {
      const door = doorOf(app, db, noun);
      if (!door.isTeam) listRoute(door);
      showRoute(door);
      if (!door.isTeam && noun.verbs.add !== undefined) addRoute(door);
      setRoute(door);
      if (!door.isTeam && noun.verbs.remove !== undefined) removeRoute(door);
    }
    done();
  };

/** What the routes of a noun have in common. */
interface Door {
  app: FastifyInstance;
  db: Database;
  noun: Noun;
  operations: ReturnType<typeof operationsNamed>;
  word: string;
  /** Of the teams a token sees its own, which the path names already. */
  isTeam: boolean;
  /** The paths of all things of the noun, and of one. */
  all: string;
  one: string;
  params: z.ZodType;
  config: { role: 'administrator' };
  /** What the command line says at the end of a change, on stderr. */
  remarksOn: (team: string) => Promise<string[]>;
  /** Says in the log who has changed what. */
  note: (request: FastifyRequest, did: string, name: string) => void;
  /** Before the schema refuses what it does not have. */
  preValidation: (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => void;
}

function doorOf(app: FastifyInstance, db: Database, noun: Noun): Door {
  const isTeam = noun.owner === 'none';
  const all = `/teams/:team/provisioning/${isTeam ? noun.noun : plural(noun.noun)}`;
  return {
    app,
    db,
    noun,
    operations: operationsNamed(noun.noun),
    word: nounOf(noun.noun),
    isTeam,
    all,
    one: isTeam ? all : `${all}/:name`,
    params: isTeam ? teamParams : thingParams,
    config: { role: 'administrator' },
    remarksOn: async (team) => {
      if (!noun.inFiles) return [];
      // What was changed is changed, also when this cannot be asked any more.
      const says = await saysBehind(db, team).catch(() => behind);
      return says === undefined ? [] : [says];
    },
    note: (request, did, name) => {
      request.log.info({ by: actorOf(request), did, noun: noun.noun, name }, 'changed over HTTP');
    },
    preValidation: ({ body, params }, _reply, next) => {
      if (typeof body !== 'object' || body === null) {
        next();
        return;
      }
      const { name } = params as { name?: string };
      try {
        refuseOperatorsOwn(noun, name ?? keyIn(noun, body as Given), givenOf(noun, body as Given));
        next();
      } catch (error) {
        next(error as Error);
      }
    },
  };
}

/** Which thing a request is about, as the operations are asked for it. */
function thingOf(
  { isTeam }: Door,
  request: FastifyRequest,
): { team: string; of: string | null; name: string } {
  const { team, name = team } = request.params as { team: string; name?: string };
  return { team, of: isTeam ? null : team, name };
}

function listRoute({ app, db, noun, word, all, config }: Door): void {
  app.get(
    all,
    {
      config,
      schema: {
        summary: `${word}: ${noun.verbs.list}; over HTTP in the order in which they were made`,
        params: teamParams,
        querystring: page,
        response: { 200: z.object({ items: z.array(readSchema(noun)), next_cursor: z.string().nullable() }) },
      },
    },
    async ({ params, query }) => {
      const { limit, cursor } = query as z.infer<typeof page>;
      const { team } = params as { team: string };
      const { rows, next } = await pageOf(db, noun, team, { after: afterOf(noun.noun, cursor), limit });
      return wire({ items: rows, nextCursor: next === null ? null : cursorOf(noun.noun, next) });
    },
  );
}

function showRoute(door: Door): void {
  const { app, db, noun, operations, word, one, params, config } = door;
  app.get(
    one,
    {
      config,
      schema: { summary: `${word}: ${noun.verbs.show}`, params, response: { 200: readSchema(noun) } },
    },
    async (request, reply) => {
      const { of, name } = thingOf(door, request);
      const { row, version } = await operations.read(db, of, name);
      reply.header('etag', etagOf(version));
      return wire(row);
    },
  );
}

function addRoute(door: Door): void {
  const { app, db, noun, operations, word, all, config, remarksOn, note, preValidation } = door;
  app.post(
    all,
    {
      config,
      preValidation,
      schema: {
        summary: `${word}: ${noun.verbs.add ?? ''}`,
        params: teamParams,
        body: givenSchema(noun, 'add'),
        response: { 201: changedSchema(noun) },
      },
    },
    async (request, reply) => {
      const { team } = thingOf(door, request);
      const repeatable = repeatableOf(request);
      const name = keyIn(noun, request.body as Given);
      const answer = (row: object, version: string): void => {
        const kept = String((row as Given)[noun.key]);
        reply
          .code(201)
          .header('etag', etagOf(version))
          .header('location', `/v1${all.replace(':team', team)}/${encodeURIComponent(kept)}`);
      };
      try {
        let made = '';
        const row = await ofTeam(team, () =>
          operations.add(db, team, name, givenOf(noun, request.body as Given), {
            first: async (trx) => {
              if (repeatable) await onlyOnce(trx, repeatable);
            },
            last: async (trx, { row, version }) => {
              made = version;
              if (!repeatable) return;
              const kept = { ...withoutSecrets(noun, row), version };
              await keepAnswer(trx, repeatable, { status: 201, answer: kept });
            },
          }),
        );
        note(request, 'add', name);
        answer(row, made);
        return wire({ ...row, remarks: await remarksOn(team) });
      } catch (error) {
        if (!(error instanceof AnsweredBefore)) throw error;
        const { row, told, version } = error.before.answer as ReturnType<typeof withoutSecrets> & {
          version: string;
        };
        answer(row, version);
        reply.header('idempotent-replayed', 'true');
        return wire({ ...row, remarks: [...told, ...(await remarksOn(team))] });
      }
    },
  );
}

function setRoute(door: Door): void {
  const { app, db, noun, operations, word, one, params, config, remarksOn, note, preValidation } = door;
  app.patch(
    one,
    {
      config,
      preValidation,
      schema: {
        summary: `${word}: ${noun.verbs.set}`,
        params,
        body: givenSchema(noun, 'set'),
        response: { 200: changedSchema(noun) },
      },
    },
    async (request, reply) => {
      const { team, of, name } = thingOf(door, request);
      const given = givenOf(noun, request.body as Given);
      if (Object.keys(given).length === 0) throw nothingToChange(noun, name);
      const along = { ...tagged(reply), ...fitting(request) };
      const row = await ofTeam(team, () => operations.set(db, of, name, given, along));
      note(request, 'set', name);
      return wire({ ...row, remarks: await remarksOn(team) });
    },
  );
}

function removeRoute(door: Door): void {
  const { app, db, noun, operations, word, one, params, config, remarksOn, note } = door;
  app.delete(
    one,
    {
      config,
      schema: { summary: `${word}: ${noun.verbs.remove ?? ''}`, params, response: { 200: removedSchema } },
    },
    async (request) => {
      const { team, name } = thingOf(door, request);
      const along = fitting(request);
      const removed = await ofTeam(team, () => operations.remove(db, team, name, along));
      note(request, 'remove', name);
      return wire({
        noun: noun.noun,
        name,
        says: saysRemoved(noun, team, name, removed),
        ...(removed.record && { still: removed.record }),
        remarks: await remarksOn(team),
      });
    },
  );
}
