import { z } from 'zod';
import { short, teamParams } from '../schemas.js';

const moment = z.iso.datetime().nullable();
const text = z.string().nullable();

export const popupSchema = z.object({
  id: z.int(),
  kind: z.enum(['outbound', 'direct', 'queue']),
  application: z.string(),
  binding: text,
  link: text,
  agent: text,
  extension: z.string(),
  user: z.string(),
  group: text,
  call: z.string(),
  caller: text,
  number: text,
  opened_at: z.iso.datetime(),
  answered_at: moment,
  closed_at: moment,
  outcome: text,
  disposition: text,
  data: z.record(z.string(), z.unknown()).nullable(),
  done_at: moment,
});

export const popupPageSchema = z.object({ items: z.array(popupSchema), next_cursor: text });

/** `ended`: this has ended the wrap-up after that call; `none`: there was none, or it is over, or the call goes on. */
export const popupDoneSchema = popupSchema.extend({ wrap_up: z.enum(['ended', 'none']) });

export const popupParams = teamParams.extend({ popup: short });

export const popupFilter = z.strictObject({
  agent: short.optional(),
  open: z.enum(['true', 'false']).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  cursor: z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
});

export const doneBody = z
  .strictObject({
    disposition: z.string().min(1).max(200).optional(),
    data: z.record(z.string(), z.unknown()).optional(),
  })
  .nullish();
