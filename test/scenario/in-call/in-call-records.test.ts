import t from 'tap';
import { listCalls } from '../../../domain/calls/records/list.js';
import { readStory } from '../../../domain/calls/records/story.js';
import { until } from '../../../domain/machine/processes.js';
import { readStatus } from '../../../domain/monitor/status.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, dialAndHear, signedInPhone, stateOf, statesOf, waitState } from '../../support/centre.js';
import { waitJoined } from '../../support/phones/in-call.js';
import { partsAddUp } from '../../support/phones/recorded-calls.js';

/** What becomes of states and records while an agent holds a call, asks somebody and leaves them to each other. */
const settings = { wrapUp: 'answer', wrapUpSeconds: 0, directCalls: 'wrap-up' };
const team = crowd(2, {
  groups: [
    { name: 'support', number: '6000', ...settings },
    { name: 'sales', number: '6001', ...settings },
  ],
});
const centre = await centreOf(t, {
  ...team,
  agents: team.agents.map((agent, index) => ({ ...agent, groups: [index === 0 ? 'support' : 'sales'] })),
});
const { db, server } = centre;
const anna = await signedInPhone(centre, '1001');
const bert = await signedInPhone(centre, '1002');

/** A customer whom Anna of support has answered. */
async function answered() {
  const from = await centre.asterisk.verbose.mark();
  const customer = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await anna.established();
  await waitState(centre, '1001', 'talking');
  await waitJoined(centre, anna, from);
  const call = await until(
    'the call',
    async () =>
      (await db('calls').whereNull('ended_at').orderBy('id', 'desc').pluck<string[]>('uniqueid'))[0],
  );
  return { customer, call };
}

/** Bert, whom Anna has asked for, answers. */
async function bertAnswers(): Promise<void> {
  await bert.incoming();
  await waitState(centre, '1002', 'ringing');
  const from = await centre.asterisk.verbose.mark();
  await bert.answer();
  await bert.established();
  await waitState(centre, '1002', 'talking');
  await waitJoined(centre, bert, from);
}

/** Waits until no hold of the call goes on, or one does. */
const holding = (kind: string | null): Promise<true> =>
  until(`a hold of kind ${String(kind)}`, async () => {
    const [open = null] = await db('holds').whereNull('ended_at').pluck<string[]>('kind');
    return open === kind ? true : undefined;
  });
/** Waits until so many agents of support talk to a customer of theirs. */
const supportTalks = (talking: number): Promise<true> =>
  until(`${talking} to talk in support`, async () => {
    const { groups } = await readStatus(db, 'astercc');
    return groups.find(({ name }) => name === 'support')?.talking === talking ? true : undefined;
  });
const ended = (call: string): Promise<true> =>
  until('the end of the call', async () =>
    (await db('calls').where({ uniqueid: call }).whereNotNull('ended_at')).length === 1 ? true : undefined,
  );
const ready = async (agent: string, phone: typeof anna): Promise<void> => {
  await phone.closed();
  await waitState(centre, agent, 'wrap-up');
  await dialAndHear(centre, phone, '*67', 'activated');
};
const says = async (call: string): Promise<string[]> =>
  (await readStory(db, 'astercc', call)).story.map((one) => one.says);

await t.test('held, given up, and left to whom they asked: each has their own state', async (t) => {
  const { customer, call } = await answered();
  await anna.hold();
  await holding('hold');
  await anna.resume();
  await holding(null);
  await anna.digits('*25002');
  await bertAnswers();
  await holding('consult');
  t.equal(await stateOf(centre, '1001'), 'talking');
  await anna.digits('*4');
  await holding(null);
  await ready('1002', bert);
  t.equal(await stateOf(centre, '1001'), 'talking');
  const before = (await statesOf(centre, '1002')).length;
  await anna.digits('*25002');
  await bertAnswers();
  await anna.digits('*6');
  await ready('1001', anna);
  t.equal(await stateOf(centre, '1002'), 'talking', 'who has the customer now');
  // A customer after a transfer is in no group.
  await supportTalks(0);
  await customer.hangup();
  await ready('1002', bert);
  await ended(call);
  t.same((await statesOf(centre, '1002')).slice(before, before + 3), ['ringing', 'talking', 'wrap-up']);
  const story = (await says(call)).slice(1);
  const joins = /^joins the queue of support/;
  const answers = /^answered by agent 1001 at 5001/;
  const toAsk = /^agent 1001 at 5001 puts the call on hold to ask somebody$/;
  const hasAsked = /^agent 1001 at 5001 has asked/;
  const over = /^over after .*: answered/;
  // What comes of one key is told by different events, each with a time of its own: the one before the other, or behind it.
  for (const wanted of [
    [
      ...[joins, answers, /^agent 1001 at 5001 puts the call on hold$/, /^agent 1001 at 5001 takes it back/],
      ...[toAsk, hasAsked, toAsk, over],
    ],
    [answers, /^asks 5002$/, hasAsked, /^asks 5002$/, /^sent on to 5002 by 5001 \(attended\)$/, over],
    [answers, hasAsked, /^the talk with agent 1001 is over/, over],
  ]) {
    let at = 0;
    for (const pattern of wanted) {
      const found = story.findIndex((one, index) => index >= at && pattern.test(one));
      t.ok(found >= 0, `${String(pattern)} after ${at} of\n${story.join('\n')}`);
      at = found < 0 ? at : found + 1;
    }
  }
  const whole = await readStory(db, 'astercc', call);
  const { agents, ...seconds } = whole;
  const [listed] = (await listCalls(db, 'astercc')).calls;
  t.match(listed, {
    talkSeconds: seconds.talkSeconds,
    holdSeconds: seconds.holdSeconds,
    consultSeconds: seconds.consultSeconds,
  });
  partsAddUp(t, whole);
  t.ok((seconds.consultSeconds ?? 0) > 0);
  t.same(
    agents.map(({ agent, kind }) => `${agent} ${kind}`),
    ['1001 queue', '1002 internal', '1002 internal'],
  );
});

await t.test(
  'the customer is gone first, and the server killed meanwhile: talking until they hang up',
  async (t) => {
    const { customer, call } = await answered();
    await anna.digits('*25002');
    await bertAnswers();
    await holding('consult');
    await server.kill();
    await customer.hangup();
    const mark = await server.log.mark();
    await server.start();
    await ended(call);
    await server.log.waitFor(/"step":"ended calls".*"msg":"mended"/, mark);
    t.equal(await stateOf(centre, '1001'), 'talking');
    t.equal(await stateOf(centre, '1002'), 'talking');
    await anna.hangup();
    await ready('1001', anna);
    await ready('1002', bert);
    await holding(null);
  },
);

await t.test('the agent leaves a conference, and a colleague of a queue whom they asked stays', async (t) => {
  const { customer, call } = await answered();
  await anna.digits('*26001');
  await bertAnswers();
  await holding('consult');
  await anna.digits('*3');
  await holding(null);
  t.equal(await stateOf(centre, '1001'), 'talking');
  await supportTalks(1);
  await anna.hangup();
  await ready('1001', anna);
  await supportTalks(0);
  t.equal(await stateOf(centre, '1002'), 'talking');
  await customer.hangup();
  await ready('1002', bert);
  await ended(call);
  const visits = await db('queue_visits as v')
    .join('calls as c', 'c.id', 'v.call_id')
    .join('agents as a', 'a.id', 'v.agent_id')
    .where('c.uniqueid', call)
    .orderBy('v.id')
    .pluck<string[]>('a.number');
  t.same(visits, ['1001', '1002']);
  t.ok((await says(call)).includes('a conference with 6001, by 5001'), (await says(call)).join('\n'));
});
