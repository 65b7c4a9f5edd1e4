import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, waitWaiting } from '../../support/calls.js';
import {
  centreOf,
  dialAndHear,
  membersOf,
  signedInPhone,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

/** Calls that no queue gives an agent: from phone to phone, and from outside to a phone. */
const groups = [
  { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, directCalls: 'wrap-up' },
];
const team = crowd(3, { groups });
const dids = [...team.dids, { number: '600200', to: 'extension:5001' }];
const centre = await centreOf(t, { ...team, dids });
const queue = 'astercc-support';
await centre.star64('pause-reason', 'add', '1', 'Lunch', '--max', '600');
const phone = await signedInPhone(centre, '1001');
const colleague = await centre.phone('5003');

const kinds = async (): Promise<(string | null)[]> =>
  centre
    .db('agent_states as s')
    .join('agents as a', 'a.id', 's.agent_id')
    .where({ 'a.number': '1001', 's.state': 'talking' })
    .orderBy('s.id')
    .pluck<(string | null)[]>('s.call_kind');

/** Calls the colleague, who answers. */
async function talk(): Promise<void> {
  await phone.dial('5003');
  await colleague.incoming();
  await waitState(centre, '1001', 'talking');
  await colleague.answer();
  await phone.established();
}

async function end(hangsUp: Phone): Promise<void> {
  await hangsUp.hangup();
  await phone.closed();
  await colleague.closed();
}

await t.test(
  'who calls a colleague talks from dialling, and has a wrap-up: the waiting call comes at once after *67',
  async (t) => {
    await talk();
    await end(colleague);
    await waitState(centre, '1001', 'wrap-up');
    await waitMembers(centre, queue, ['1001 paused:wrapup']);
    t.same((await statesOf(centre, '1001')).slice(-2), ['talking', 'wrap-up']);
    t.equal((await kinds()).at(-1), 'internal');
    const seen = phone.events.length;
    const waiting = await callIn(centre);
    await waitWaiting(centre, queue, 1);
    await dialAndHear(centre, phone, '*60', 'vm-Work');
    await dialAndHear(centre, phone, '*67', 'activated');
    await phone.incoming();
    const [first, second, third] = phone.events
      .slice(seen)
      .flatMap(({ type }) => (/^CALL_(CLOSED|INCOMING)$/.test(type) ? [type] : []));
    t.same(
      [first, second, third],
      ['CALL_CLOSED', 'CALL_CLOSED', 'CALL_INCOMING'],
      'it did not ring before the end of the call to *67',
    );
    await waitState(centre, '1001', 'ringing');
    await waiting.hangup();
    await phone.closed();
    await waitState(centre, '1001', 'idle');
  },
);

await t.test('nobody answers: no wrap-up, as the mode is that of answered calls', async (t) => {
  await phone.dial('5003');
  await colleague.incoming();
  await waitState(centre, '1001', 'talking');
  await end(phone);
  await waitState(centre, '1001', 'idle');
  await waitMembers(centre, queue, ['1001']);
  t.same((await statesOf(centre, '1001')).slice(-2), ['talking', 'idle']);
});

await t.test('a call from outside to the phone rings, talks, and has a wrap-up', async (t) => {
  const before = (await statesOf(centre, '1001')).length;
  const caller = await callIn(centre, '600200');
  await phone.incoming();
  await waitState(centre, '1001', 'ringing');
  await phone.answer();
  await waitState(centre, '1001', 'talking');
  await dialAndHear(centre, colleague, '*60', 'spy-agent');
  await caller.hangup();
  await phone.closed();
  await waitState(centre, '1001', 'wrap-up');
  t.same((await statesOf(centre, '1001')).slice(before), ['ringing', 'talking', 'wrap-up']);
  t.equal((await kinds()).at(-1), 'direct');
  await waitMembers(centre, queue, ['1001 paused:wrapup']);
});

await t.test('a call in a wrap-up ends it at the dialling, and another one follows', async (t) => {
  const before = (await statesOf(centre, '1001')).length;
  await talk();
  t.same(await membersOf(centre, queue), ['1001 paused:wrapup'], 'no queue sees them free meanwhile');
  await end(phone);
  await waitState(centre, '1001', 'wrap-up');
  t.same((await statesOf(centre, '1001')).slice(before), ['talking', 'wrap-up']);
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitMembers(centre, queue, ['1001']);
});

await t.test('an unanswered call in a wrap-up ends it, and none follows', async (t) => {
  await talk();
  await end(phone);
  await waitState(centre, '1001', 'wrap-up');
  await phone.dial('5003');
  await colleague.incoming();
  await waitState(centre, '1001', 'talking');
  await end(phone);
  await waitState(centre, '1001', 'idle');
  await waitMembers(centre, queue, ['1001']);
  t.same((await statesOf(centre, '1001')).slice(-3), ['wrap-up', 'talking', 'idle']);
});

await t.test(
  'a call in a pause interrupts it: talking, wrap-up, the same pause; in Asterisk it never opens',
  async (t) => {
    await dialAndHear(centre, phone, '*661', 'do-not-disturb');
    await waitMembers(centre, queue, ['1001 paused:pause:1']);
    const logged = (await centre.asterisk.queueLog()).length;
    const before = (await statesOf(centre, '1001')).length;
    await talk();
    t.same(await membersOf(centre, queue), ['1001 paused:pause:1']);
    await t.rejects(centre.star64('agent', 'ready', '1001'), 'it changes nothing in a call, and says so');
    t.same(await membersOf(centre, queue), ['1001 paused:pause:1']);
    await end(colleague);
    await waitState(centre, '1001', 'wrap-up');
    t.same(await membersOf(centre, queue), ['1001 paused:pause:1']);
    await dialAndHear(centre, phone, '*67', 'vm-Work', 'cancelled', 'dictate/paused', 'digits/1');
    await waitState(centre, '1001', 'paused');
    t.same((await statesOf(centre, '1001')).slice(before), ['talking', 'wrap-up', 'paused']);
    const pauses = await centre
      .db('agent_states')
      .where({ state: 'paused', reason: 'Lunch' })
      .orderBy('id')
      .select<{ started_at: Date; ended_at: Date | null; deadline_at: Date }[]>();
    t.equal(pauses.length, 2);
    const [first, second] = pauses;
    if (!first?.ended_at || !second) throw new Error('no two pauses');
    // Each of the four is rounded to a millisecond.
    const change =
      second.deadline_at.getTime() -
      second.started_at.getTime() -
      (first.deadline_at.getTime() - first.ended_at.getTime());
    t.ok(Math.abs(change) <= 2, `its longest time has stood still: ${change} ms`);
    t.same(
      (await centre.asterisk.queueLog()).slice(logged).filter((line) => /\|(UN)?PAUSE/.test(line)),
      [],
      'nothing was told of the pause meanwhile',
    );
    await dialAndHear(centre, phone, '*67', 'activated');
    await waitMembers(centre, queue, ['1001']);
  },
);

await t.test('signed out in such a call: nothing follows it', async (t) => {
  await talk();
  await centre.star64('agent', 'sign-out', '1001');
  await end(phone);
  await waitMembers(centre, queue, []);
  t.equal((await statesOf(centre, '1001')).at(-1), 'talking');
  await until('no mark', async () =>
    (await centre.asterisk.console('database show star64-wrapup')).includes('0 results') ? true : undefined,
  );
});

await t.test('a feature code and their own number are no calls', async (t) => {
  await signedInPhone(centre, '1001');
  const before = (await statesOf(centre, '1001')).length;
  await dialAndHear(centre, phone, '*60', 'activated');
  await phone.dial('5001');
  await phone.closed();
  await dialAndHear(centre, phone, '*661', 'do-not-disturb');
  await waitState(centre, '1001', 'paused');
  t.same(
    (await statesOf(centre, '1001')).slice(before),
    ['paused'],
    'whose time would have been told before',
  );
});
