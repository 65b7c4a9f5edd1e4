import { z } from 'zod';
import { supervisionModes } from '../../domain/calls/commands/supervision.js';
import { short } from '../schemas.js';

/** `to`: as the agent would dial it, or with + in front a number outside. `id`: made up by who asks. */
export const startBody = z.strictObject({
  agent: short,
  to: short,
  id: z.string().max(100).optional(),
  auto_answer: z.boolean().optional(),
});

export const startedSchema = z.object({
  team: z.string(),
  call: z.string(),
  agent: z.string(),
  extension: z.string(),
  to: z.string(),
});

/** `extension`: the phone that is rung, of a user who administers the group whose call it is. */
export const superviseBody = z.strictObject({ mode: z.enum(supervisionModes), extension: short });

export const supervisedSchema = z.object({
  team: z.string(),
  mode: z.string(),
  from: z.string(),
  result: z.literal('done'),
});
