import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  commandCall,
  type CallCommandArguments,
  type CallCommandKind,
} from '../../domain/calls/commands/call-commands.js';
import { callDirections, listCalls } from '../../domain/calls/records/list.js';
import { extensionOfAgent } from '../../domain/calls/commands/supervise-command.js';
import { readStory } from '../../domain/calls/records/story.js';
import { storyForAgent } from '../../domain/calls/records/story-for-agent.js';
import type { Database } from '../../domain/database/pool.js';
import { requireReach } from '../../domain/monitor/reach.js';
import { actorOf, principalOn } from '../doors.js';
import { callParams, callSchema, commandSchema, short, storySchema, teamParams, wire } from '../schemas.js';

/** Who is in a call, or is to be: an extension, a number, `caller`. */
const number = z.string().regex(/^[0-9A-Za-z+*#._-]{1,40}$/, '1 to 40 letters, digits and + * # . _ -');
const filter = z.strictObject({
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  direction: z.string().max(20).optional().describe(callDirections.join(', ')),
  group: short.optional(),
  agent: short.optional(),
  did: short.optional(),
  caller: short.optional(),
  number: short.optional(),
  outcome: short.optional(),
  limit: z.coerce.number().int().optional(),
  cursor: z.coerce.number().int().nonnegative().optional(),
});

/** Calls, their stories, and what is done in one from outside it: the functions of `star64 call`. */
export const callRoutes =
  (db: Database): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.get(
      '/teams/:team/calls',
      {
        config: { role: 'reader', agent: 'own', limits: true },
        schema: {
          summary: 'Calls, the newest first',
          params: teamParams,
          querystring: filter,
          response: { 200: z.object({ items: z.array(callSchema), next_cursor: z.string().nullable() }) },
        },
      },
      async (request) => {
        const { params, query } = request;
        const { since, until, cursor, ...rest } = query;
        const principal = principalOn(request);
        await requireReach(db, principal, defined({ agent: query.agent, group: query.group }));
        const { agent, groups } = principal;
        const page = await listCalls(db, params.team, {
          ...defined(rest),
          ...(agent === undefined ? groups && { groups } : { agent }),
          // A number or name that is given to another today shows nothing of who had it.
          living: groups !== undefined,
          ...(since !== undefined && { since: new Date(since) }),
          ...(until !== undefined && { until: new Date(until) }),
          ...(cursor !== undefined && { before: cursor }),
        });
        const calls = agent === undefined ? page.calls : page.calls.map((call) => ({ ...call, payer: null }));
        return wire({ items: calls, nextCursor: page.next === null ? null : String(page.next) });
      },
    );
    app.get(
      '/teams/:team/calls/:call',
      {
        config: { role: 'reader', agent: 'own' },
        schema: {
          summary: 'The story of a call',
          description: 'To an agent without who listened, who pays and the recordings.',
          params: callParams,
          response: { 200: storySchema },
        },
      },
      async (request) => {
        const { team, call } = request.params;
        const story = await readStory(db, team, call);
        return wire(principalOn(request).agent === undefined ? story : storyForAgent(story));
      },
    );

    const command = <K extends CallCommandKind>(
      kind: K,
      summary: string,
      body: z.ZodType<CallCommandArguments[K] | null | undefined>,
    ): void => {
      app.post(
        `/teams/:team/calls/:call/${kind}`,
        {
          config: { role: 'supervisor', agent: 'own' },
          schema: { summary, params: callParams, body, response: { 200: commandSchema } },
        },
        async (request) => {
          const { team, call } = request.params;
          const given = { ...(request.body as object | null | undefined), ...(await ownPhone(db, request)) };
          await commandCall(db, team, call, {
            kind,
            given: given as CallCommandArguments[K],
            by: actorOf(request),
          });
          return wire({ team, call, command: kind, result: 'done' });
        },
      );
    };
    const from = number.optional();
    const keyed = z.strictObject({ from }).nullish() as z.ZodType<{ from?: string } | null | undefined>;
    const called = z.strictObject({ number, from }) as z.ZodType<{ number: string; from?: string }>;
    command(
      'hangup',
      'End a call, or hang up one party: an extension, caller, or the number of who is outside',
      z.strictObject({ party: number.optional() }).nullish() as z.ZodType<
        { party?: string } | null | undefined
      >,
    );
    command('transfer', 'Send the other side on to a number, as *1 does', called);
    command('consult', 'Ask a number while the other side hears music, as *2 does', called);
    command('conference', 'Take whom the agent consults into the call, as *3 does', keyed);
    command('hold', 'Hold the other side, or take them back, as *7 does', keyed);
    command('resume', 'Take the other side back who is on hold', keyed);
    command('back', 'End the consultation: the agent is with the other side again, as *4 does', keyed);
    done();
  };

/** Of an agent the phone where they are: they do it in their own call, and with no other's phone. */
async function ownPhone(db: Database, request: FastifyRequest): Promise<{ from?: string }> {
  const { agent, team } = principalOn(request);
  return agent === undefined ? {} : { from: await extensionOfAgent(db, team, agent) };
}

/** Without the fields that were not given. */
function defined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
