import { z } from 'zod';
import { eventTypes } from '../domain/event-types.js';
import { jsonText } from '../domain/json-text.js';

/**
 * What the domain tells, as it goes over the wire: names in snake_case, times in ISO 8601. What a schema does not know is
 * left out by the serializer, and what it misses is an error of ours: so it may pass for whatever the schema wants.
 */
export const wire = (value: unknown): never => JSON.parse(jsonText(value)) as never;

const moment = z.iso.datetime();
const maybe = <T extends z.ZodType>(schema: T) => schema.nullable();

export const agentStates = ['signed-out', 'idle', 'ringing', 'talking', 'wrap-up', 'paused'] as const;

export const agentSchema = z.object({
  number: z.string(),
  name: z.string(),
  state: z.enum(agentStates),
  extension: maybe(z.string()),
  since: maybe(moment),
  until: maybe(moment),
  reason: maybe(z.string()),
  group: maybe(z.string()),
  call_kind: maybe(z.string()),
  call: maybe(z.string()),
  caller: maybe(z.string()),
  work_mode: maybe(z.enum(['all', 'inbound', 'outbound'])),
  current_group: maybe(z.string()),
});

export const groupSchema = z.object({
  name: z.string(),
  waiting: z.int(),
  callbacks: z.int(),
  waiting_since: maybe(moment),
  talking: z.int(),
  signed_in: z.int(),
  /** How many in each state. */
  states: z.record(z.string(), z.int()),
  answered: z.int(),
  answered_in_time: z.int(),
  abandoned: z.int(),
  service_level: maybe(z.number()),
});

/** A group with who waits in its queue, the longest first. */
export const queueSchema = groupSchema.extend({
  callers: z.array(
    z.object({
      call: z.string(),
      caller: maybe(z.string()),
      did: maybe(z.string()),
      joined_at: moment,
      position: maybe(z.int()),
    }),
  ),
});

export const teamSchema = z.object({
  team: z.string(),
  at: moment,
  time_zone: z.string(),
  today: moment,
  service_level: z.object({ formula: z.string(), within_seconds: z.int() }),
  files_are_behind: z.boolean(),
  groups: z.array(groupSchema),
  agents: z.array(agentSchema),
});

export const actionSchema = z.looseObject({
  team: z.string(),
  agent: z.string(),
  extension: z.string(),
  outcome: z.string(),
});

export const callSchema = z.object({
  id: z.int(),
  uniqueid: z.string(),
  direction: z.enum(['in', 'out', 'internal']),
  arrived_at: moment,
  caller: maybe(z.string()),
  did: maybe(z.string()),
  number: maybe(z.string()),
  group: maybe(z.string()),
  extension: maybe(z.string()),
  agent: maybe(z.string()),
  trunk: maybe(z.string()),
  payer: maybe(z.string()),
  answered_at: maybe(moment),
  ended_at: maybe(moment),
  outcome: maybe(z.string()),
  refused: maybe(z.string()),
  talk_seconds: maybe(z.number()),
  recordings: z.int(),
});

export const storySchema = z.looseObject({
  id: z.int(),
  uniqueid: z.string(),
  arrived_at: moment,
  answered_at: maybe(moment),
  ended_at: maybe(moment),
  outcome: maybe(z.string()),
  story: z.array(z.looseObject({ at: moment, kind: z.string(), says: z.string() })),
});

export const commandSchema = z.object({
  team: z.string(),
  call: z.string(),
  command: z.string(),
  result: z.literal('done'),
});

/** Fields of its own belong to each type; see `star64 events`. */
export const eventSchema = z.looseObject({
  id: z.string(),
  cursor: z.string(),
  type: z.enum(eventTypes),
  at: moment,
  team: z.string(),
});

/** What is said in a word or a number: without control characters, of which the database does not keep all. */
export const short = z
  .string()
  .max(40)
  .regex(/^\P{Cc}*$/u, 'no control characters');
export const teamParams = z.object({ team: short });
export const agentParams = teamParams.extend({ agent: short });
export const groupParams = teamParams.extend({ group: short });
export const callParams = teamParams.extend({
  call: z
    .string()
    .max(150)
    .regex(/^\P{Cc}*$/u, 'no control characters'),
});
