import type { ManagerActions } from '../ami/manager.js';

/** A member of a queue as Asterisk shows it. */
export interface Member {
  queue: string;
  /** The interface that the queue dials for the member. */
  device: string;
  name: string;
  penalty: number;
  paused: boolean;
  reason: string;
  /** Seconds of Asterisk's clock; 0: never. */
  lastPause: number;
  inCall: boolean;
  /** Its phone is not registered, does not answer, or has not been asked yet. */
  unavailable: boolean;
}

export interface Waiting {
  queue: string;
  /** Name of the caller's channel. */
  channel: string;
  uniqueid: string;
  caller: string;
  /** Place in the queue; 1: the first. */
  position: number;
  /** As QUEUE_PRIO: larger ones go first. */
  priority: number;
  waitedSeconds: number;
}

/** Device states in AMI's Status header that say that a phone is not there: "Invalid" (no such device) and "Unavailable". */
const notThere: ReadonlySet<string | undefined> = new Set(['4', '5']);

/** The members and callers of all queues, or of one member in one queue. */
export async function readQueues(
  manager: ManagerActions,
  only: { queue?: string; device?: string } = {},
): Promise<{ members: Member[]; waiting: Waiting[] }> {
  const filter: Record<string, string> = {};
  if (only.queue !== undefined) filter['Queue'] = only.queue;
  if (only.device !== undefined) filter['Member'] = only.device;
  const events = await manager.list('QueueStatus', filter);
  const members: Member[] = [];
  const waiting: Waiting[] = [];
  for (const { name, headers } of events) {
    const text = (header: string): string => headers.get(header) ?? '';
    if (name === 'QueueMember') {
      members.push({
        queue: text('queue'),
        device: text('location'),
        name: text('name'),
        penalty: Number(text('penalty')),
        paused: text('paused') === '1',
        reason: text('pausedreason'),
        lastPause: Number(text('lastpause')),
        inCall: text('incall') === '1',
        unavailable: notThere.has(text('status')),
      });
    } else if (name === 'QueueEntry') {
      waiting.push({
        queue: text('queue'),
        channel: text('channel'),
        uniqueid: text('uniqueid'),
        caller: text('calleridnum'),
        position: Number(text('position')),
        priority: Number(text('priority')),
        waitedSeconds: Number(text('wait')),
      });
    }
  }
  return { members, waiting };
}

/** Asterisk's clock, in seconds. Deadlines inside Asterisk are set by it, never by ours. */
export async function readEpoch(manager: ManagerActions): Promise<number> {
  const response = await manager.action('Getvar', { Variable: 'EPOCH' });
  return Number(response.headers.get('value'));
}
