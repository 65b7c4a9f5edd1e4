import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { Database } from '../../domain/database/pool.js';
import { readDesk } from '../../domain/monitor/agent-desk.js';
import { seesGroup } from '../../domain/monitor/reach.js';
import { readWaiting } from '../../domain/monitor/waiting.js';
import { principalOn } from '../doors.js';
import { Recent } from '../recent-status.js';
import { agentParams, wire } from '../schemas.js';
import { deskSchema } from '../schemas/page.js';

/** What the agent's page is made of, beside what other routes tell. The board reads the team. */
export const pageRoutes =
  (db: Database, recentMs?: number): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    const recent = new Recent((team) => readWaiting(db, team), recentMs);
    app.get(
      '/teams/:team/agents/:agent/desk',
      {
        config: { role: 'reader', agent: 'own' },
        schema: {
          summary: 'All that the page of an agent shows: their state, call, own numbers of today, and queues',
          description: 'Who waits for their groups may be a second old; what is of the agent is not.',
          params: agentParams,
          response: { 200: deskSchema },
        },
      },
      async (request) => {
        const { team, agent } = request.params;
        const desk = await readDesk(db, team, agent);
        const shown = desk.groups.filter((name) => seesGroup(principalOn(request), name));
        const waiting = await recent.of(team);
        return wire({
          ...desk,
          groups: shown.map((name) => ({
            name,
            ...(waiting.get(name) ?? { waiting: 0, waitingSince: null }),
          })),
        });
      },
    );
    done();
  };
