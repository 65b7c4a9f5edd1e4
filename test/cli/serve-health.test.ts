import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Histogram } from '../../domain/machine/exposition.js';
import { Health, type HealthFacts } from '../../cli/serve/health.js';

function timesOf(...seconds: number[]): Histogram {
  const times = new Histogram([0.05, 1]);
  for (const took of seconds) times.add(took);
  return times;
}

const facts: HealthFacts = {
  version: '1.2.3',
  node: 'default',
  questions: () => ({
    active: 2,
    refused: 4,
    scripts: new Map([['inbound', { served: 10, hungUp: 3, failed: 1, seconds: timesOf(0.002, 0.3) }]]),
  }),
  offers: () => [{ team: 'astercc', group: 'support', result: 'missed', count: 5 }],
  wrapUpEnds: timesOf(0.07),
  managerConnected: () => true,
  leading: () => false,
  askDatabase: () => Promise.resolve(),
};

async function open(t: Test, more: Partial<HealthFacts> = {}) {
  const health = new Health(0, { ...facts, ...more }, pino({ enabled: false }));
  await health.start();
  t.teardown(() => health.stop());
  return async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${health.listensOn ?? 0}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
}

await t.test('a server says that it lives, that it can answer, and how many it has answered', async (t) => {
  const ask = await open(t);
  t.equal((await ask('/livez')).status, 200);
  t.equal((await ask('/readyz')).status, 200);
  t.equal((await ask('/strange')).status, 404);
  const lines = (await ask('/metrics')).text.split('\n').filter((line) => !line.startsWith('#'));
  t.same(lines, [
    'star64_build_info{version="1.2.3",node="default"} 1',
    'star64_db_up 1',
    'star64_agi_questions_total{script="inbound",result="served"} 10',
    'star64_agi_questions_total{script="inbound",result="hung_up"} 3',
    'star64_agi_questions_total{script="inbound",result="failed"} 1',
    'star64_agi_questions_total{result="refused"} 4',
    'star64_agi_question_seconds_bucket{script="inbound",le="0.05"} 1',
    'star64_agi_question_seconds_bucket{script="inbound",le="1"} 2',
    'star64_agi_question_seconds_bucket{script="inbound",le="+Inf"} 2',
    'star64_agi_question_seconds_sum{script="inbound"} 0.302000',
    'star64_agi_question_seconds_count{script="inbound"} 2',
    'star64_agi_questions_active 2',
    'star64_offers_total{team="astercc",group="support",result="missed"} 5',
    'star64_wrap_up_end_delay_seconds_bucket{le="0.05"} 0',
    'star64_wrap_up_end_delay_seconds_bucket{le="1"} 1',
    'star64_wrap_up_end_delay_seconds_bucket{le="+Inf"} 1',
    'star64_wrap_up_end_delay_seconds_sum 0.0700000',
    'star64_wrap_up_end_delay_seconds_count 1',
    'star64_ami_connected{node="default"} 1',
    'star64_leading{node="default"} 0',
    '',
  ]);
});

await t.test('of more than 200 groups offers are told by their result alone', async (t) => {
  const of = (team: string) => ({ team, group: 'support', result: 'answered' as const, count: 2 });
  const ask = await open(t, { offers: () => Array.from({ length: 201 }, (_, at) => of(`t${at}`)) });
  const lines = (await ask('/metrics')).text.split('\n').filter((line) => line.startsWith('star64_offers'));
  t.same(lines, ['star64_offers_total{result="answered"} 402']);
});

await t.test('without a database it lives, and is not ready', async (t) => {
  const ask = await open(t, { askDatabase: () => Promise.reject(new Error('away')) });
  t.equal((await ask('/livez')).status, 200);
  t.equal((await ask('/readyz')).status, 503);
  t.match((await ask('/metrics')).text, 'star64_db_up 0');
});

await t.test('a port that another has is said, and calls are answered all the same', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const said: string[] = [];
  const log = pino({}, { write: (line: string) => void said.push(line) });
  const health = new Health((other.address() as AddressInfo).port, facts, log);
  await health.start();
  t.match(said.join(''), /cannot be had/);
  await health.stop();
});
