import { z } from 'zod';
import { agentSchema } from '../schemas.js';

const moment = z.iso.datetime();

/** What an agent's page shows; see `AgentDesk` of domain/monitor. */
export const deskSchema = z.object({
  team: z.string(),
  at: moment,
  time_zone: z.string(),
  agent: agentSchema.extend({
    kind: z.enum(['fixed', 'adaptive', 'dynamic']),
  }),
  call: z
    .object({
      call: z.string(),
      direction: z.enum(['in', 'out', 'internal']),
      caller: z.string().nullable(),
      did: z.string().nullable(),
      number: z.string().nullable(),
      group: z.string().nullable(),
      held_since: moment.nullable(),
      consult: z.object({ number: z.string().nullable(), since: moment }).nullable(),
    })
    .nullable(),
  today: z.object({
    answered: z.int(),
    missed: z.int(),
    own_calls: z.int(),
    idle_seconds: z.int(),
    talking_seconds: z.int(),
    wrap_up_seconds: z.int(),
    paused_seconds: z.int(),
  }),
  groups: z.array(z.object({ name: z.string(), waiting: z.int(), waiting_since: moment.nullable() })),
  pause_reasons: z.array(z.object({ digit: z.string(), name: z.string(), max_seconds: z.int().nullable() })),
});
