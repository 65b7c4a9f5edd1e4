import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { startCall } from '../../domain/calls/commands/clicks.js';
import {
  extensionOfAgent,
  superviseFrom,
  type SupervisionAsked,
} from '../../domain/calls/commands/supervise-command.js';
import type { Database } from '../../domain/database/pool.js';
import { requireReach } from '../../domain/monitor/reach.js';
import { actorOf, principalOn } from '../doors.js';
import { repeatableOf } from '../provisioning-changes.js';
import { agentParams, callParams, teamParams, wire } from '../schemas.js';
import { startBody, startedSchema, superviseBody, supervisedSchema } from '../schemas/clicks.js';

/** Calls that are started for an agent, and supervision from outside: `star64 call start` and `star64 supervise`. */
export const clickRoutes =
  (db: Database): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.post(
      '/teams/:team/calls',
      {
        config: { role: 'supervisor', agent: 'own', limits: true },
        schema: {
          summary:
            'Call somebody for an agent: their phone rings first, and the number is called once they answer',
          description:
            'to: as the agent would dial it, or with + in front. id: made up by you; given again with the same agent, to and auto_answer nothing is done again, and the first answer comes. An Idempotency-Key of 16 to 100 characters stands for an id that is not given. What happens on each leg is told by the events click.*',
          params: teamParams,
          body: startBody,
          response: { 202: startedSchema },
        },
      },
      async (request, reply) => {
        const { agent, to, auto_answer: autoAnswer } = request.body;
        const id = request.body.id ?? repeatableOf(request)?.key;
        await requireReach(db, principalOn(request), { agent });
        const started = await startCall(db, request.params.team, {
          agent,
          to,
          id,
          autoAnswer,
          by: actorOf(request),
        });
        return reply.code(202).send(wire(started));
      },
    );
    const summary =
      'Ring an administrator of the group, who hears the call once they pick up, as *71, *72 and *73 do';
    app.post(
      '/teams/:team/calls/:call/supervise',
      {
        config: { role: 'supervisor' },
        schema: { summary, params: callParams, body: superviseBody, response: { 202: supervisedSchema } },
      },
      async (request, reply) => {
        const { team, call } = request.params;
        const { mode, extension: from } = request.body;
        await superviseFrom(db, team, { call, mode, from, ...askedBy(request) });
        return reply.code(202).send(wire({ team, mode, from, result: 'done' }));
      },
    );
    app.post(
      '/teams/:team/agents/:agent/supervise',
      {
        config: { role: 'supervisor' },
        schema: { summary, params: agentParams, body: superviseBody, response: { 202: supervisedSchema } },
      },
      async (request, reply) => {
        const { team, agent } = request.params;
        const { mode, extension: from } = request.body;
        const extension = await extensionOfAgent(db, team, agent);
        await superviseFrom(db, team, { extension, mode, from, ...askedBy(request) });
        return reply.code(202).send(wire({ team, mode, from, result: 'done' }));
      },
    );
    done();
  };

/** Who wants to hear a call, and what limits them. */
function askedBy(request: FastifyRequest): Pick<SupervisionAsked, 'by' | 'user' | 'groups'> {
  const { kind, name, groups } = principalOn(request);
  return { by: actorOf(request), groups, ...(kind === 'user' && { user: name }) };
}
