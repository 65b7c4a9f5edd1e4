import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../domain/database/pool.js';
import { requireReach, seesAgent, seesGroup } from '../../domain/monitor/reach.js';
import { readMembers, readStatus, type TeamStatus } from '../../domain/monitor/status.js';
import { readQueue } from '../../domain/monitor/waiting.js';
import { usage } from '../../domain/errors.js';
import { unknown } from '../../domain/names.js';
import { signInWhere } from '../../domain/provisioning/people/agent-sign-in.js';
import { workModes } from '../../domain/presence/work-mode.js';
import type { Principal } from '../../domain/provisioning/people/principal.js';
import {
  pauseAgent,
  readyAgent,
  setAgentGroup,
  setAgentWorkMode,
  signOutAgent,
} from '../../domain/provisioning/people/admin-action.js';
import { actorOf, principalOn } from '../doors.js';
import { Recent } from '../recent-status.js';
import {
  actionSchema,
  agentParams,
  agentSchema,
  agentStates,
  groupParams,
  groupSchema,
  queueSchema,
  short,
  teamParams,
  teamSchema,
  wire,
} from '../schemas.js';

const none = z.strictObject({}).nullish();

/** Who does what now, and what a supervisor does about it: the functions of `star64 agent`. */
export const agentRoutes =
  (db: Database, recentMs?: number): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    const recent = new Recent((team, within) => readStatus(db, team, within), recentMs);
    app.get(
      '/teams/:team',
      {
        config: { role: 'reader', agent: 'own', limits: true },
        schema: {
          summary: 'How the team stands: its groups today, its agents now',
          params: teamParams,
          querystring: z.strictObject({ within: z.coerce.number().int().optional().describe('seconds') }),
          response: { 200: teamSchema },
        },
      },
      async (request) => {
        const { params, query } = request;
        const principal = principalOn(request);
        // Each number of seconds is a reading of the whole team of its own.
        if (principal.kind === 'agent' && query.within !== undefined)
          throw usage('within: for who reads the team; an agent has the usual service level.');
        return wire(seenOf(principal, await recent.of(params.team, query.within)));
      },
    );
    app.get(
      '/teams/:team/agents',
      {
        config: { role: 'reader', agent: 'own', limits: true },
        schema: {
          summary: 'Agents now; group: those who are in it',
          params: teamParams,
          querystring: z.strictObject({ state: z.enum(agentStates).optional(), group: short.optional() }),
          response: { 200: z.object({ items: z.array(agentSchema) }) },
        },
      },
      async (request) => {
        const { params, query } = request;
        const { state, group } = query;
        const principal = principalOn(request);
        if (group !== undefined) await requireReach(db, principal, { group });
        const members = group === undefined ? undefined : await readMembers(db, params.team, group);
        const { agents } = seenOf(principal, await recent.of(params.team));
        return wire({
          items: agents.filter(
            (one) => (state ?? one.state) === one.state && (members?.has(one.number) ?? true),
          ),
        });
      },
    );
    app.get(
      '/teams/:team/agents/:agent',
      {
        config: { role: 'reader', agent: 'own' },
        schema: { summary: 'An agent now', params: agentParams, response: { 200: agentSchema } },
      },
      async ({ params: { team, agent } }) => {
        const found = (await recent.of(team)).agents.find(({ number }) => number === agent);
        if (!found) throw unknown('agent', team, agent);
        return wire(found);
      },
    );
    app.get(
      '/teams/:team/groups/:group',
      {
        config: { role: 'reader', agent: 'own' },
        schema: {
          summary: 'A group: who waits and talks now, and what it has done today',
          params: groupParams,
          response: { 200: groupSchema },
        },
      },
      async ({ params: { team, group } }) => {
        const found = (await recent.of(team)).groups.find(({ name }) => name === group);
        if (!found) throw unknown('group', team, group);
        return wire(found);
      },
    );
    const queues = new Recent((key) => {
      const [team = '', group = ''] = key.split(' ');
      return readQueue(db, team, group);
    }, recentMs);
    app.get(
      '/teams/:team/groups/:group/queue',
      {
        config: { role: 'reader', agent: 'own' },
        schema: {
          summary: 'The queue of a group: how it stands, and its callers, the longest first',
          description: 'At most 500 callers; waiting says how many there are. It may be a second old.',
          params: groupParams,
          response: { 200: queueSchema },
        },
      },
      async ({ params: { team, group } }) => {
        const found = (await recent.of(team)).groups.find(({ name }) => name === group);
        if (!found) throw unknown('group', team, group);
        // What is of the queue is of one moment.
        return wire({ ...found, ...(await queues.of(`${team} ${group}`)) });
      },
    );

    const act = <B extends z.ZodType>(
      verb: string,
      summary: string,
      body: B,
      work: (
        who: { team: string; agent: string; by: string; address: string | undefined },
        body: z.infer<B>,
      ) => Promise<object>,
    ): void => {
      app.post(
        `/teams/:team/agents/:agent/${verb}`,
        {
          config: { role: 'supervisor', agent: 'own' },
          schema: { summary, params: agentParams, body, response: { 200: actionSchema } },
        },
        async (request) => {
          const { params } = request;
          try {
            const { kind } = principalOn(request);
            // Of a program or a supervisor it is not the agent's.
            const address = kind === 'agent' ? request.ip : undefined;
            return wire(await work({ ...params, by: actorOf(request), address }, request.body as z.infer<B>));
          } finally {
            recent.forget(params.team);
          }
        },
      );
    };
    act(
      'sign-in',
      'Sign an agent in as *64 does: fixed at their phone, adaptive at the extension, dynamic there or at the phone of their address',
      z
        .strictObject({ extension: z.string().max(40).optional(), group: z.string().max(40).optional() })
        .nullish(),
      ({ team, agent, by, address }, body) => signInWhere(db, team, agent, { ...body, by, address }),
    );
    act('sign-out', 'Sign an agent out, as *65 does', none, ({ team, agent, by }) =>
      signOutAgent(db, team, agent, by),
    );
    act(
      'pause',
      'Pause an agent, as *66 does',
      z.strictObject({ reason: z.string().max(10).optional().describe('its digit, 0 for none') }).nullish(),
      ({ team, agent }, body) => pauseAgent(db, team, agent, body?.reason),
    );
    act('ready', 'End the pause or wrap-up of an agent, as *67 does', none, ({ team, agent }) =>
      readyAgent(db, team, agent),
    );
    act(
      'work-mode',
      'Set what an agent does in groups that leave it to them, as *62 does',
      z.strictObject({ mode: z.enum([...workModes.values()]) }),
      ({ team, agent }, { mode }) => setAgentWorkMode(db, team, agent, mode),
    );
    act(
      'current-group',
      'Choose the current group of an agent, as *63 does',
      z.strictObject({ group: z.string().max(40) }),
      ({ team, agent }, { group }) => setAgentGroup(db, team, agent, group),
    );
    done();
  };

/** What somebody sees of how a team stands. */
const seenOf = (principal: Principal, status: TeamStatus): TeamStatus => ({
  ...status,
  groups: status.groups.filter(({ name }) => seesGroup(principal, name)),
  agents: status.agents.filter(({ number }) => seesAgent(principal, number)),
});
