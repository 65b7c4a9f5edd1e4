import { pino } from 'pino';
import t from 'tap';
import { LastingFault, type FaultWords } from '../../domain/machine/lasting-fault.js';

type Said = Record<string, unknown> & { level: number; msg: string };

/** A fault on a clock that the test turns, and what it says from level info on. */
function fault(words: Partial<FaultWords> = {}) {
  const said: Said[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line) as Said) });
  let now = 0;
  const lasting = new LastingFault(log, { fault: 'PostgreSQL is away', over: 'back', ...words }, () => now);
  const meet = (seconds: number, reason = 'refused'): void => {
    now += seconds * 1000;
    lasting.met(reason, { node: 'east' });
  };
  return { said, meet, over: () => lasting.over() };
}

void t.test('a fault is said at its beginning, once a minute, and at its end', (t) => {
  const { said, meet, over } = fault();
  over();
  t.same(said, [], 'what never began does not end');
  for (let second = 0; second <= 150; second++) meet(second === 0 ? 0 : 1);
  over();
  over();
  t.match(said, [
    { level: 40, msg: 'PostgreSQL is away', reason: 'refused', node: 'east' },
    { level: 40, msg: 'PostgreSQL is away', forSeconds: 60, times: 61 },
    { level: 40, msg: 'PostgreSQL is away', forSeconds: 120, times: 121 },
    { level: 30, msg: 'back', forSeconds: 150, times: 151 },
  ]);
  t.equal(said.length, 4);
  meet(1);
  t.match(said[4], { level: 40, msg: 'PostgreSQL is away', reason: 'refused' }, 'the next one begins anew');
  t.end();
});

void t.test('a new reason is said at once; one that differs every time is not', (t) => {
  const { said, meet } = fault();
  meet(0);
  meet(1, 'timed out');
  meet(1);
  meet(1, 'timed out');
  t.same(
    said.map(({ reason }) => reason),
    ['refused', 'timed out'],
  );
  for (let port = 0; port < 50; port++) meet(0.1, `from port ${port}`);
  t.equal(said.length, 5);
  t.end();
});

void t.test('a fault whose end nobody sees is a new one after a while', (t) => {
  const { said, meet } = fault({ fadesAfter: 300_000, level: 'error' });
  meet(0);
  meet(301);
  t.equal(said.length, 2);
  t.same(said[1]?.['forSeconds'], undefined);
  t.equal(said[1]?.level, 50);
  t.end();
});
