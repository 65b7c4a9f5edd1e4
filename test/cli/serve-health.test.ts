import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Health, type HealthFacts } from '../../cli/serve/health.js';

const facts: HealthFacts = {
  version: '1.2.3',
  node: 'default',
  questions: () => ({ active: 2, served: 10, hungUp: 3, failed: 1, refused: 4 }),
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
    'star64_agi_questions_total{result="served"} 10',
    'star64_agi_questions_total{result="hung_up"} 3',
    'star64_agi_questions_total{result="failed"} 1',
    'star64_agi_questions_total{result="refused"} 4',
    'star64_agi_questions_active 2',
    'star64_ami_connected{node="default"} 1',
    'star64_leading{node="default"} 0',
    '',
  ]);
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
