import { pino } from 'pino';
import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { inSlices } from '../../domain/machine/exposition.js';
import type { StateChange } from '../../domain/monitor/events.js';
import { transition } from '../../domain/presence/agent-state.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { beginWrapUp } from '../../domain/presence/wrap-up.js';
import { readyAgent } from '../../domain/provisioning/people/admin-action.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { feedMs } from '../support/doors/event-feed.js';
import { addManyTeams } from '../support/many-teams.js';
import { callerOf, callJoined, defaultNode } from '../support/records.js';
import { HandleTimes } from '../../web/metrics/handle-times.js';
import { createWeb } from '../../web/server.js';
import { apiOf, bearer } from '../support/doors/web.js';
import { patient } from '../../lab/patience.js';

type Told = StateChange & { at: Date };

const { db, url } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(2, { team: 'other', did: '600200' }));

const token = 'T'.repeat(40);
const question = { url: '/metrics', headers: bearer(token) };

/** The lines of a text that are series, of our own metrics. */
const own = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('star64_'));

await t.test('agents, waits and calls of each group, as Prometheus reads them', async (t) => {
  const web = await apiOf(t, db, {
    metrics: { token, forMs: 0, webhooks: () => new Map([['astercc/crm delivered', 3]]) },
  });
  const text = async (): Promise<string> => (await web.inject(question)).body;
  const first = await web.inject(question);
  t.equal(first.statusCode, 200);
  t.match(first.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const line of own(first.body))
    t.match(line, /^star64_[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? [0-9.e+-]+$/, line);
  const names = new Set(own(first.body).map((line) => line.replace(/[{ ].*/, '')));
  for (const name of names)
    t.ok(first.body.includes(`# TYPE ${name.replace(/_(bucket|sum|count)$/, '')} `), `${name} has its type`);
  t.match(first.body, 'process_cpu_seconds_total');

  await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  const records = new CallRecords(db, defaultNode);
  await callJoined(db, 'astercc-support', 'call-1', '+4930111111');
  await callJoined(db, 'astercc-support', 'call-2', '+4930222222');
  await records.answered(callerOf('astercc-support', 'call-1'), 'offer-1', '1001');
  const after = await until(
    'the answer to be counted',
    async () => {
      const now = await text();
      return now.includes('star64_queue_wait_seconds_count') ? now : undefined;
    },
    feedMs,
  );
  for (const line of [
    'star64_db_up 1',
    'star64_agents{team="astercc",group="support",state="idle"} 1',
    'star64_agents{team="astercc",group="support",state="signed-out"} 1',
    'star64_agents{team="other",group="support",state="signed-out"} 2',
    'star64_calls_waiting{team="astercc",group="support"} 1',
    'star64_calls_waiting{team="other",group="support"} 0',
    'star64_queue_wait_seconds_bucket{team="astercc",group="support",outcome="answered",le="5"} 1',
    'star64_queue_wait_seconds_bucket{team="astercc",group="support",outcome="answered",le="+Inf"} 1',
    'star64_webhook_deliveries_total{endpoint="astercc/crm",result="delivered"} 3',
  ])
    t.ok(own(after).includes(line), line);
  await db('calls')
    .where({ uniqueid: 'call-1' })
    .update({ outcome: 'answered', answered_at: db.fn.now(), ended_at: db.fn.now() });
  const ended = 'star64_calls_total{team="astercc",group="support",outcome="answered"} 1';
  await until(
    'the end to be counted',
    async () => ((await text()).includes(ended) ? true : undefined),
    feedMs,
  );
  t.notMatch(after, /\{[^}]*(call-1|1001|4930111111)/, 'no caller, agent or call is a label');
});

await t.test('how long agents are busy with a call: from the answer to the end of the wrap-up', async (t) => {
  const web = await apiOf(t, db, { metrics: { token, forMs: 0, webhooks: () => new Map() } });
  const handled = async (): Promise<string[]> =>
    own((await web.inject(question)).body).filter((line) => line.startsWith('star64_handle_seconds'));
  t.same(await handled(), [], 'what is over is counted by nobody who comes later');
  const entered = await signIn(db, 'other', { agent: '1001', extension: '5001', by: 'test' });
  if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
  const [group] = await db('agent_groups as g')
    .join('teams as t', 't.id', 'g.team_id')
    .where({ 't.identity': 'other', 'g.name': 'support' })
    .select<{ id: number }[]>('g.id');
  const groupId = group?.id ?? 0;
  await transition(db, entered.signIn.id, 'connect', { offerId: 'offer-7', callUniqueid: 'call-7', groupId });
  await beginWrapUp(db, entered.signIn.id, 'offer-7', { groupId, wrapUpSeconds: 0 });
  await readyAgent(db, 'other', '1001');
  const counted = await until(
    'the end of the wrap-up to be counted',
    async () => {
      const lines = await handled();
      return lines.length > 0 ? lines : undefined;
    },
    feedMs,
  );
  const of = 'star64_handle_seconds_bucket{team="other",group="support",le=';
  t.ok(counted.includes(`${of}"+Inf"} 1`), counted.join('\n'));
  t.ok(counted.includes('star64_handle_seconds_count{team="other",group="support"} 1'));
  t.same(await handled(), counted, 'once');
});

await t.test('the wrap-up is part of it, own calls and pauses are not', (t) => {
  const times = new HandleTimes();
  const at = (state: StateChange['state'], second: number, group: string | null = null): void =>
    times.take({ team: 'a', agent: '1001', state, group, at: new Date(second * 1000) } as Told);
  at('talking', 0, 'support');
  at('wrap-up', 100, 'support');
  at('talking', 170);
  at('wrap-up', 5000);
  at('idle', 6000);
  at('talking', 7000, 'support');
  at('talking', 7020, 'sales');
  at('signed-out', 7021);
  const lines = [...times.times].flatMap(([key, of]) => [
    ...of.lines('h', { group: key.split('\t')[1] ?? '' }),
  ]);
  t.match(lines, /h_bucket{group="support",le="120"} 1\n/, 'of 170 and 20 seconds');
  t.match(lines, /h_bucket{group="support",le="180"} 2\n/);
  t.match(lines, /h_sum{group="support"} 190\n/);
  t.match(lines, /h_count{group="support"} 2\n/);
  t.match(lines, /h_sum{group="sales"} 1\n/);
  t.end();
});

await t.test('who may read: who has the token, from wherever; without one there is nothing', async (t) => {
  const said: string[] = [];
  const log = pino({}, { write: (line: string) => void said.push(line) });
  const open = await createWeb(db, log, { version: '0' });
  t.teardown(() => open.close());
  t.match(said.join(''), /web\.metrics_token/, 'the log says how to have it');
  for (const host of ['localhost', 'star64.example.org'])
    t.equal((await open.inject({ url: '/metrics', headers: { host } })).statusCode, 404, host);
  const ask = async (authorization?: string, remoteAddress = '192.0.2.1') => {
    const headers = authorization === undefined ? {} : { authorization };
    const web = await apiOf(t, db, { metrics: { token } });
    return (await web.inject({ url: '/metrics', remoteAddress, headers })).statusCode;
  };
  t.same(
    [await ask(undefined, '127.0.0.1'), await ask('Bearer x'), await ask(`Bearer ${token}`)],
    [401, 401, 200],
  );
  said.length = 0;
  for (let at = 0; at < 2; at++)
    await open.inject({ url: '/livez', headers: { 'x-forwarded-for': '192.0.2.7' } });
  t.match(said, [/web\.trust_proxy/]);
  t.equal(said.length, 1, 'once');
});

await t.test('without a database it says so, and has what is of the process', async (t) => {
  const away = connect('postgres://nobody@127.0.0.1:1/none');
  t.teardown(() => away.destroy());
  const answer = await (await apiOf(t, away, { metrics: { token } })).inject(question);
  t.equal(answer.statusCode, 200);
  t.ok(own(answer.body).includes('star64_db_up 0'));
  t.match(answer.body, 'process_resident_memory_bytes');
});

await t.test('a thousand teams: a handful of statements, three series of each, made in slices', async (t) => {
  await addManyTeams(db, { teams: 1000, extensions: 1, dids: 1 });
  const counted = connect(url, { ...patient, max: 2 });
  t.teardown(() => counted.destroy());
  let statements = 0;
  counted.on('query', () => statements++);
  let slices = 0;
  const web = await apiOf(t, counted, {
    metrics: {
      token,
      pause: async () => {
        slices++;
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
  });
  const answers = await Promise.all(Array.from({ length: 5 }, () => web.inject(question)));
  const body = answers[0]?.body ?? '';
  t.ok(statements <= 6, `${statements} statements`);
  t.equal(new Set(answers.map((answer) => answer.body)).size, 1, 'asked for at once, made once');
  t.ok(slices >= 6 && slices <= 8, `${slices} slices`);
  const perTeam = own(body).filter((line) => line.includes('team="t7"'));
  t.same(
    perTeam.map((line) => line.replace(/ [^ ]*$/, '')),
    ['star64_agents{team="t7"}', 'star64_calls_waiting{team="t7"}', 'star64_longest_wait_seconds{team="t7"}'],
  );
  t.ok(own(body).length < 3 * 1002 + 20, `${own(body).length} series`);
  t.notMatch(body, /star64_[a-z_]*_bucket/);
  t.notMatch(body, 'star64_handle_seconds');
});

await t.test('between two slices whatever else waits goes first', async (t) => {
  const seen: string[] = [];
  let ticks = 0;
  const timer = setImmediate(function again() {
    ticks++;
    if (ticks < 100) setImmediate(again);
  });
  function* lines() {
    for (let line = 0; line < 2000; line++) {
      if (line % 500 === 0) seen.push(String(ticks));
      yield 'x\n';
    }
  }
  t.equal((await inSlices(lines())).length, 4000);
  clearImmediate(timer);
  t.equal(new Set(seen).size, 4, `turns of the loop at each slice: ${seen.join(' ')}`);
});
