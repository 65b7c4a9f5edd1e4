import type { AgentFigures, Figures, QueueFigures } from '../../domain/monitor/metrics.js';
import { mostGroups } from '../../domain/monitor/metrics.js';
import { headOf, series, type Labels } from '../../domain/machine/exposition.js';
import type { CallCounters } from './counters.js';

export interface Known {
  version: string;
  /** Whether the database answers. */
  isUp: boolean;
  /** Undefined: they cannot be read. */
  figures: Figures | undefined;
  counters: Pick<CallCounters, 'calls' | 'waits' | 'handled'>;
  /** Messages to webhooks, by `<team>/<webhook> <result>`. */
  webhooks: ReadonlyMap<string, number>;
  streams: { open: number; unread: number };
}

/** The lines of `/metrics`, but for those of the process; docs/metrics.md says what each is. */
export function* linesOf({ version, isUp, figures, counters, webhooks, streams }: Known): Generator<string> {
  yield headOf('star64_build_info', 'gauge', 'Always 1; which star64 this is.');
  yield series('star64_build_info', { version }, 1);
  yield headOf('star64_db_up', 'gauge', 'Whether the database could be asked.');
  yield series('star64_db_up', {}, isUp ? 1 : 0);
  yield headOf('star64_event_streams', 'gauge', 'Open streams of events.');
  yield series('star64_event_streams', {}, streams.open);
  yield headOf('star64_event_streams_unread_bytes', 'gauge', 'What waits for their listeners to read it.');
  yield series('star64_event_streams_unread_bytes', {}, streams.unread);
  yield* webhookLines(webhooks);
  if (!figures) return;
  yield* systemLines(figures);
  yield* agentLines(figures.agents);
  yield* queueLines(figures.queues);
  yield* callLines(counters, figures.byGroup);
}

function* systemLines({ eventLag, webhookOldest, nodes }: Figures): Generator<string> {
  yield headOf(
    'star64_event_lag_seconds',
    'gauge',
    'Age of the oldest event that followers cannot be told yet.',
  );
  yield series('star64_event_lag_seconds', {}, eventLag);
  yield headOf(
    'star64_webhook_oldest_pending_seconds',
    'gauge',
    'Age of the oldest message that is still to be sent to a webhook.',
  );
  yield series('star64_webhook_oldest_pending_seconds', {}, webhookOldest);
  yield headOf('star64_watcher', 'gauge', 'Whether a server watches over the Asterisk of the node.');
  for (const { node, watched } of nodes) yield series('star64_watcher', { node }, watched ? 1 : 0);
  yield headOf('star64_lease_age_seconds', 'gauge', 'For how long no server has watched over the node.');
  for (const { node, unwatched } of nodes) yield series('star64_lease_age_seconds', { node }, unwatched);
}

/** Of more webhooks than this only the sums are told. */
const mostWebhooks = mostGroups;

function* webhookLines(results: ReadonlyMap<string, number>): Generator<string> {
  yield headOf(
    'star64_webhook_deliveries_total',
    'counter',
    'Messages that this process has sent to webhooks.',
  );
  const split = [...results].map(([key, count]) => ({ at: key.split(' ') as [string, string], count }));
  if (new Set(split.map(({ at: [endpoint] }) => endpoint)).size <= mostWebhooks) {
    for (const { at, count } of split)
      yield series('star64_webhook_deliveries_total', { endpoint: at[0], result: at[1] }, count);
    return;
  }
  for (const [result, count] of sumsBy(split.map(({ at, count }) => [at[1], count])))
    yield series('star64_webhook_deliveries_total', { result }, count);
}

/** Labels that are there. */
const labels = (given: Readonly<Record<string, string | null>>): Labels =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as Labels;

function* agentLines(agents: readonly AgentFigures[]): Generator<string> {
  yield headOf('star64_agents', 'gauge', 'Agents by group and state; of a team those who are signed in.');
  for (const { team, group, state, agents: count } of agents)
    yield series('star64_agents', labels({ team, group, state }), count);
}

function* queueLines(queues: readonly QueueFigures[]): Generator<string> {
  yield headOf('star64_calls_waiting', 'gauge', 'Callers who wait in a queue.');
  for (const { team, group, waiting } of queues)
    yield series('star64_calls_waiting', labels({ team, group }), waiting);
  yield headOf('star64_longest_wait_seconds', 'gauge', 'For how long the first of them has waited.');
  for (const { team, group, longest } of queues)
    yield series('star64_longest_wait_seconds', labels({ team, group }), longest);
}

function* callLines({ calls, waits, handled }: Known['counters'], byGroup: boolean): Generator<string> {
  yield headOf('star64_calls_total', 'counter', 'Calls that have ended, since this process began to count.');
  if (!byGroup) {
    const sums = sumsBy([...calls].map(([key, count]) => [key.split('\t')[2] ?? '', count]));
    for (const [outcome, count] of sums) yield series('star64_calls_total', { outcome }, count);
    return;
  }
  for (const [key, count] of calls) yield series('star64_calls_total', queueOf(key), count);
  const waited = 'star64_queue_wait_seconds';
  yield headOf(waited, 'histogram', 'Waits in a queue until an answer, or until the caller gave up.');
  for (const [key, times] of waits) yield* times.lines(waited, queueOf(key));
  const handling = 'star64_handle_seconds';
  yield headOf(handling, 'histogram', 'From the answer of a call of a queue to the end of the wrap-up.');
  for (const [key, times] of handled) {
    const [team = '', group = ''] = key.split('\t');
    yield* times.lines(handling, { team, group });
  }
}

function queueOf(key: string): Labels {
  const [team = '', group = '', outcome = ''] = key.split('\t');
  return { team, group, outcome };
}

function sumsBy(counts: readonly (readonly [string, number])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
  return sums;
}
