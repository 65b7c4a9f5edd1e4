import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { Database } from '../../domain/database/pool.js';
import { finishPopup, listPopups, showPopup, type Popup } from '../../domain/popups/popups.js';
import { actorOf, principalOn } from '../doors.js';
import { teamParams, wire } from '../schemas.js';
import {
  doneBody,
  popupDoneSchema,
  popupFilter,
  popupPageSchema,
  popupParams,
  popupSchema,
} from '../schemas/popups.js';

/** What an application has said of the call is given back as it was said. */
const shown = ({ data, ...popup }: Popup): never => ({ ...(wire(popup) as object), data }) as never;

/** Popups: what an application is to show an agent, and what it says when its record is saved. */
export const popupRoutes =
  (db: Database): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.get(
      '/teams/:team/popups',
      {
        config: { role: 'reader', agent: 'own', limits: true },
        schema: {
          summary: 'Popups, the newest first; an agent sees their own',
          params: teamParams,
          querystring: popupFilter,
          response: { 200: popupPageSchema },
        },
      },
      async (request) => {
        const { agent, open, limit, cursor } = request.query;
        const page = await listPopups(
          db,
          request.params.team,
          {
            ...(agent !== undefined && { agent }),
            ...(open !== undefined && { open: open === 'true' }),
            ...(limit !== undefined && { limit }),
            ...(cursor !== undefined && { before: cursor }),
          },
          principalOn(request),
        );
        return {
          items: page.popups.map(shown),
          next_cursor: page.next === null ? null : String(page.next),
        };
      },
    );
    app.get(
      '/teams/:team/popups/:popup',
      {
        config: { role: 'reader', agent: 'own', limits: true },
        schema: { summary: 'A popup', params: popupParams, response: { 200: popupSchema } },
      },
      async (request) => {
        const { team, popup } = request.params;
        return shown(await showPopup(db, team, popup, principalOn(request)));
      },
    );
    app.post(
      '/teams/:team/popups/:popup/done',
      {
        config: { role: 'supervisor', agent: 'own', limits: true },
        schema: {
          summary: "The application has saved its record: the agent's wrap-up after that call ends",
          description:
            'Twice is harmless: what is not said again stays. A pause, and the wrap-up after another call, go on.',
          params: popupParams,
          body: doneBody,
          response: { 200: popupDoneSchema },
        },
      },
      async (request) => {
        const { team, popup } = request.params;
        const { disposition, data } = request.body ?? {};
        const said = {
          by: actorOf(request),
          ...(disposition !== undefined && { disposition }),
          ...(data !== undefined && { data }),
        };
        return shown(await finishPopup(db, team, popup, said, principalOn(request)));
      },
    );
    done();
  };
