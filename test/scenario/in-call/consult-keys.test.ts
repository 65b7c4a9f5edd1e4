import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, dialAndHear, stateOf, waitState } from '../../support/centre.js';
import { Voices, waitTold } from '../../support/phones/in-call.js';

const voices = await Voices.of(t, 'anna', 'bert', 'carl', 'customer');
const centre = await centreOf(
  t,
  crowd(3, {
    groups: [{ name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0 }],
  }),
  {
    provision: async (db) => {
      await addRingGroup(db, 'astercc', { number: '7001', members: ['5002'] });
    },
  },
);
const [anna, bert, carl] = await Promise.all([
  centre.phone('5001', await voices.phoneOf('anna')),
  centre.phone('5002', await voices.phoneOf('bert')),
  centre.phone('5003', await voices.phoneOf('carl')),
]);
const customerIs = await voices.phoneOf('customer');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

async function pickUp(phone: Phone): Promise<void> {
  await phone.incoming();
  await phone.answer();
  await phone.established();
}

/** A customer whom Anna has answered. */
async function answered(): Promise<Phone> {
  const caller = await Caller.call({
    from: '4930555',
    to: '600100',
    server: centre.asterisk.sip,
    ...customerIs,
  });
  centre.phones.push(caller.phone);
  await pickUp(anna);
  await voices.talk(['anna', anna], ['customer', caller.phone]);
  return caller.phone;
}

/** Anna has left the call, and is ready again. */
async function annaIsReady(): Promise<void> {
  await anna.closed();
  await waitState(centre, '1001', 'wrap-up');
  await dialAndHear(centre, anna, '*67', 'activated');
}

/** The watchdog of wrap-ups lives on for a while. */
const noChannels = (): Promise<true> =>
  until('no channel to be left', async () =>
    /^(PJSIP|Local)\/(?!watch@)/m.test(await centre.asterisk.console('core show channels concise'))
      ? undefined
      : true,
  );

await t.test(
  'asked and given back: the customer has music meanwhile, and nobody else hears them',
  async () => {
    const customer = await answered();
    await anna.digits('*25002');
    await voices.hears(customer, 'music');
    await pickUp(bert);
    await voices.talk(['anna', anna], ['bert', bert]);
    await voices.hears(customer, 'music');
    await anna.digits('*5');
    await voices.talk(['anna', anna], ['customer', customer]);
    await voices.hears(bert, 'music');
    await anna.digits('*5');
    await voices.talk(['anna', anna], ['bert', bert]);
    await anna.digits('*4');
    await bert.closed();
    await voices.talk(['anna', anna], ['customer', customer]);
    t.equal(await stateOf(centre, '1001'), 'talking');

    // Busy, and nobody there: a word, and the customer again.
    let from = await centre.asterisk.verbose.mark();
    await anna.digits('*25002');
    await bert.incoming();
    await bert.hangup();
    await waitTold(centre, 'vm-isonphone', from);
    await voices.talk(['anna', anna], ['customer', customer]);
    await bert.unregister();
    from = await centre.asterisk.verbose.mark();
    await anna.digits('*25002');
    await waitTold(centre, 'vm-isunavail', from);
    await voices.talk(['anna', anna], ['customer', customer]);
    await bert.register();

    // Those that a team's phone may not reach within a call.
    from = await centre.asterisk.verbose.mark();
    await anna.digits('*2*60');
    await centre.asterisk.waitPlayed(anna.user, 'pbx-invalid', from);
    await voices.hears(customer, 'music');
    // Nothing more is dialled.
    await voices.talk(['anna', anna], ['customer', customer]);
    await customer.hangup();
    await annaIsReady();
  },
);

await t.test('completed, by key', async () => {
  const customer = await answered();
  await anna.digits('*25002');
  await pickUp(bert);
  await voices.talk(['anna', anna], ['bert', bert]);
  await anna.digits('*6');
  await annaIsReady();
  await voices.talk(['bert', bert], ['customer', customer]);
  await customer.hangup();
  await bert.closed();
});

await t.test('three who hear each other, and two when the agent has left', async (t) => {
  const customer = await answered();
  await anna.digits('*25002');
  await pickUp(bert);
  await voices.talk(['anna', anna], ['bert', bert]);
  await anna.digits('*3');
  await voices.hears(customer, 'anna', 'bert');
  await voices.hears(bert, 'anna', 'customer');
  await voices.hears(anna, 'bert', 'customer');
  t.equal(await stateOf(centre, '1001'), 'talking');
  await anna.digits('*25003');
  await pickUp(carl);
  await voices.talk(['anna', anna], ['carl', carl]);
  await voices.talk(['bert', bert], ['customer', customer]);
  await anna.digits('*3');
  await voices.hears(customer, 'anna', 'bert', 'carl');
  await anna.hangup();
  await annaIsReady();
  await voices.hears(customer, 'bert', 'carl');
  await carl.hangup();
  await voices.talk(['bert', bert], ['customer', customer]);
  await bert.hangup();
  await customer.closed();
});

await t.test('who is left in a conference with somebody who still rings hears that it rings', async (t) => {
  for (const asked of ['5002', '7001']) {
    const customer = await answered();
    await anna.digits(`*2${asked}`);
    await bert.incoming();
    await voices.hears(anna, 'music');
    await anna.digits('*3');
    await voices.talk(['anna', anna], ['customer', customer]);
    await anna.hangup();
    await annaIsReady();
    await t.resolves(voices.hears(customer, 'music'), asked);
    await bert.answer();
    await voices.talk(['bert', bert], ['customer', customer]);
    await customer.hangup();
    await bert.closed();
    await noChannels();
  }
});

await t.test('sent on: the agent is in wrap-up at once, and the colleague has the customer', async () => {
  const customer = await answered();
  await anna.digits('*15002');
  await annaIsReady();
  await pickUp(bert);
  await voices.talk(['bert', bert], ['customer', customer]);
  await bert.hangup();
  await customer.closed();
});

await t.test(
  'the customer leaves first: the two who consult talk on, and the wrap-up comes after it',
  async () => {
    const customer = await answered();
    await anna.digits('*25002');
    await pickUp(bert);
    await voices.talk(['anna', anna], ['bert', bert]);
    await customer.hangup();
    await voices.talk(['anna', anna], ['bert', bert]);
    t.equal(await stateOf(centre, '1001'), 'talking');
    await bert.hangup();
    await annaIsReady();
  },
);

await t.test('the keys of a customer, and of a colleague from outside, do nothing', async () => {
  const customer = await answered();
  await customer.digits('*25002');
  await customer.digits('#15002');
  await voices.talk(['anna', anna], ['customer', customer]);
  await customer.hangup();
  await annaIsReady();
  await noChannels();
});
