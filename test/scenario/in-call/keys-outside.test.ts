import t from 'tap';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { until } from '../../../domain/machine/processes.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { Caller } from '../../../lab/caller.js';
import { Phone } from '../../../lab/phone.js';
import { crowd, provision } from '../../../lab/provision.js';
import { centreOf, dialAndHear, needLab, waitState } from '../../support/centre.js';
import { Voices, waitTold } from '../../support/phones/in-call.js';
import { trunkSection } from '../../support/phones/telephone.js';

await needLab(t);
const voices = await Voices.of(t, 'anna', 'bert', 'mobile', 'customer');
const number = '+4915112345678';
const ports = await PortBlock.reserve('phone');
const settings = { wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0 };
/** A conference ends with its agent: of one that was made while no server ran the others stay. */
const groups = [{ name: 'support', number: '6000', ...settings, conferenceEnd: true }];
const centre = await centreOf(t, crowd(2, { groups }), {
  asterisk: { extra: { 'pjsip.conf': trunkSection('provider.1', '127.0.0.97', ports.first) } },
  provision: async (db) => {
    // The same numbers, another team.
    await provision(db, crowd(2, { team: 'b2', groups, did: '600901' }));
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1', country: 'DE' });
    await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
    await addExtension(db, 'astercc', { number: '7000', user: 'crowd', kind: 'external', telephone: number });
    await addGroup(db, 'astercc', { name: 'outdoors', wrapUp: 'answer', wrapUpSeconds: 0 });
    await addAgent(db, 'astercc', {
      number: '2001',
      user: 'crowd',
      groups: ['outdoors'],
      kind: 'fixed',
      extension: '7000',
    });
    await addDid(db, 'astercc', { number: '600200', to: 'group:outdoors' });
  },
});
const { asterisk } = centre;
const mobile = await Phone.start({
  user: number,
  address: '127.0.0.97',
  ports,
  server: asterisk.sip,
  ...(await voices.phoneOf('mobile')),
});
t.teardown(() => mobile.stop());
const [anna, bert, strange] = await Promise.all([
  centre.phone('5001', await voices.phoneOf('anna')),
  centre.phone('5002', await voices.phoneOf('bert')),
  centre.phone('5002', { team: 'b2' }),
]);
const customerIs = await voices.phoneOf('customer');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

async function pickUp(phone: Phone): Promise<void> {
  await phone.incoming();
  await phone.answer();
  await phone.established();
}

async function callIn(to = '600100'): Promise<Phone> {
  const { phone } = await Caller.call({ from: '4930555', to, server: asterisk.sip, ...customerIs });
  centre.phones.push(phone);
  return phone;
}

async function annaIsReady(): Promise<void> {
  await anna.closed();
  await waitState(centre, '1001', 'wrap-up');
  await dialAndHear(centre, anna, '*67', 'activated');
}

await t.test('a call to the outside: asked and completed, and who was called has no keys', async () => {
  await anna.dial('0015112345678');
  await pickUp(mobile);
  await anna.established();
  await voices.talk(['anna', anna], ['mobile', mobile]);
  await mobile.digits('*25002');
  await voices.talk(['anna', anna], ['mobile', mobile]);
  await anna.digits('*25002');
  await pickUp(bert);
  await voices.talk(['anna', anna], ['bert', bert]);
  await voices.hears(mobile, 'music');
  await anna.digits('*6');
  await annaIsReady();
  await voices.talk(['bert', bert], ['mobile', mobile]);
  await bert.hangup();
  await mobile.closed();
});

await t.test(
  'somebody outside is asked, and joins; a number that the agent may not call is refused',
  async (t) => {
    const customer = await callIn();
    await pickUp(anna);
    await voices.talk(['anna', anna], ['customer', customer]);
    let from = await asterisk.verbose.mark();
    await anna.digits('*2000441234567');
    await waitTold(centre, 'disabled', from);
    await voices.talk(['anna', anna], ['customer', customer]);
    await anna.digits('*20015112345678');
    await pickUp(mobile);
    await voices.talk(['anna', anna], ['mobile', mobile]);
    await voices.hears(customer, 'music');
    await anna.digits('*3');
    await voices.hears(customer, 'anna', 'mobile');
    await mobile.hangup();
    await voices.talk(['anna', anna], ['customer', customer]);
    // By key and by the phone: back into the queue.
    await anna.digits('*1000441234567');
    await annaIsReady();
    await pickUp(anna);
    await voices.talk(['anna', anna], ['customer', customer]);
    from = await asterisk.verbose.mark();
    await anna.transfer('000441234567');
    await annaIsReady();
    await pickUp(anna);
    await voices.talk(['anna', anna], ['customer', customer]);
    await asterisk.verbose.waitFor(/Refused: class/, from);
    // A customer whom nobody outside answers.
    await anna.digits('*10015112345678');
    await mobile.incoming();
    await mobile.hangup();
    await annaIsReady();
    await pickUp(anna);
    await voices.talk(['anna', anna], ['customer', customer]);
    await customer.hangup();
    await annaIsReady();
    t.notOk(strange.events.some(({ type }) => type === 'CALL_INCOMING'));
  },
);

await t.test('an agent at a telephone has the keys, too', async () => {
  const customer = await callIn('600200');
  await pickUp(mobile);
  await voices.talk(['mobile', mobile], ['customer', customer]);
  await mobile.digits('*25002');
  await pickUp(bert);
  await voices.talk(['mobile', mobile], ['bert', bert]);
  await voices.hears(customer, 'music');
  await mobile.digits('*6');
  await mobile.closed();
  await waitState(centre, '2001', 'wrap-up');
  await voices.talk(['bert', bert], ['customer', customer]);
  await customer.hangup();
  await bert.closed();
});

await t.test('and those of hold, recording, dropping and ending', async () => {
  await centre.star64('agent', 'ready', '2001');
  const customer = await callIn('600200');
  await pickUp(mobile);
  await voices.talk(['mobile', mobile], ['customer', customer]);
  const from = await asterisk.verbose.mark();
  await mobile.digits('*7');
  await voices.hears(customer, 'music');
  await mobile.digits('*7');
  await voices.talk(['mobile', mobile], ['customer', customer]);
  for (const word of ['activated', 'de-activated']) {
    await mobile.digits('*8');
    await asterisk.verbose.waitFor(new RegExp(`<Local/7000@[^>]*> Playing '${word}\\.`), from);
    // A key is theirs again only when it is over, and the two are together.
    await voices.talk(['mobile', mobile], ['customer', customer]);
  }
  await until('the hold and the recording to be written', async () => {
    const holds = await centre
      .db('holds as h')
      .join('agents as a', 'a.id', 'h.agent_id')
      .where({ 'a.number': '2001', 'h.kind': 'hold' })
      .whereNotNull('h.ended_at');
    return holds.length === 1 && (await centre.db('recordings')).length === 1 ? true : undefined;
  });
  await mobile.digits('*25002');
  await pickUp(bert);
  await voices.talk(['mobile', mobile], ['bert', bert]);
  await mobile.digits('*3');
  await voices.hears(customer, 'bert', 'mobile');
  await mobile.digits('*9');
  await bert.closed();
  await voices.talk(['mobile', mobile], ['customer', customer]);
  await mobile.digits('*0');
  for (const phone of [customer, mobile]) await phone.closed();
  await waitState(centre, '2001', 'wrap-up');
  await until('nobody to be left in it', async () =>
    (await asterisk.console('core show channels concise')).includes('PJSIP') ? undefined : true,
  );
});

await t.test('with no server: inside as before, and outside refused aloud', async (t) => {
  const customer = await callIn();
  await pickUp(anna);
  await voices.talk(['anna', anna], ['customer', customer]);
  await centre.server.stop();
  const from = await asterisk.verbose.mark();
  await anna.digits('*20015112345678');
  await waitTold(centre, 'feature-not-avail-line', from);
  await voices.talk(['anna', anna], ['customer', customer]);
  await anna.digits('*7');
  await voices.hears(customer, 'music');
  await anna.digits('*7');
  await voices.talk(['anna', anna], ['customer', customer]);
  await anna.digits('*25002');
  await pickUp(bert);
  await voices.talk(['anna', anna], ['bert', bert]);
  await anna.digits('*3');
  await voices.hears(customer, 'anna', 'bert');
  await anna.hangup();
  await anna.closed();
  await voices.talk(['bert', bert], ['customer', customer]);
  // Who was asked has the keys, too.
  await bert.digits('*15001');
  await bert.closed();
  await pickUp(anna);
  await voices.talk(['anna', anna], ['customer', customer]);
  await customer.hangup();
  await anna.closed();
  t.notOk(
    strange.events.some(({ type }) => type === 'CALL_INCOMING'),
    'another team with the same numbers is not called',
  );
});
