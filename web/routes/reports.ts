import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { Database } from '../../domain/database/pool.js';
import { reportAgents } from '../../domain/monitor/agent-report.js';
import { requireReach } from '../../domain/monitor/reach.js';
import { principalOn } from '../doors.js';
import { Gate } from '../gate.js';
import { teamParams, wire } from '../schemas.js';
import { agentReportFilter, agentReportSchema } from '../schemas/reports.js';

/** What is added up over a period: the functions of `star64 … report`. */
export const reportRoutes =
  (db: Database): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    // A month is some thirty statements, and what everybody else asks has the same few connections.
    const gate = new Gate(2, 20, Infinity, 'ask for reports');
    app.get(
      '/teams/:team/reports/agents',
      {
        config: { role: 'supervisor', agent: 'own', limits: true },
        schema: {
          summary: 'Agents in a period: seconds signed in, in each state, and paused for each reason',
          description:
            'Who was signed in between since and until, at most 31 days; until is now unless it is earlier: for pages of one moment send the until of the first answer with the cursor. An interval over either end counts with its part inside. group: who is in it now. Who is limited to groups sees the agents in them, an agent themselves.',
          params: teamParams,
          querystring: agentReportFilter,
          response: { 200: agentReportSchema },
        },
      },
      async (request) => {
        const { since, until, group, agent, limit, cursor } = request.query;
        const principal = principalOn(request);
        const named = { ...(group !== undefined && { group }), ...(agent !== undefined && { agent }) };
        await requireReach(db, principal, named);
        const page = await gate.through(() =>
          reportAgents(db, request.params.team, {
            since: new Date(since),
            ...named,
            ...(until !== undefined && { until: new Date(until) }),
            ...(principal.agents && { agents: principal.agents }),
            ...(limit !== undefined && { limit }),
            ...(cursor !== undefined && { after: cursor }),
          }),
        );
        const { agents: items, next, ...period } = page;
        return wire({ ...period, items, nextCursor: next === null ? null : String(next) });
      },
    );
    done();
  };
