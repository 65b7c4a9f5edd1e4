import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { readStory } from '../../../domain/calls/records/story.js';
import { until } from '../../../domain/machine/processes.js';
import { signInAgent, signOutAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, dialAndHear, signedInPhone, stateOf, statesOf, waitState } from '../../support/centre.js';
import { waitJoined, waitTold } from '../../support/phones/in-call.js';
import { partsAddUp } from '../../support/phones/recorded-calls.js';

/** How a question within a call ends, and what is recorded of everybody then: offers, visits, states and seconds. */
const settings = { wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0, directCalls: 'wrap-up' };
const team = crowd(3, {
  groups: [
    { name: 'support', number: '6000', ...settings },
    { name: 'sales', number: '6001', ...settings },
  ],
});
const centre = await centreOf(
  t,
  {
    ...team,
    agents: team.agents.map((agent, at) => ({ ...agent, groups: [at === 1 ? 'sales' : 'support'] })),
    dids: [...team.dids, { number: '605001', to: 'extension:5001' }],
  },
  {
    provision: async (db) => {
      await addRingGroup(db, 'astercc', { number: '7001', members: ['5002'], ringSeconds: 10 });
      await setTeam(db, 'astercc', { transferFallback: 'group:sales' });
    },
  },
);
const { asterisk, db } = centre;
const anna = await signedInPhone(centre, '1001');
const bert = await signedInPhone(centre, '1002');
const carl = await centre.phone('5003');

async function pickUp(phone: Phone, agent: string): Promise<void> {
  const from = await asterisk.verbose.mark();
  await phone.incoming();
  await waitState(centre, agent, 'ringing');
  await phone.answer();
  await phone.established();
  await waitState(centre, agent, 'talking');
  await waitJoined(centre, phone, from);
}

/** A customer whom Anna has answered, and the call. */
async function answered(to = '600100'): Promise<{ customer: Phone; call: string }> {
  const before = await db('calls').max<{ max: number | null }[]>('id');
  const { phone: customer } = await callIn(centre, to);
  await pickUp(anna, '1001');
  const call = await until('the call to be recorded', async () => {
    const [uniqueid] = await db('calls')
      .where('id', '>', before[0]?.max ?? 0)
      .pluck<string[]>('uniqueid');
    return uniqueid;
  });
  return { customer, call };
}

/** Who was called in the call, by a queue or a colleague, and what came of it: `consult 1002 rejected`. */
async function offersOf(call: string): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { told: string }[] }>(
    `select concat_ws(' ', o.kind, a.number, o.result, case when o.ended_at is null then 'open' end) as told
     from offers o join agents a on a.id = o.agent_id left join queue_visits v on v.id = o.visit_id
     left join calls c on c.id = v.call_id where coalesce(o.call, c.uniqueid) = ? order by o.id`,
    [call],
  );
  return rows.map(({ told }) => told);
}
async function waitOffers(call: string, ...wanted: string[]): Promise<void> {
  let offers: string[] = [];
  await until(`the offers ${wanted.join(', ')}`, async () => {
    offers = await offersOf(call);
    return isDeepStrictEqual(offers, wanted) ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`the offers are ${offers.join(', ')}`, { cause: error });
  });
}

const rings = (phone: Phone): number => phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;
const ready = async (agent: string, phone: Phone): Promise<void> => {
  await phone.closed();
  await waitState(centre, agent, 'wrap-up');
  await dialAndHear(centre, phone, '*67', 'activated');
};

/** The call is over: its parts add up, and these agents talked in it, each from what it came to them. */
async function over(t: Test, call: string, ...talked: string[]): Promise<void> {
  await until('the end of the call', async () =>
    (await db('calls').where({ uniqueid: call }).whereNotNull('ended_at')).length === 1 ? true : undefined,
  );
  await until('nothing of it to go on', async () =>
    (await db('holds').where({ call }).whereNull('ended_at')).length === 0 ? true : undefined,
  );
  const story = await readStory(db, 'astercc', call);
  const { outcome, agents } = story;
  t.equal(outcome, 'answered');
  t.same(
    agents.map(({ agent, kind }) => `${agent} ${kind}`),
    talked,
  );
  partsAddUp(t, story);
}

await t.test('busy, nobody answers, taken back: a word, and the customer again', async (t) => {
  const { customer, call } = await answered();
  let from = await asterisk.verbose.mark();
  await anna.digits('*25002');
  await bert.incoming();
  await waitState(centre, '1002', 'ringing');
  await bert.hangup();
  await waitTold(centre, 'vm-isonphone', from);
  // To whom she asked, and to the customer again.
  await waitJoined(centre, anna, from, 2);
  await waitState(centre, '1002', 'idle');
  from = await asterisk.verbose.mark();
  await anna.digits('*27001');
  await bert.incoming();
  await waitTold(centre, 'vm-nobodyavail', from);
  await waitJoined(centre, anna, from, 2);
  await bert.closed();
  const asked = ['queue 1001 answered open', 'consult 1002 rejected', 'consult 1002 missed'];
  await waitOffers(call, ...asked);
  from = await asterisk.verbose.mark();
  await anna.digits('*25002');
  await bert.incoming();
  await anna.digits('*4');
  await bert.closed();
  await waitJoined(centre, anna, from, 2);
  await waitOffers(call, ...asked, 'consult 1002 cancelled');
  t.equal(await stateOf(centre, '1001'), 'talking');

  // They leave while they talk with whom they asked: who has the customer then.
  await anna.digits('*25002');
  await pickUp(bert, '1002');
  await anna.hangup();
  await ready('1001', anna);
  t.equal(await stateOf(centre, '1002'), 'talking');
  await waitOffers(
    call,
    'queue 1001 answered',
    ...asked.slice(1),
    'consult 1002 cancelled',
    'consult 1002 answered open',
  );
  await customer.hangup();
  await ready('1002', bert);
  await over(t, call, '1001 queue', '1002 internal');
  const { consultSeconds, story } = await readStory(db, 'astercc', call);
  t.ok((consultSeconds ?? 0) > 0);
  t.ok(
    story.some(({ says }) =>
      /^agent 1002 at 5002 is asked: answered after \d+ s, and is in the call for \d+ s$/.test(says),
    ),
  );
});

await t.test(
  'they leave while it rings, and it is refused: the front of the queue, and not them',
  async (t) => {
    const { customer, call } = await answered();
    const rung = rings(anna);
    await anna.digits('*25002');
    await bert.incoming();
    await anna.hangup();
    await waitState(centre, '1001', 'wrap-up');
    await bert.hangup();
    await signInAgent(db, 'astercc', '1003', { extension: '5003', by: 'test' });
    await pickUp(carl, '1003');
    t.equal(await stateOf(centre, '1001'), 'wrap-up');
    t.equal(rings(anna), rung, 'nobody has called them');
    await customer.hangup();
    await carl.closed();
    await waitOffers(call, 'queue 1001 answered', 'consult 1002 rejected', 'queue 1003 answered');
    await over(t, call, '1001 queue', '1003 queue');
    await signOutAgent(db, 'astercc', '1003', 'test');
    await ready('1001', anna);
  },
);

await t.test('the same in a call that came from no queue: as the team says', async (t) => {
  const { customer, call } = await answered('605001');
  await anna.digits('*25002');
  await bert.incoming();
  await anna.hangup();
  await waitState(centre, '1001', 'wrap-up');
  await bert.hangup();
  await pickUp(bert, '1002');
  t.equal(await stateOf(centre, '1001'), 'wrap-up');
  await customer.hangup();
  await ready('1002', bert);
  await waitOffers(call, 'consult 1002 rejected', 'queue 1002 answered');
  await over(t, call, '1001 direct', '1002 queue');
  await ready('1001', anna);
});

for (const [what, leaves] of [
  ['is completed as its agent has answered', true],
  ['is left as the phone of its agent rings', false],
] as const)
  await t.test(`a queue is asked, and the call ${what}`, async (t) => {
    const { customer, call } = await answered();
    const before = (await statesOf(centre, '1002')).length;
    await anna.digits('*26001');
    if (leaves) {
      await pickUp(bert, '1002');
      await anna.digits('*6');
    } else {
      await bert.incoming();
      await anna.hangup();
      await waitState(centre, '1001', 'wrap-up');
      await waitState(centre, '1002', 'ringing');
      await bert.answer();
      await bert.established();
      await waitState(centre, '1002', 'talking');
    }
    await ready('1001', anna);
    t.equal(await stateOf(centre, '1002'), 'talking');
    await customer.hangup();
    await ready('1002', bert);
    await waitOffers(call, 'queue 1001 answered', 'queue 1002 answered');
    await over(t, call, '1001 queue', '1002 queue');
    t.same((await statesOf(centre, '1002')).slice(before, before + 3), ['ringing', 'talking', 'wrap-up']);
  });
