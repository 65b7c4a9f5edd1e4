import { z } from 'zod';
import { apiRoles } from '../../domain/provisioning/people/principal.js';
import { agentSchema, short } from '../schemas.js';

const maybe = <T extends z.ZodType>(schema: T) => schema.nullable();

const password = z.string().max(400);
const cookie = z.boolean().optional();

/** Who logs in. With `cookie` the answer sets the token as a cookie, for a page of the same address, and does not tell it. */
export const loginSchema = z.strictObject({
  team: short,
  agent: short.optional(),
  username: short.optional(),
  password,
  cookie,
});

const principal = {
  team: z.string(),
  kind: z.enum(['machine', 'user', 'agent']),
  name: z.string(),
  role: z.enum(apiRoles),
  agent: maybe(z.string()),
  groups: maybe(z.array(z.string())),
};

export const loggedInSchema = z.object({
  token: maybe(z.string()),
  expires_at: z.iso.datetime(),
  ...principal,
});

const meAgentSchema = agentSchema.extend({
  kind: z.enum(['fixed', 'adaptive', 'dynamic']),
});

export const meSchema = z.object({
  ...principal,
  person: maybe(z.string()),
  state: maybe(meAgentSchema),
  pause_reasons: z.array(
    z.object({ digit: z.string(), name: z.string(), max_seconds: maybe(z.int()), at_end: z.string() }),
  ),
  feature_codes: z.array(z.object({ code: z.string(), feature: z.string() })),
  language: maybe(z.string()),
  time_zone: z.string(),
  cursor: z.string(),
});

export const directoryQuery = z.strictObject({
  q: z.string().max(80).optional(),
  limit: z.coerce.number().int().optional(),
  cursor: z.string().max(1000).optional(),
});

export const directorySchema = z.object({
  items: z.array(
    z.object({
      number: z.string(),
      name: maybe(z.string()),
      kind: z.enum(['extension', 'agent', 'group', 'ring-group']),
      agent: maybe(z.string()),
    }),
  ),
  next_cursor: maybe(z.string()),
});
