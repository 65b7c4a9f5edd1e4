import t from 'tap';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import { readLamp } from '../../../lab/lamp.js';
import { Phone } from '../../../lab/phone.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, dialAndHear, gaps, waitMembers, waitState } from '../../support/centre.js';
import { trunkSection } from '../../support/phones/telephone.js';
import { noWarnings } from '../../support/warnings.js';

const secret = 'aSecretOfTheOperators64';
/** A phone as an operator has it; the second one lacks the line that star64 asks for. */
const phoneSection = (name: string, more: string): string => `[${name}]
type = endpoint
transport = lab-udp
context = office
disallow = all
allow = ulaw
auth = ${name}
aors = ${name}
${more}
[${name}]
type = auth
username = ${name}
password = ${secret}
[${name}]
type = aor
max_contacts = 1
`;
const provider = '127.0.0.97';

const groups = [
  { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, application: 'campaign' },
];
const centre = await centreOf(
  t,
  { ...crowd(1, { groups }), dids: [] },
  {
    asterisk: {
      amiWrite: 'agent,call,reporting,originate',
      extra: {
        'pjsip.conf': [
          phoneSection('201', 'set_var = GROUP(star64)=PJSIP/201'),
          phoneSection('desk.202', ''),
          trunkSection('provider', provider, 5060).replace('context = star64-inbound', 'context = outside'),
        ].join('\n'),
        'extensions.conf': `[office]
include => astercc-features
exten => 9,1,Playback(beep)
exten => 8,1,Answer()
 same => n,Wait(60)
[outside]
include => star64-inbound
include => outside-rest
[outside-rest]
exten => _[+0-9]X!,1,Gosub(star64-no-did,s,1(\${EXTEN}))
 same => n,Congestion(1)`,
      },
    },
    provision: async (db) => {
      await addExtension(db, 'astercc', { number: '201', user: 'crowd', endpoint: '201' });
      await addExtension(db, 'astercc', { number: '202', user: 'crowd', endpoint: 'desk.202' });
      await addAgent(db, 'astercc', { number: '1002', user: 'crowd', groups: ['support'] });
      await addTrunk(db, null, { name: 'provider', endpoint: 'provider', country: 'DE' });
      await addDid(db, 'astercc', { number: '030600100', to: 'group:support' });
    },
  },
);
const { asterisk, db } = centre;
const phoneOf = async (user: string): Promise<Phone> => {
  const phone = await Phone.start({ user, secret, server: asterisk.sip });
  centre.phones.push(phone);
  await phone.register();
  return phone;
};
const [phone, other] = [await phoneOf('201'), await phoneOf('desk.202')];
const customer = (to: string, address = provider): Promise<Caller> =>
  Caller.call({ from: '4930123', to, address, server: asterisk.sip });
/** Waits until the lamp of the agent shows this: it is set behind the state, and hints are told a moment later. */
const lampShows = (state: string): Promise<true> =>
  until(`the lamp to be ${state}`, async () =>
    (await readLamp({ user: '201', secret, server: asterisk.sip, lamp: 'agent201' })) === state
      ? true
      : undefined,
  );
const didsOfCalls = (): Promise<(string | null)[]> =>
  db('calls').orderBy('id').pluck<(string | null)[]>('did');

await t.test('an agent signs in at a phone that the operator has; what it lacks is seen', async (t) => {
  t.notMatch(await asterisk.console('pjsip show endpoints'), /astercc-20[12]/, 'nothing is generated for it');
  await dialAndHear(centre, phone, '*641001', 'agent-loginok');
  await dialAndHear(centre, other, '*641002', 'agent-loginok');
  await waitMembers(centre, 'astercc-support', ['1001', '1002']);
  t.match(await asterisk.console('queue show astercc-support'), /PJSIP\/201\b[^]*PJSIP\/desk\.202\b/);
  const guarded = (): Promise<unknown[]> =>
    db('extensions').whereNotNull('endpoint').orderBy('number').pluck('endpoint_guarded');
  await until('both endpoints to have been looked at', async () =>
    (await guarded()).includes(null) ? undefined : true,
  );
  t.same(await guarded(), [true, false]);
  await dialAndHear(centre, other, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-support', ['1001']);
  await lampShows('terminated');
});

await t.test('a call in a national form rings there; the agent talks, wraps up and is ready', async () => {
  const first = await customer('030600100');
  await phone.incoming();
  await waitState(centre, '1001', 'ringing');
  await phone.answer();
  await phone.established();
  await waitState(centre, '1001', 'talking');
  await first.hangup();
  await phone.closed();
  await waitMembers(centre, 'astercc-support', [/^1001 paused:wrapup/]);
  await waitState(centre, '1001', 'wrap-up');
  await lampShows('confirmed');
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitState(centre, '1001', 'idle');
  await waitMembers(centre, 'astercc-support', ['1001']);
  await lampShows('terminated');
});

await t.test('software starts a call there, but not while the phone has one of the operator', async (t) => {
  await dialAndHear(centre, other, '*641002', 'agent-loginok');
  await waitState(centre, '1002', 'idle');
  const start = (): Promise<string> =>
    centre.star64('call', 'start', '--agent', '1002', '--to', '201', '--json');
  // The phone is in no group of ours: what Asterisk has heard of its device is all that is known of it.
  const deviceIs = (state: string): Promise<true> =>
    until(`its phone to be ${state}`, async () =>
      new RegExp(`desk\\.202\\b.*\\(${state}\\)`).test(await asterisk.console('queue show astercc-support'))
        ? true
        : undefined,
    );
  await other.dial('8');
  await deviceIs('In use');
  await t.rejects(start(), /extension 202 rings, or is in a call/);
  await other.hangup();
  await other.closed();
  await deviceIs('Not in use');
  const from = other.events.length;
  await start();
  await other.event(/^CALL_INCOMING$/, { from });
  t.match(
    await asterisk.console('group show channels'),
    /PJSIP\/desk\.202\b/,
    'nobody else rings it meanwhile',
  );
  await other.answer();
  t.match(await phone.incoming(), { peeruri: /^sip:202@/ });
  await waitState(centre, '1002', 'talking');
  await phone.answer();
  await phone.established();
  await phone.hangup();
  await phone.closed();
  await other.event(/^CALL_CLOSED$/, { from });
  await waitState(centre, '1002', 'idle');
  t.equal(other.events.slice(from).filter(({ type }) => type === 'CALL_INCOMING').length, 1, 'it rang once');
  await dialAndHear(centre, other, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-support', ['1001']);
});

await t.test('every form of a DID is one number, with a server and without', async (t) => {
  for (const form of ['+4930600100', '004930600100', '4930600100']) {
    const caller = await customer(form);
    await phone.incoming();
    await caller.hangup();
    await phone.closed();
  }
  await until('the DID of four calls', async () =>
    (await didsOfCalls()).filter((did) => did === '+4930600100').length === 4 ? true : undefined,
  );
  t.same(await db('unknown_numbers'), [], 'none of them was unknown');
  await waitState(centre, '1001', 'idle');
  await centre.server.stop();
  const caller = await customer('030600100');
  await phone.incoming();
  await caller.hangup();
  await phone.closed();
  await centre.server.start();
});

await t.test('a number that no team has is counted; one that a team has since is found', async (t) => {
  const lost = await customer('030999999');
  t.match(await lost.ended(), /^503|^50[0-9]|^48[0-9]|^603/, 'the operator refuses it');
  const unknown = (): Promise<unknown[]> =>
    db('unknown_numbers').select('number', 'calls', 'endpoint', 'caller');
  await until('the count of it', async () => ((await unknown()).length > 0 ? true : undefined));
  t.match(await unknown(), [{ number: '030999999', calls: '1', endpoint: 'provider' }]);

  await addDid(db, 'astercc', { number: '+4930999999', to: 'group:support' });
  const found = await until('a call that arrives', async () => {
    const caller = await customer('030999999');
    const { type } = await caller.phone.event(/^CALL_(ESTABLISHED|CLOSED)$/);
    if (type === 'CALL_ESTABLISHED') return caller;
    await caller.ended();
    return undefined;
  });
  await phone.incoming();
  await found.hangup();
  await phone.closed();
  // The call is in the database a moment after it joined the queue.
  await until('its DID', async () => ((await didsOfCalls()).at(-1) === '+4930999999' ? true : undefined));
});

await t.test('status says what is there, and what is not', async (t) => {
  const { health, notices } = JSON.parse(await centre.star64('status', '--json')) as {
    health: Record<string, unknown>;
    notices: object[];
  };
  t.match(health, {
    servers: [{ answers: true }],
    asterisk: 'connected',
    generation: { loaded: true },
    unreachable: [],
  });
  t.ok(Number(health['lease_seconds']) > 0);
  t.match(notices, [{ about: 'endpoint', says: /desk\.202/ }]);
  await phone.unregister();
  await until('the phone to be missed', async () =>
    /agent 1001|\tPJSIP\/201\t/.test(await centre.star64('status')) ? true : undefined,
  );
  await phone.register();
});

await t.test('a member that Asterisk has lost, or has too much, is put right', async (t) => {
  await asterisk.console('queue remove member PJSIP/201 from astercc-support');
  await asterisk.console('queue add member PJSIP/desk.202 to astercc-support penalty 0 as 1002');
  await centre.server.stop();
  await centre.server.start();
  await waitMembers(centre, 'astercc-support', ['1001']);
  t.match(await asterisk.console('queue show astercc-support'), /PJSIP\/201\b/);
  await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-support', []);
  t.same(await gaps(centre), []);
  // The operator's own contexts were read before ours; and there was a call without a server.
  await noWarnings(t, asterisk, /nonexistent context|res_agi/);
});
