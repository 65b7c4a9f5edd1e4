import t, { type Test } from 'tap';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { announcements } from '../../../domain/provisioning/features/announcement.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { menus } from '../../../domain/provisioning/features/menu.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import { Phone } from '../../../lab/phone.js';
import { crowd, provision } from '../../../lab/provision.js';
import { until } from '../../../domain/machine/processes.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { centreFor, needLab, waitMembers } from '../../support/centre.js';
import { trunkSection } from '../../support/phones/telephone.js';

/** Where a call can be sent: heard and answered by real phones, with a server and without. */
await needLab(t);

const address = '127.0.0.98';
const ports = await PortBlock.reserve('phone');
t.teardown(() => ports.release());
const outside = '+4915112345678';
const centre = await centreFor(t, {
  asterisk: { extra: { 'pjsip.conf': trunkSection('provider.1', address, ports.first) } },
  provision: async (db) => {
    const team = crowd(3);
    await provision(db, team);
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1' });
    await setTeam(db, 'astercc', { trunk: 'provider' });
    await addExtension(db, 'astercc', { number: '5100', user: 'crowd' });
    const fixed = { user: 'crowd', groups: ['support'], kind: 'fixed', extension: '5100' };
    await addAgent(db, 'astercc', { number: '2001', ...fixed });
    await announcements.add(db, 'astercc', 'closed', { sound: 'vm-goodbye', times: 2 });
    await announcements.add(db, 'astercc', 'busy', { sound: 'vm-sorry', then: 'hangup:busy' });
    await menus.add(db, 'astercc', 'welcome', {
      sound: 'vm-options',
      // In which a key is pressed on a busy machine, too.
      seconds: 5,
      tries: 2,
      key1: 'group:support',
      key2: 'agent:1002',
      key3: `outside:${outside}`,
      key4: 'extension:5003',
      timeout: 'announcement:closed',
      wrong: 'announcement:busy',
    });
    for (const [number, to] of [
      ['600200', 'menu:welcome'],
      ['600201', 'announcement:closed'],
      ['600202', 'hangup:busy'],
      ['600203', 'hangup:unknown'],
      ['600204', 'agent:1003'],
      ['600205', 'agent:2001'],
    ] as const)
      await addDid(db, 'astercc', { number, to });
  },
});
const { asterisk, db } = centre;
const [agent, colleague] = [await centre.phone('5001'), await centre.phone('5002')];
const fixedPhone = await centre.phone('5100');
const mobile = await Phone.start({ user: outside, address, ports, server: asterisk.sip });
t.teardown(() => mobile.stop());
await signInAgent(db, 'astercc', '1001', { extension: '5001', by: 'test' });
await signInAgent(db, 'astercc', '1002', { extension: '5002', by: 'test' });
await waitMembers(centre, 'astercc-support', ['1001', '1002', '2001']);

const callIn = async (to: string): Promise<Caller> => {
  const caller = await Caller.call({ from: '4930555', to, server: asterisk.sip });
  centre.phones.push(caller.phone);
  return caller;
};
/** Calls the menu, and presses keys when it plays. */
const choose = async (keys: string): Promise<Caller> => {
  const from = await asterisk.verbose.mark();
  const caller = await callIn('600200');
  await caller.answered();
  await asterisk.waitPlayed('lab-trunk', 'vm-options', from);
  await caller.phone.digits(keys);
  return caller;
};

/** Everything a caller meets who comes by a DID; the same with a server and without. */
async function everything(t: Test, withServer: boolean): Promise<void> {
  const phones = [agent, colleague, fixedPhone].map((phone) => ({ phone, from: phone.events.length }));
  const rung = await choose('1');
  const rings = await until('one of the agents to ring', () =>
    phones.find(({ phone, from }) => phone.events.slice(from).some(({ type }) => type === 'CALL_INCOMING')),
  );
  // Taken, so that a later wait does not find this one.
  await rings.phone.incoming();
  await rung.hangup();
  await rings.phone.closed();

  const direct = await choose('4');
  t.match(await direct.ended(), /./, 'a phone that is not there');

  const far = await choose('3');
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await far.hangup();
  await mobile.closed();

  let from = await asterisk.verbose.mark();
  const wrong = await choose('9');
  await asterisk.waitPlayed('lab-trunk', 'pbx-invalid', from);
  await until('the sound that offers the keys, a second time', async () =>
    (await asterisk.played('lab-trunk', from)).filter((sound) => sound === 'vm-options').length === 2
      ? true
      : undefined,
  );
  await wrong.phone.digits('8');
  await wrong.ended();
  t.ok((await asterisk.played('lab-trunk', from)).includes('vm-sorry'), 'two wrong keys: the announcement');

  from = await asterisk.verbose.mark();
  const silent = await callIn('600200');
  await silent.ended(40_000);
  t.same(
    await asterisk.played('lab-trunk', from),
    ['vm-options', 'vm-options', 'vm-goodbye', 'vm-goodbye'],
    'no key at all: asked twice, told twice, let go',
  );

  t.match(await (await callIn('600202')).ended(), /486/);
  t.match(await (await callIn('600203')).ended(), /404/);

  const seen = colleague.events.length;
  const other = await choose('2');
  if (withServer) {
    await colleague.incoming();
    await other.hangup();
    await colleague.closed();
  } else {
    await other.ended();
    t.notOk(
      colleague.events.slice(seen).some(({ type }) => type === 'CALL_INCOMING'),
      'nobody knows where an agent is: nobody rings',
    );
  }
  const always = await callIn('600205');
  await fixedPhone.incoming();
  await always.hangup();
  await fixedPhone.closed();

  from = await asterisk.verbose.mark();
  await (await callIn('600204')).ended();
  t.ok(
    (await asterisk.played('lab-trunk', from)).includes('vm-nobodyavail'),
    'an agent who is not signed in',
  );
}

await t.test('every destination, with a server', (t) => everything(t, true));

await t.test('with no server they are the same, but where only a server knows', async (t) => {
  await centre.server.stop();
  await everything(t, false);
});
