import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Session } from '../../agi/wire/session.js';
import { outcome, Wire } from './wire.js';

/** A conversation as Asterisk has it: the environment, then what it sends after each command. */
const recorded = new URL('../../../fixtures/agi/', import.meta.url);
const environment = readFileSync(new URL('environment.txt', recorded));
const answers = readFileSync(new URL('answers.txt', recorded), 'latin1')
  .split('%%\n')
  .map((answer) => Buffer.from(answer, 'latin1'));

const script: ((session: Session) => Promise<unknown>)[] = [
  (s) => s.sendCommand('STREAM FILE'),
  (s) => s.getData('agent-user', 1_000, 4),
  (s) => s.sendCommand('NONSENSE'),
  (s) => s.noop(),
  (s) => s.getData('beep', 1_000, 1),
  (s) => s.sendCommand('STREAM FILE beep ""'),
  (s) => s.setVariable('STAR64_ANSWER', 'done,agent-loginok'),
];

/** The conversation, with every block of bytes cut into packets by `pieces`. */
async function play(
  t: Parameters<typeof Wire.open>[0],
  pieces: (bytes: Buffer) => Buffer[],
): Promise<unknown[]> {
  const wire = await Wire.open(t);
  const send = async (bytes: Buffer): Promise<void> => {
    for (const piece of pieces(bytes)) {
      wire.send(piece);
      await new Promise(setImmediate);
    }
  };
  const results: unknown[] = [];
  await send(environment);
  const { callerIdName, args } = await wire.session.ready;
  results.push(callerIdName, args);
  for (const [i, step] of script.entries()) {
    const result = outcome(step(wire.session));
    await wire.line();
    await send(answers[i] ?? Buffer.alloc(0));
    results.push(await result);
  }
  results.push(wire.session.hungUp);
  wire.socket.destroy();
  return results;
}

const expected = [
  'Zoë: 王',
  ['5ba1', '', 'b,c'],
  'rejected 520',
  '12',
  'rejected 510',
  '0',
  'rejected 200',
  'hangup 511',
  '1',
  true,
];

await t.test('the recorded conversation', async (t) => {
  t.same(await play(t, (bytes) => [bytes]), expected);
});

await t.test('byte by byte it is the same', async (t) => {
  t.same(await play(t, (bytes) => Array.from(bytes, (byte) => Buffer.of(byte))), expected);
});

await t.test('cut anywhere it is the same', async (t) => {
  for (let seed = 1; seed <= 100; seed++) {
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const pieces = (bytes: Buffer): Buffer[] => {
      const all: Buffer[] = [];
      for (let from = 0, to; from < bytes.length; from = to) {
        to = from + 1 + random(40);
        all.push(bytes.subarray(from, to));
      }
      return all;
    };
    const results = await play(t, pieces);
    if (JSON.stringify(results) !== JSON.stringify(expected)) t.same(results, expected, `seed ${seed}`);
  }
});

await t.test('random bytes settle every promise and end no process', async (t) => {
  let state = 64;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const words = [
    '200 result=1 (',
    ')',
    '\n',
    'HANGUP\n',
    '520-',
    '520 End of proper usage.\n',
    '511 ',
    '\0',
    '\xff',
    '100 ',
  ];
  for (let round = 0; round < 100; round++) {
    const wire = await Wire.ready(t, { slowCommandTimeoutMs: 100, hangupGraceMs: 20, endGraceMs: 20 });
    const all = ['A', 'B', 'C'].map((name) => outcome(wire.session.getData(name, 1, 1)));
    for (let i = 0; i < 20; i++) wire.send(Buffer.from(words[random(words.length)] ?? '', 'latin1'));
    const ends = await Promise.all(all);
    t.notOk(ends.includes('pending'), `round ${round}`);
    wire.socket.destroy();
  }
});
