import t from 'tap';
import { signInAgent, signOutAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addHours } from '../../../domain/provisioning/features/hours.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { until } from '../../../domain/machine/processes.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { waitWaiting } from '../../support/calls.js';
import { centreOf, dialAndHear, stateOf, waitMembers, waitState } from '../../support/centre.js';
import { Voices } from '../../support/phones/in-call.js';

const voices = await Voices.of(t, 'anna', 'bert', 'carl', 'customer');
const team = crowd(3, {
  groups: [
    { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0 },
    { name: 'nobody', number: '6001' },
  ],
});
const centre = await centreOf(
  t,
  {
    ...team,
    agents: team.agents.map((agent) => ({ ...agent, groups: ['support'] })),
    dids: [
      ...team.dids,
      { number: '605001', to: 'extension:5001' },
      { number: '605002', to: 'extension:5002' },
    ],
  },
  {
    // The agent leaves while they are told this.
    asterisk: { briefPrompts: ['vm-theperson', 'digits/5', 'digits/0', 'digits/2', 'vm-isonphone'] },
    provision: async (db) => {
      await addRingGroup(db, 'astercc', { number: '7001', members: ['5002'] });
    },
  },
);
const { db } = centre;
const [anna, bert, carl] = await Promise.all([
  centre.phone('5001', await voices.phoneOf('anna')),
  centre.phone('5002', await voices.phoneOf('bert')),
  centre.phone('5003', { ...(await voices.phoneOf('carl')), mode: 'auto' }),
]);
const customerIs = await voices.phoneOf('customer');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

async function callIn(to: string): Promise<Phone> {
  const { phone } = await Caller.call({
    from: '4930555',
    to,
    server: centre.asterisk.sip,
    ...customerIs,
  });
  centre.phones.push(phone);
  return phone;
}

/** A customer whom the phone has answered. */
async function answered(by: Phone, who: 'anna' | 'bert', to: string): Promise<Phone> {
  const customer = await callIn(to);
  await by.incoming();
  await by.answer();
  await by.established();
  await voices.talk([who, by], ['customer', customer]);
  return customer;
}

async function refuse(phone: Phone): Promise<void> {
  await phone.incoming();
  await phone.hangup();
}

/** Carl comes, and gets the customer: ahead of whoever waits for longer. Anna, in her wrap-up, is called by nobody. */
async function carlGets(customer: Phone, rung: number): Promise<void> {
  await signInAgent(db, 'astercc', '1003', { extension: '5003', by: 'test' });
  await voices.talk(['carl', carl], ['customer', customer]);
  await signOutAgent(db, 'astercc', '1003', 'test');
  t.equal(rings(anna), rung, 'nobody has called the agent who sent them on');
  t.equal(await stateOf(centre, '1001'), 'wrap-up');
  await customer.hangup();
  await carl.closed();
  await waitMembers(centre, 'astercc-support', [/^1001/]);
}
const rings = (phone: Phone): number => phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;
const ready = (): Promise<void> => dialAndHear(centre, anna, '*67', 'activated');

const ways: readonly [what: string, send: () => Promise<void>][] = [
  [
    'sent on by key to a colleague who is busy',
    async () => {
      await anna.digits('*15002');
      await refuse(bert);
    },
  ],
  [
    'sent on by the phone, to a colleague who is busy',
    async () => {
      await anna.transfer('5002');
      await refuse(bert);
    },
  ],
  [
    'the agent leaves while it rings, and the colleague says no',
    async () => {
      await anna.digits('*25002');
      await bert.incoming();
      await anna.hangup();
      await bert.hangup();
    },
  ],
  [
    'the agent leaves while they are told that it is busy',
    async () => {
      const from = await centre.asterisk.verbose.mark();
      await anna.digits('*25002');
      await refuse(bert);
      await centre.asterisk.verbose.waitFor(/Playing 'vm-theperson/, from);
      await anna.hangup();
    },
  ],
  [
    'to a ring group of which nobody answers',
    async () => {
      await anna.digits('*17001');
      await refuse(bert);
    },
  ],
  ['to a queue where nobody is', () => anna.digits('*16001')],
];
for (const [what, send] of ways)
  await t.test(`back to the front of the queue: ${what}`, async () => {
    const customer = await answered(anna, 'anna', '600100');
    const other = await callIn('600100');
    await waitWaiting(centre, 'astercc-support', 1);
    const rung = rings(anna);
    await send();
    await anna.closed();
    await waitState(centre, '1001', 'wrap-up');
    await waitWaiting(centre, 'astercc-support', 2);
    await carlGets(customer, rung);
    await other.hangup();
    await waitWaiting(centre, 'astercc-support', 0);
    await ready();
  });

await t.test('a call that came from no queue: to that of the group in which the agent works', async () => {
  const customer = await answered(anna, 'anna', '605001');
  await anna.digits('*15002');
  await refuse(bert);
  await anna.closed();
  await waitMembers(centre, 'astercc-support', ['1001']);
  await anna.incoming();
  await customer.hangup();
  await anna.closed();
});

await t.test('the same with no server: to a queue that the phone is in', async () => {
  const customer = await answered(anna, 'anna', '605001');
  await centre.server.kill();
  await anna.digits('*15002');
  await refuse(bert);
  await anna.closed();
  await anna.incoming();
  await customer.hangup();
  await anna.closed();
  const mark = await centre.server.log.mark();
  await centre.server.start();
  await centre.server.log.waitFor(/watching Asterisk/, mark);
});

await t.test('of somebody who is signed in nowhere: back to their phone, or as the team says', async () => {
  const customer = await answered(bert, 'bert', '605002');
  await carl.unregister();
  await bert.digits('*15003');
  await bert.closed();
  await bert.incoming();
  await bert.answer();
  await voices.talk(['bert', bert], ['customer', customer]);
  await setTeam(db, 'astercc', { transferFallback: 'group:support' });
  await centre.star64('apply');
  await bert.digits('*15003');
  await bert.closed();
  await anna.incoming();
  await customer.hangup();
  await until('the queue to be empty', async () =>
    (await centre.asterisk.console('queue show astercc-support')).includes(' has 0 calls ')
      ? true
      : undefined,
  );
});

await t.test('back to a queue that is closed: told that nobody is there', async () => {
  await addHours(db, 'astercc', { name: 'never' });
  await centre.star64('group', 'set', 'support', '--hours', 'never');
  await centre.star64('apply');
  const customer = await answered(bert, 'bert', '605002');
  const from = await centre.asterisk.verbose.mark();
  await bert.digits('*15003');
  await bert.closed();
  await customer.closed();
  await centre.asterisk.verbose.waitFor(/Playing 'vm-nobodyavail\./, from);
});
