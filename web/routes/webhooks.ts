import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../domain/database/pool.js';
import { unknown } from '../../domain/names.js';
import {
  listDeliveries,
  redeliver,
  redeliverSince,
  showDelivery,
  testWebhook,
} from '../../domain/webhooks/deliveries.js';
import { rotateSecret, webhooks } from '../../domain/provisioning/webhook.js';
import { etagOf, fitting, tagged } from '../provisioning-changes.js';
import { teamParams, wire } from '../schemas.js';
import {
  addWebhookBody,
  deliveriesQuery,
  deliveryParams,
  deliverySchema,
  newWebhookSchema,
  redeliverBody,
  redeliveredSchema,
  rotateBody,
  rotatedSchema,
  setWebhookBody,
  webhookParams,
  webhookSchema,
} from '../schemas/webhooks.js';

const none = z.strictObject({}).nullish();
const config = { role: 'administrator' } as const;
const all = '/teams/:team/webhooks';
const one = `${all}/:webhook` as const;

/** Webhooks and what they were sent: the functions of `star64 webhook`. */
export const webhookRoutes =
  (db: Database): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.get(
      all,
      {
        config,
        schema: {
          summary: 'Webhooks',
          params: teamParams,
          response: { 200: z.object({ items: z.array(webhookSchema) }) },
        },
      },
      async ({ params }) => wire({ items: await webhooks.list(db, params.team) }),
    );
    app.post(
      all,
      {
        config,
        schema: {
          summary: 'Create a webhook; its secret is in this answer and nowhere else',
          params: teamParams,
          body: addWebhookBody,
          response: { 201: newWebhookSchema },
        },
      },
      async ({ params, body: { name, ...given } }, reply) => {
        reply.code(201);
        return wire(await webhooks.add(db, params.team, name, typed(given), tagged(reply)));
      },
    );
    app.get(
      one,
      {
        config,
        schema: { summary: 'A webhook', params: webhookParams, response: { 200: webhookSchema } },
      },
      async ({ params }, reply) => {
        const { row, version } = await webhooks.read(db, params.team, params.webhook);
        reply.header('etag', etagOf(version));
        return wire(row);
      },
    );
    app.patch(
      one,
      {
        config,
        schema: {
          summary: 'Change a webhook; types null: events of every type',
          params: webhookParams,
          body: setWebhookBody,
          response: { 200: webhookSchema },
        },
      },
      async (request, reply) => {
        const { params, body } = request;
        const along = { ...tagged(reply), ...fitting(request) };
        return wire(await webhooks.set(db, params.team, params.webhook, typed(body), along));
      },
    );
    app.delete(
      one,
      {
        config,
        schema: {
          summary: 'Remove a webhook, with what it has not been sent yet',
          params: webhookParams,
          body: none,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        const { params } = request;
        await webhooks.remove(db, params.team, params.webhook, fitting(request));
        return reply.code(204).send(null);
      },
    );
    app.post(
      `${one}/rotate`,
      {
        config,
        schema: {
          summary:
            'A new secret, in this answer and nowhere else; messages are signed with both for keep_seconds',
          params: webhookParams,
          body: rotateBody,
          response: { 200: rotatedSchema },
        },
      },
      async ({ params, body }) =>
        wire(await rotateSecret(db, params.team, params.webhook, body?.keep_seconds)),
    );
    app.post(
      `${one}/test`,
      {
        config,
        schema: {
          summary: 'Have the webhook sent a message of type webhook.test',
          params: webhookParams,
          body: none,
          response: { 202: deliverySchema },
        },
      },
      async ({ params }, reply) => {
        reply.code(202);
        return wire(await testWebhook(db, params.team, params.webhook));
      },
    );
    app.get(
      `${one}/deliveries`,
      {
        config,
        schema: {
          summary: 'What the webhook was sent or is to be sent, the newest first',
          params: webhookParams,
          querystring: deliveriesQuery,
          response: { 200: z.object({ items: z.array(deliverySchema), next_cursor: z.string().nullable() }) },
        },
      },
      async ({ params: { team, webhook }, query: { failed, limit, cursor } }) => {
        const page = await listDeliveries(db, team, {
          webhook,
          ...(failed !== undefined && { failed }),
          ...(limit !== undefined && { limit }),
          ...(cursor !== undefined && { before: cursor }),
        });
        return wire({ items: page.deliveries, nextCursor: page.next === null ? null : String(page.next) });
      },
    );
    app.post(
      `${one}/deliveries/:delivery/redeliver`,
      {
        config,
        schema: {
          summary: 'Send a delivery anew, with the message id that it had',
          params: deliveryParams,
          body: none,
          response: { 202: deliverySchema },
        },
      },
      async ({ params: { team, webhook, delivery } }, reply) => {
        const found = await showDelivery(db, team, delivery);
        if (found.webhook !== webhook) throw unknown('webhook', team, webhook);
        reply.code(202);
        return wire(await redeliver(db, team, delivery));
      },
    );
    app.post(
      `${one}/redeliver`,
      {
        config,
        schema: {
          summary: 'Send every event of the last seconds that is kept, also those that it was not sent',
          description:
            'since: seconds ago; failed: not those that it has taken. Goes through some thousands of events: while next_cursor is not null, ask again with it as after, instead of since. One request of a webhook at a time.',
          params: webhookParams,
          body: redeliverBody,
          response: { 202: redeliveredSchema },
        },
      },
      async ({ params: { team, webhook }, body: { failed = false, ...from } }, reply) => {
        const start = 'since' in from ? { seconds: from.since } : from;
        const { next, ...done } = await redeliverSince(db, team, webhook, { ...start, failedOnly: failed });
        reply.code(202);
        return wire({ ...done, nextCursor: next });
      },
    );
    done();
  };

/** As the noun takes it: what was not given is not there. */
const typed = ({ url, types, enabled }: z.infer<typeof setWebhookBody>) => ({
  ...(url !== undefined && { url }),
  ...(types !== undefined && { types }),
  ...(enabled !== undefined && { enabled }),
});
