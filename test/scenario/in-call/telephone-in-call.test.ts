import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab, sameStates, statesOf, waitKnown, waitState } from '../../support/centre.js';
import { Voices, waitTold } from '../../support/phones/in-call.js';
import { trunkSection } from '../../support/phones/telephone.js';
import { asWritten } from '../../support/queue-log.js';

/** An agent at a telephone outside within calls: who asks, sends on and leaves, and who is asked by a colleague. */
await needLab(t);
const voices = await Voices.of(t, 'anna', 'bert', 'mobile', 'customer');
const number = '+4915112345678';
const ports = await PortBlock.reserve('phone');
const settings = { wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0, directCalls: 'wrap-up' };
const centre = await centreOf(t, crowd(2, { groups: [{ name: 'support', number: '6000', ...settings }] }), {
  asterisk: { extra: { 'pjsip.conf': trunkSection('provider.1', '127.0.0.97', ports.first) } },
  provision: async (db) => {
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1', country: 'DE' });
    await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
    await addExtension(db, 'astercc', {
      number: '7000',
      user: 'crowd',
      kind: 'external',
      telephone: number,
    });
    await addGroup(db, 'astercc', { name: 'outdoors', ...settings });
    await addAgent(db, 'astercc', {
      ...{ number: '2001', user: 'crowd', groups: ['outdoors'], kind: 'fixed', extension: '7000' },
    });
    await addDid(db, 'astercc', { number: '600200', to: 'group:outdoors' });
    await addDid(db, 'astercc', { number: '607000', to: 'extension:7000' });
  },
});
const { asterisk, db } = centre;
const mobile = await Phone.start({
  ...{ user: number, address: '127.0.0.97', ports, server: asterisk.sip },
  ...(await voices.phoneOf('mobile')),
});
centre.phones.push(mobile);
const [anna, bert] = await Promise.all([
  centre.phone('5001', await voices.phoneOf('anna')),
  centre.phone('5002', await voices.phoneOf('bert')),
]);
const customerIs = await voices.phoneOf('customer');
await signInAgent(db, 'astercc', '1001', { extension: '5001', by: 'test' });
await waitKnown(centre, '5001');
await waitState(centre, '2001', 'idle');

/** `agent`: whose phone it is, if somebody is signed in there; their state has told that it rings. */
async function pickUp(phone: Phone, agent?: string): Promise<void> {
  await phone.incoming();
  if (agent !== undefined) await waitState(centre, agent, 'ringing');
  await phone.answer();
  await phone.established();
}

/** A customer whom an agent has answered. */
async function answered(by: Phone, who: 'anna' | 'mobile', to: string): Promise<Phone> {
  const { phone } = await Caller.call({ from: '4930555', to, server: asterisk.sip, ...customerIs });
  centre.phones.push(phone);
  await pickUp(by, who === 'mobile' ? '2001' : '1001');
  await voices.talk([who, by], ['customer', phone]);
  return phone;
}

async function ready(agent: string): Promise<void> {
  await waitState(centre, agent, 'wrap-up');
  await centre.star64('agent', 'ready', agent);
  await waitState(centre, agent, 'idle');
}

/** What app_queue has written of the ends of talks since `from`. */
async function waitLogged(from: number, ...wanted: string[]): Promise<void> {
  const events = async (): Promise<string[]> =>
    (await asterisk.queueLog())
      .slice(from)
      .map((line) => line.split('|')[4] ?? '')
      .filter((event) => /COMPLETE|TRANSFER/.test(event));
  await until(`queue_log to say ${wanted.join(', ')}`, async () =>
    isDeepStrictEqual(asWritten(wanted, await events()), wanted) ? true : undefined,
  ).catch(async (error: unknown) => {
    throw new Error(`queue_log says ${(await events()).join(', ')}`, { cause: error });
  });
}

/** Whom colleagues have asked since row `from`, and what came of it. */
async function waitConsults(from: number, ...wanted: string[]): Promise<void> {
  const told = async (): Promise<string[]> => {
    const { rows } = await db.raw<{ rows: { told: string }[] }>(
      `select concat_ws(' ', a.number, o.result, case when o.ended_at is null then 'open' end) as told
       from offers o join agents a on a.id = o.agent_id where o.kind = 'consult' and o.id > ? order by o.id`,
      [from],
    );
    return rows.map(({ told }) => told);
  };
  await until(`the consultations ${wanted.join(', ')}`, async () =>
    isDeepStrictEqual(await told(), wanted) ? true : undefined,
  ).catch(async (error: unknown) => {
    throw new Error(`the consultations are ${(await told()).join(', ')}`, { cause: error });
  });
}
const lastOffer = async (): Promise<number> =>
  (await db('offers').max<{ max: number | null }[]>('id'))[0]?.max ?? 0;
const rings = (phone: Phone): number => phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;
/** What an agent is from here on. */
async function since(
  agent: string,
): Promise<(t: Parameters<typeof sameStates>[0], ...states: string[]) => Promise<void>> {
  const before = (await statesOf(centre, agent)).length;
  return (t, ...states) => sameStates(t, centre, agent, before, states);
}

await t.test('busy, changed sides, given up, sent on to who says no: the front of the queue', async (t) => {
  const states = await since('2001');
  const logged = (await asterisk.queueLog()).length;
  const customer = await answered(mobile, 'mobile', '600200');
  const from = await asterisk.verbose.mark();
  await mobile.digits('*25002');
  await bert.incoming();
  await bert.hangup();
  await waitTold(centre, 'vm-isonphone', from);
  await voices.talk(['mobile', mobile], ['customer', customer]);
  await mobile.digits('*25002');
  await pickUp(bert);
  await voices.talk(['mobile', mobile], ['bert', bert]);
  await voices.hears(customer, 'music');
  await mobile.digits('*5');
  await voices.talk(['mobile', mobile], ['customer', customer]);
  await voices.hears(bert, 'music');
  await mobile.digits('*4');
  await bert.closed();
  await voices.talk(['mobile', mobile], ['customer', customer]);
  const rung = rings(mobile);
  await mobile.digits('*15002');
  await mobile.closed();
  await bert.incoming();
  await waitState(centre, '2001', 'wrap-up');
  await bert.hangup();
  await asterisk.verbose.waitFor(/Step: back-to-queue/, from);
  t.equal(rings(mobile), rung, 'nobody has called them back');
  await waitLogged(logged, 'BLINDTRANSFER');
  await centre.star64('agent', 'ready', '2001');
  await pickUp(mobile, '2001');
  await voices.talk(['mobile', mobile], ['customer', customer]);
  await customer.hangup();
  await mobile.closed();
  await ready('2001');
  const once = ['ringing', 'talking', 'wrap-up', 'idle'];
  await states(t, ...once, ...once);
});

await t.test('leaves while it rings, and out of a conference: the two who are left talk', async (t) => {
  for (const phase of ['rings', 'three'] as const) {
    const states = await since('2001');
    const logged = (await asterisk.queueLog()).length;
    const customer = await answered(mobile, 'mobile', '600200');
    await mobile.digits('*25002');
    if (phase === 'rings') await bert.incoming();
    else {
      await pickUp(bert);
      await voices.talk(['mobile', mobile], ['bert', bert]);
      await mobile.digits('*3');
      await voices.hears(customer, 'bert', 'mobile');
    }
    await mobile.hangup();
    await mobile.closed();
    await waitState(centre, '2001', 'wrap-up');
    if (phase === 'rings') {
      await bert.answer();
      await bert.established();
    }
    await voices.talk(['bert', bert], ['customer', customer]);
    await waitLogged(logged, phase === 'rings' ? 'ATTENDEDTRANSFER' : 'COMPLETEAGENT');
    await customer.hangup();
    await bert.closed();
    await ready('2001');
    await states(t, 'ringing', 'talking', 'wrap-up', 'idle');
  }
});

await t.test('a call that came to them by no queue: asked, and completed', async (t) => {
  const states = await since('2001');
  const customer = await answered(mobile, 'mobile', '607000');
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
  await ready('2001');
  await states(t, 'ringing', 'talking', 'wrap-up', 'idle');
});

await t.test('asked by a colleague: a state, a record and a wrap-up of their own', async (t) => {
  const states = await since('2001');
  const offers = await lastOffer();
  const customer = await answered(anna, 'anna', '600100');
  let from = await asterisk.verbose.mark();
  await anna.digits('*27000');
  await mobile.incoming();
  await waitState(centre, '2001', 'ringing');
  await voices.hears(customer, 'music');
  await mobile.hangup();
  await waitTold(centre, 'vm-isonphone', from);
  await voices.talk(['anna', anna], ['customer', customer]);
  await waitConsults(offers, '2001 missed');
  await waitState(centre, '2001', 'idle');
  await anna.digits('*27000');
  await pickUp(mobile, '2001');
  await voices.talk(['anna', anna], ['mobile', mobile]);
  await waitState(centre, '2001', 'talking');
  await anna.digits('*6');
  await anna.closed();
  await waitState(centre, '1001', 'wrap-up');
  await voices.talk(['mobile', mobile], ['customer', customer]);
  // They ask somebody themselves: they have the keys.
  await mobile.digits('*25002');
  await pickUp(bert);
  await voices.talk(['mobile', mobile], ['bert', bert]);
  await mobile.digits('*4');
  await bert.closed();
  await voices.talk(['mobile', mobile], ['customer', customer]);
  await ready('1001');
  // One phone, one call: who is in one is not asked.
  const other = await answered(anna, 'anna', '600100');
  from = await asterisk.verbose.mark();
  await anna.digits('*27000');
  await waitTold(centre, 'vm-isonphone', from);
  await voices.talk(['anna', anna], ['customer', other]);
  await other.hangup();
  await anna.closed();
  await ready('1001');
  await customer.hangup();
  await mobile.closed();
  await ready('2001');
  await waitConsults(offers, '2001 missed', '2001 answered');
  await states(t, 'ringing', 'idle', 'ringing', 'talking', 'wrap-up', 'idle');
});
