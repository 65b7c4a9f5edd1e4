import type { Database } from '../domain/database/pool.js';
import { EventFeed } from '../domain/monitor/event-feed.js';
import type { Event } from '../domain/monitor/events.js';

/** Prints every new state of an agent and every new call, as the database gets it, until `signalled`. */
export async function follow(
  db: Database,
  print: (text: string) => void,
  signalled: Promise<unknown>,
): Promise<void> {
  let ended = false;
  void signalled.then(() => (ended = true));
  const feed = await EventFeed.open(db, { team: null, types: ['agent.state', 'call.arrived'] });
  while (!(ended as boolean)) {
    for (const event of (await feed.next()).events) print(`${clock(event.at)}  ${inWords(event)}`);
    await Promise.race([signalled, new Promise((resolve) => setTimeout(resolve, 300))]);
  }
}

function inWords(event: Event): string {
  if (event.type === 'call.emergency') return `emergency call to ${event.number}`;
  if ('limit' in event) return `${event.of} ${event.name} may not call more: ${event.limit} ${event.most}`;
  if ('popup' in event) return `${event.application} shows call ${event.call}`;
  if ('webhook' in event) return `webhook ${event.webhook} is disabled: ${event.reason}`;
  if ('mode' in event) return `${event.user} listens to extension ${event.extension}`;
  if ('agentResult' in event) return `${event.type} of agent ${event.agent} to ${event.dialled}`;
  if ('callback' in event) return `${event.type} ${event.number}`;
  if ('did' in event || 'joined' in event)
    return `call from ${event.caller ?? 'unknown'} to ${event.did ?? 'the queue'}`;
  if (event.type !== 'agent.state') return `${event.type} of extension ${event.extension ?? 'unknown'}`;
  const limit = event.until === null ? '' : ` until ${clock(event.until)}`;
  return `agent ${event.agent} is ${event.state}${limit}`;
}

const clock = (at: Date): string => at.toLocaleTimeString('en-GB');
