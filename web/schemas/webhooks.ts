import { z } from 'zod';
import { eventTypes } from '../../domain/event-types.js';
import { short, teamParams } from '../schemas.js';

const moment = z.iso.datetime();

export const webhookParams = teamParams.extend({ webhook: short });
export const deliveryParams = webhookParams.extend({
  delivery: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 52),
});

export const webhookSchema = z.object({
  team: z.string(),
  name: z.string(),
  url: z.string(),
  types: z.array(z.string()).nullable(),
  enabled: z.boolean(),
  state: z.string(),
  waiting: z.int(),
  created_at: moment,
});

/** With the secret, which is told once. */
export const newWebhookSchema = webhookSchema.extend({ secret: z.string() });

const url = z.string().max(1000);
const types = z.array(z.enum(eventTypes)).min(1).max(100).nullable();
export const addWebhookBody = z.strictObject({
  name: short,
  url,
  types: types.optional(),
  enabled: z.boolean().optional(),
});
export const setWebhookBody = z.strictObject({
  url: url.optional(),
  types: types.optional(),
  enabled: z.boolean().optional(),
});

export const rotateBody = z
  .strictObject({ keep_seconds: z.int().min(0).max(2_592_000).optional() })
  .nullish();
export const rotatedSchema = z.object({
  team: z.string(),
  name: z.string(),
  secret: z.string(),
  old_secret_until: moment.nullable(),
});

export const deliveriesQuery = z.strictObject({
  failed: z.stringbool().optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  cursor: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 52)
    .optional(),
});
export const deliverySchema = z.object({
  id: z.int(),
  webhook: z.string(),
  message: z.string(),
  type: z.string(),
  at: moment,
  state: z.enum(['due', 'delivered', 'dead']),
  tries: z.int(),
  tried_at: moment.nullable(),
  next_at: moment.nullable(),
  status: z.int().nullable(),
  error: z.string().nullable(),
});

const failed = z.boolean().optional();
export const redeliverBody = z.union([
  z.strictObject({ since: z.int().min(1).max(31_536_000).describe('seconds ago'), failed }),
  z.strictObject({ after: z.string().max(60).describe('next_cursor of the answer before'), failed }),
]);
export const redeliveredSchema = z.object({
  team: z.string(),
  webhook: z.string(),
  events: z.int(),
  next_cursor: z.string().nullable(),
});
