import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { until } from '../../../domain/machine/processes.js';
import {
  centreOf,
  dialAndHear,
  gaps,
  sameStates,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

/** How an offer ends, and after which of them each mode begins a wrap-up (spec 53-55). */
const endings = ['answered', 'no answer', 'caller gone', 'rejected', 'answered elsewhere'] as const;
const wrapsUp: Record<string, readonly string[]> = { ring: endings, answer: ['answered'], off: [] };

/** Of each mode a second group, whose calls ring for a moment only: for the ending in which nobody answers. */
const groups = Object.keys(wrapsUp).flatMap((wrapUp) => {
  const common = { wrapUp, wrapUpSeconds: 0, strategy: 'ringall' };
  return [
    { ...common, name: wrapUp, ringSeconds: 60 },
    { ...common, name: `${wrapUp}_brief`, ringSeconds: 3 },
  ];
});
const names = groups.map(({ name }) => name);
const team = crowd(3, { groups });
const did = (group: string): string => `60010${names.indexOf(group)}`;
const centre = await centreOf(t, {
  ...team,
  dids: names.map((name) => ({ number: did(name), to: `group:${name}` })),
});
const queues = names.map((name) => `astercc-${name}`);
const phone = await centre.phone('5001');
const colleague = await centre.phone('5002');
const server = centre.asterisk.sip;
const call = (group: string): Promise<Caller> => Caller.call({ from: '4930555', to: did(group), server });

await dialAndHear(centre, phone, '*641001', 'agent-loginok');

for (const [mode, wrapping] of Object.entries(wrapsUp)) {
  for (const ending of endings) {
    const expected = wrapping.includes(ending) ? 'wrap-up' : 'idle';
    await t.test(`${mode} wrap-up, ${ending}: ${expected} (spec 53-55)`, async (t) => {
      if (ending === 'answered elsewhere') await dialAndHear(centre, colleague, '*641002', 'agent-loginok');
      const before = (await statesOf(centre, '1001')).length;
      const caller = await call(ending === 'no answer' ? `${mode}_brief` : mode);
      await phone.incoming();
      await waitBeen('ringing', before);
      await end(ending, caller, phone);
      const wanted = ending === 'answered' ? ['ringing', 'talking', expected] : ['ringing', expected];
      if ((ending === 'no answer' || ending === 'rejected') && expected === 'idle')
        await sameEachTime(t, before, wanted);
      else await sameStates(t, centre, '1001', before, wanted);
      // Wrap-up holds in every queue of the agent (spec 52); without it he is free in all of them.
      const member = expected === 'wrap-up' ? '1001 paused:wrapup' : '1001';
      const others = ending === 'answered elsewhere' ? [/^1002/] : [];
      for (const queue of queues) await waitMembers(centre, queue, [member, ...others]);

      await caller.hangup();
      if (ending === 'answered elsewhere') {
        await colleague.closed();
        await dialAndHear(centre, colleague, '*65', 'agent-loggedoff');
      }
      await dialAndHear(centre, phone, '*67', 'activated');
      await waitState(centre, '1001', 'idle');
      for (const queue of queues) await waitMembers(centre, queue, ['1001']);
    });
  }
}

/** Waits until the agent is, or has been, in this state: on a busy machine it may be over before anybody looks. */
async function waitBeen(state: string, before: number): Promise<void> {
  await until(`1001 to be ${state}`, async () =>
    (await statesOf(centre, '1001')).slice(before).includes(state) ? true : undefined,
  );
}

/** The same states each time that the phone rings: a queue rings again, until the caller has hung up. */
async function sameEachTime(t: Test, before: number, wanted: readonly string[]): Promise<void> {
  const times = async (): Promise<string[][]> => {
    const lists: string[][] = [];
    for (const state of (await statesOf(centre, '1001')).slice(before)) {
      if (state === 'ringing' || lists.length === 0) lists.push([]);
      lists.at(-1)?.push(state);
    }
    return lists;
  };
  const seen = await until('the end of the last offer', async () => {
    const lists = await times();
    return isDeepStrictEqual(lists.at(-1), wanted) ? lists : undefined;
  }).catch(times);
  t.same(
    seen,
    Array.from({ length: Math.max(1, seen.length) }, () => wanted),
    'the states',
  );
}

/** Lets the offer that rings at the phone end in this way. */
async function end(ending: (typeof endings)[number], caller: Caller, ringing: Phone): Promise<void> {
  switch (ending) {
    case 'answered':
      await ringing.answer();
      await ringing.established();
      await waitState(centre, '1001', 'talking');
      await caller.hangup();
      break;
    case 'caller gone':
      await caller.hangup();
      break;
    case 'rejected':
      await ringing.hangup();
      break;
    case 'answered elsewhere':
      await colleague.incoming();
      await colleague.answer();
      await colleague.established();
      break;
    case 'no answer':
      break;
  }
  await ringing.closed();
  // Nobody answers, and it would ring again: the caller has had enough after the first time.
  if (ending === 'no answer' || ending === 'rejected') await caller.hangup();
}

await t.test(
  'the waiting call rings at once when *67 ends the wrap-up, and not before (spec 52)',
  async (t) => {
    await caught(await call('answer'));
    const seen = phone.events.length;
    const waiting = await call('answer');
    await until('the call in the queue', async () => {
      const text = await centre.asterisk.console('queue show astercc-answer');
      return /has 1 calls/.test(text) ? true : undefined;
    });
    await dialAndHear(centre, phone, '*67', 'activated');
    await phone.incoming();
    const order = phone.events
      .slice(seen)
      .flatMap(({ type }) => (/^CALL_(CLOSED|INCOMING)$/.test(type) ? [type] : []));
    t.same(
      order.slice(0, 2),
      ['CALL_CLOSED', 'CALL_INCOMING'],
      'it did not ring before the wrap-up was over',
    );
    await waiting.hangup();
    await phone.closed();
    await waitState(centre, '1001', 'idle');
  },
);

await t.test(
  'its time runs out, and the waiting call rings; changed seconds count from the next call',
  async (t) => {
    await centre.star64('group', 'set', 'answer', '--wrap-up-seconds', '2');
    await caught(await call('answer'));
    const waiting = await call('answer');
    await phone.incoming();
    const { rows } = await centre.db.raw<{ rows: { early: boolean }[] }>(
      `select ended_at < deadline_at as early from agent_states where state = 'wrap-up' order by id desc limit 1`,
    );
    t.same(rows, [{ early: false }], 'not before the deadline, by the clock of the database');
    await waiting.hangup();
    await phone.closed();
    await waitState(centre, '1001', 'idle');
  },
);

await t.test('no interval of any agent has a gap', async (t) => {
  await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
  t.same(await gaps(centre), []);
});

/** A call that the agent answers and the caller ends: wrap-up begins. */
async function caught(caller: Caller): Promise<void> {
  const before = (await statesOf(centre, '1001')).length;
  await phone.incoming();
  await phone.answer();
  await phone.established();
  await caller.hangup();
  await phone.closed();
  await waitBeen('wrap-up', before);
}
