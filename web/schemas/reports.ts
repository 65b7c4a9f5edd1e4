import { z } from 'zod';
import { largestReportPage } from '../../domain/monitor/agent-report.js';
import { short } from '../schemas.js';

const seconds = z.int();

export const agentReportSchema = z.object({
  since: z.iso.datetime(),
  /** Up to when it counts: never later than now. */
  until: z.iso.datetime(),
  items: z.array(
    z.object({
      agent: z.string(),
      name: z.string(),
      /** The states add up to it. */
      signed_in_seconds: seconds,
      idle_seconds: seconds,
      ringing_seconds: seconds,
      talking_seconds: seconds,
      wrap_up_seconds: seconds,
      paused_seconds: seconds,
      pauses: z.array(z.object({ reason: z.string(), seconds })),
    }),
  ),
  next_cursor: z.string().nullable(),
});

export const agentReportFilter = z.strictObject({
  since: z.iso.datetime({ offset: true }),
  until: z.iso.datetime({ offset: true }).optional(),
  group: short.optional(),
  agent: short.optional(),
  limit: z.coerce.number().int().min(1).max(largestReportPage).optional(),
  cursor: z.coerce.number().int().min(1).max(2_147_483_647).optional(),
});
