import { readQueueWaiting, type Queue } from '../../domain/calls/queue/queue-waiting.js';
import { agentStatusOf } from '../../domain/presence/agent-status.js';
import type { Database } from '../../domain/database/pool.js';
import { feature } from './feature.js';

/**
 * `*69<queue>`: how many wait in a queue of the team, and how long. Any phone of the team may ask, as any may watch the
 * lamp of a queue. Without digits it is the current group of the agent at the phone.
 */
export const waiting = feature(async ({ db }, { team, extension, digits }) => {
  const queue = digits === undefined ? await currentGroup(db, team, extension) : { number: digits };
  if (queue === undefined) return 'queue-wanted';
  const now = await readQueueWaiting(db, team, queue);
  if (now === undefined) return 'unknown-group';
  const facts = { queue: now.number ?? '', waiting: now.waiting, seconds: now.longestSeconds };
  return { outcome: now.waiting > 0 ? 'queue-waiting' : 'queue-empty', facts };
});

async function currentGroup(db: Database, team: string, extension: string): Promise<Queue | undefined> {
  const groupId = (await agentStatusOf(db, team, { extension }))?.currentGroupId ?? null;
  return groupId === null ? undefined : { groupId };
}
