import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../domain/database/pool.js';
import { eventTypes } from '../../domain/event-types.js';
import { checkTypes, EventFeed } from '../../domain/monitor/event-feed.js';
import { seesEvent } from '../../domain/monitor/reach.js';
import { principalOn } from '../doors.js';
import type { EventStreams } from '../event-streams.js';
import { Refusal } from '../problems.js';
import { eventSchema, teamParams, wire } from '../schemas.js';

const query = z.strictObject({
  after: z.string().max(60).optional().describe('a cursor'),
  since: z.coerce.number().int().min(0).max(31_536_000).optional().describe('seconds ago'),
  // Room for all of them.
  types: z.string().max(2000).optional().describe('with commas between'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** The one list of events, read in two ways: a page behind a cursor, or a stream (server-sent events). */
export const eventRoutes =
  (db: Database, streams: EventStreams): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.get(
      '/teams/:team/events',
      {
        config: { role: 'reader', agent: 'own', limits: true },
        // A HEAD would open a stream of which nobody reads anything.
        exposeHeadRoute: false,
        schema: {
          summary: 'Events behind a cursor, or, with Accept: text/event-stream, as they happen',
          description:
            'after: the cursor of the last event seen (a stream: header Last-Event-ID); since: seconds ago, an hour at most for an agent; without both it begins with what happens from now on. types: names with commas between, default all.',
          params: teamParams,
          querystring: query,
          response: { 200: z.object({ items: z.array(eventSchema), next_cursor: z.string() }) },
        },
      },
      async (request, reply) => {
        const { team } = request.params;
        const { after, since, limit } = request.query;
        const { types: typed } = request.query;
        if (since !== undefined && since > 3600 && principalOn(request).kind === 'agent')
          throw new Refusal(422, 'invalid_request', 'since is 3600 seconds at most for an agent');
        const types = typed === undefined ? eventTypes : checkTypes(typed.split(','));
        const last = request.headers['last-event-id'];
        // Whoever comes back to an address with a cursor in it has heard more meanwhile.
        const from = typeof last === 'string' && last !== '' ? last : after;
        const options = {
          team,
          types,
          ...(from !== undefined && { after: from }),
          ...(from === undefined && since !== undefined && { sinceSeconds: since }),
        };
        if (request.headers.accept?.includes('text/event-stream')) {
          await streams.open(reply, principalOn(request), options);
          return reply;
        }
        const feed = await EventFeed.open(db, options, limit);
        const { events } = await feed.next();
        const items = events.filter((event) => seesEvent(principalOn(request), event));
        return wire({ items, nextCursor: feed.cursor });
      },
    );
    done();
  };
