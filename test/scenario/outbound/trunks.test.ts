import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { generateSecret } from '../../../domain/password.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk, setTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab, signedInPhone, waitState } from '../../support/centre.js';
import { star64 } from '../../support/processes/cli.js';
import { SipProvider } from '../../support/phones/sip-provider.js';

/** Trunks that star64 generates, on the wire: one that registers, and one that is known by its two addresses. */
await needLab(t);
const account = { username: '4930600100', secret: String.raw`>;--x#"p$\{a};` };
const registrar = await SipProvider.start(t, '127.0.0.90', account);
const first = await SipProvider.start(t, '127.0.0.91');
const second = await SipProvider.start(t, '127.0.0.92');
const callsSecret = generateSecret();
const centre = await centreOf(t, crowd(2, { groups: [{ name: 'support', number: '6000', wrapUp: 'off' }] }), {
  asterisk: {
    extra: {
      'manager.conf': `[star64-calls]\nsecret = ${callsSecret}\nread = user,call,system\nwrite = call,reporting,originate\n`,
    },
  },
  provision: async (db) => {
    const transport = 'lab-udp';
    await addTrunk(db, 'astercc', {
      name: 'main',
      addresses: [`127.0.0.90:${registrar.port}`],
      ...account,
      register: true,
      byAddress: false,
      numberIn: 'to',
      fromUser: account.username,
      fromDomain: 'example.org',
      identityHeader: 'pai',
      qualifySeconds: 1,
      transport,
    });
    await addTrunk(db, null, {
      name: 'pair',
      addresses: [`127.0.0.91:${first.port}`, `127.0.0.92:${second.port}`],
      qualifySeconds: 1,
      transport,
    });
    await setTeam(db, 'astercc', { trunk: 'main', country: 'DE', area: '30', outsidePrefix: '0' });
    const telephone = '+4915112345678';
    await addExtension(db, 'astercc', { number: '7000', user: 'crowd', kind: 'external', telephone });
  },
});
const { asterisk, db } = centre;
const server = asterisk.sip;
const did = '600100';
const admin = (words: string, env: Record<string, string> = {}) =>
  star64(words.split(' '), { env: { ...(centre.env as Record<string, string>), ...env } });
/** What `trunk test` says, as JSON, with its exit status. */
async function tested(words: string, env?: Record<string, string>) {
  const { status, out, err } = await admin(`trunk test ${words} --json`, env);
  return { status, err, ...(out === '' ? {} : (JSON.parse(out) as Record<string, unknown>)) };
}
const calls = { STAR64_AMI_USERNAME: 'star64-calls', STAR64_AMI_SECRET: callsSecret };

const phone = await signedInPhone(centre, '1001');

await t.test('it registers with the secret as it was given, whatever signs are in it', async (t) => {
  await until('the registration', () => registrar.contact);
  t.match(registrar.contact, /^sip:4930600100@.*;line=/);
  // What is asked first may be sent twice.
  const proven = registrar.requests('REGISTER').map(({ headers }) => headers.has('authorization'));
  t.same([proven[0], proven.includes(true)], [false, true], 'after the challenge');
  const works = await until('the trunk to work', async () => {
    const report = await tested('main');
    return report.status === 0 ? report : undefined;
  });
  t.match(works, {
    team: 'astercc',
    endpoint: 'astercc-trunk-main',
    registration: 'Registered',
    contacts: [{ status: 'reachable', milliseconds: Number }],
    channels: 0,
    call: null,
    works: true,
  });
});

await t.test('a call that answers the registration reaches the DID that To names', async (t) => {
  const call = await registrar.call(server, registrar.contact ?? '', did);
  await phone.incoming();
  await phone.answer();
  await phone.established();
  t.equal(call.status, 200);
  t.match(await tested('main'), { channels: 1 });
  t.equal(await call.refer('6000'), 603, 'nobody outside sends a phone of ours elsewhere');
  await waitState(centre, '1001', 'talking');
  await call.bye();
  await phone.closed();
  await waitState(centre, '1001', 'idle');
});

await t.test('a name in To may have whatever a name has', async (t) => {
  for (const name of ['"Doe, John" ', String.raw`"a <b> \", c" `, 'Doe, John ']) {
    const call = await registrar.call(server, registrar.contact ?? '', did, { name });
    await phone.incoming();
    await phone.answer();
    await phone.established();
    t.equal(call.status, 200, name);
    await call.bye();
    await phone.closed();
    await waitState(centre, '1001', 'idle');
  }
});

await t.test('a number that nobody has is told by a voice, and counted', async (t) => {
  const call = await registrar.call(server, registrar.contact ?? '', '600999');
  t.equal(call.status, 404);
  const unknown = await until('the number to be counted', async () => {
    const { rows } = await db.raw<{ rows: { number: string; endpoint: string }[] }>(
      'select number, endpoint from unknown_numbers',
    );
    return rows[0];
  });
  t.same(unknown, { number: '600999', endpoint: 'astercc-trunk-main' });
});

await t.test(
  'a call from either address of a trunk is its call, and from another one nobody’s',
  async (t) => {
    for (const provider of [first, second]) {
      const call = await provider.call(server, `sip:${did}@${server.host}:${server.port}`, did);
      await phone.incoming();
      t.match(await tested('pair --every-team'), { channels: 1 }, provider.address);
      await phone.answer();
      await phone.established();
      await call.bye();
      await phone.closed();
      await waitState(centre, '1001', 'idle');
    }
    const stranger = await SipProvider.start(t, '127.0.0.93');
    // Also with the name of a trunk in From, which anyone can write there.
    for (const from of ['+4915112345678', 'astercc-trunk-main', 'star64-trunk-pair']) {
      const call = await stranger.call(server, `sip:${did}@${server.host}:${server.port}`, did, { from });
      t.equal(call.status, 401, from);
    }
  },
);

await t.test('the provider is told the account in From, and the number in P-Asserted-Identity', async (t) => {
  const other = await centre.phone('5002');
  await other.dial('7000');
  await other.established();
  const invite = registrar.requests('INVITE').at(-1);
  t.match(invite?.start, /^INVITE sip:\+4915112345678@127\.0\.0\.90/);
  t.match(invite?.headers.get('from'), /<sip:4930600100@example\.org>/);
  t.match(invite?.headers.get('p-asserted-identity'), /<sip:5002@/);
  await other.hangup();
  await other.closed();
});

/** What is said of who calls in the INVITE of a call with a hidden number. */
async function hidden(): Promise<{
  from: string | undefined;
  asserted: string | undefined;
  privacy: string | undefined;
}> {
  const other = centre.phones.find(({ user }) => user === 'astercc-5002');
  const before = registrar.requests('INVITE').length;
  await other?.dial('*310030123456');
  await other?.established();
  const headers = registrar.requests('INVITE')[before]?.headers;
  await other?.hangup();
  await other?.closed();
  return {
    from: headers?.get('from'),
    asserted: headers?.get('p-asserted-identity'),
    privacy: headers?.get('privacy'),
  };
}

await t.test('a number that is hidden is told with the wish to hide it, or not at all', async (t) => {
  // The account, in which the provider sees who pays, is not to be shown either.
  const from = /^"Anonymous" <sip:4930600100@example\.org>/;
  t.match(await hidden(), { from, asserted: /<sip:5002@/, privacy: 'id' });
  await setTrunk(db, 'astercc', 'main', { privacy: false });
  t.equal((await admin('apply')).status, 0);
  t.match(await hidden(), { from, asserted: undefined, privacy: 'id' });
});

await t.test('a changed trunk is read by apply, and no registration is dropped by it', async (t) => {
  const registered = registrar.requests('REGISTER').length;
  await setTrunk(db, 'astercc', 'main', { codecs: 'g722,alaw', callerId: null });
  t.equal((await admin('apply')).status, 0);
  t.match(await asterisk.console('pjsip show endpoint astercc-trunk-main'), /allow +: \(g722\|alaw\)/);
  t.match(await tested('main'), { registration: 'Registered', works: true });
  t.equal(registrar.requests('REGISTER').length, registered);
});

await t.test('with --call it says what came of a call, and hangs up', async (t) => {
  const refused = await tested('main --call +4915112345678');
  t.equal(refused.status, 5);
  t.match(refused.err, /class originate in write= of manager\.conf/);

  const ended = registrar.requests('BYE').length;
  t.match(await tested('main --call +4915112345678', calls), {
    status: 0,
    call: { number: '+4915112345678', rang: true, answered: true },
    works: true,
  });
  await until('the end of the call', () => (registrar.requests('BYE').length > ended ? true : undefined));
  registrar.behaviour = { refuse: '503 Service Unavailable' };
  const failed = await tested('main --call +4915112345678', calls);
  t.match(failed, { status: 1, call: { answered: false, answer: /^503/ }, works: false });
  t.match(failed.err, /trunk main does not work: the call to \+4915112345678 got 503/);
  registrar.behaviour = { refuse: '486 Busy Here' };
  t.match(await tested('main --call +4915112345678', calls), { status: 0, call: { answer: /^486/ } });
});

await t.test('calls go to an address that is there', async (t) => {
  first.stop();
  const report = await until('the first address to be missed', async () => {
    const { contacts } = (await tested('pair --every-team')) as { contacts?: { status: string }[] };
    return contacts?.filter(({ status }) => status === 'reachable').length === 1 ? contacts : undefined;
  });
  t.equal(report.length, 2);
  for (const ring of [1, 2]) {
    t.match(await tested('pair --every-team --call +4915112345678', calls), {
      status: 0,
      call: { answered: true },
    });
    // An INVITE that is answered late is sent again.
    t.equal(new Set(second.requests('INVITE').map(({ headers }) => headers.get('call-id'))).size, ring);
  }
});

await t.test('of a provider that is gone it says so, and Asterisk passes it over', async (t) => {
  registrar.stop();
  const gone = await until('the provider to be missed', async () => {
    const report = await tested('main');
    return report.status === 1 ? report : undefined;
  });
  t.match(gone, { contacts: [{ status: 'unreachable', milliseconds: null }], works: false });
  t.match(gone.err, /none of its addresses answers/);
  t.match(await asterisk.console('pjsip show endpoint astercc-trunk-main'), /Endpoint: .*Unavailable/);
  t.match(await admin('trunk test nothing'), { status: 4 });
});
