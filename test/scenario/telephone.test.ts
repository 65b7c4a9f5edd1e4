import t from 'tap';
import { addAgent, setAgent } from '../../domain/provisioning/agent.js';
import type { Database } from '../../domain/database/pool.js';
import { addDid } from '../../domain/provisioning/did.js';
import { addExtension } from '../../domain/provisioning/extension.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/trunk.js';
import { Caller } from '../../lab/caller.js';
import { Phone } from '../../lab/phone.js';
import { PortBlock } from '../../domain/machine/ports.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import {
  centreFor,
  dialAndHear,
  gaps,
  membersOf,
  needLab,
  stateOf,
  statesOf,
  waitMembers,
  waitState,
} from '../support/centre.js';
import { callIn, endings, trunkSection } from '../support/telephone.js';

await needLab(t);

const number = '+4915112345678';
/** Two providers of telephony, each with a telephone behind it that listens where pjsip.conf says. */
const providers = [
  { endpoint: 'provider.1', address: '127.0.0.97', ports: await PortBlock.reserve('phone') },
  { endpoint: 'provider.2', address: '127.0.0.96', ports: await PortBlock.reserve('phone') },
] as const;
const features = ['sign-in', 'sign-out', 'ready', 'status'] as const;
const didOf = (feature: (typeof features)[number], team = 0): string =>
  `6001${team}${features.indexOf(feature)}`;

const centre = await centreFor(t, {
  asterisk: {
    extra: {
      'pjsip.conf': providers
        .map(({ endpoint, address, ports }) => trunkSection(endpoint, address, ports.first))
        .join('\n'),
    },
  },
  provision: async (db) => {
    const groups = [
      { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 2, missedLimit: 0 },
      { name: 'sales', number: '6001', wrapUp: 'ring', wrapUpSeconds: 0, ringSeconds: 5, missedLimit: 0 },
    ];
    await provision(db, crowd(1, { groups, did: '600900' }));
    await provision(db, crowd(1, { team: 'b2', groups, did: '600901' }));
    await addTrunk(db, null, { name: 'lab', endpoint: 'lab-trunk' });
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1', trusted: true });
    await addTrunk(db, 'b2', { name: 'provider', endpoint: 'provider.2', trusted: true });
    await addTelephone(db, 'astercc', { agent: '2001', extension: '7000' }, 0);
    await addTelephone(db, 'b2', { agent: '2001', extension: '7000', kind: 'fixed' }, 1);
  },
});
const { asterisk, db } = centre;
const mobiles = await Promise.all(
  providers.map(async ({ address, ports }) => {
    const phone = await Phone.start({ user: number, address, ports, server: asterisk.sip });
    t.teardown(() => phone.stop());
    return phone;
  }),
);
const [mobile, other] = mobiles as [Phone, Phone];
const queues = ['astercc-support', 'astercc-sales'] as const;

async function addTelephone(
  db: Database,
  team: string,
  { agent, extension, kind }: { agent: string; extension: string; kind?: string },
  index: number,
): Promise<void> {
  await setTeam(db, team, { trunk: 'provider' });
  await addExtension(db, team, { number: extension, user: 'crowd', kind: 'external', telephone: number });
  const groups = ['support', 'sales'];
  await addAgent(db, team, { number: agent, user: 'crowd', groups, ...(kind && { kind, extension }) });
  for (const feature of features)
    await addDid(db, team, { number: didOf(feature, index), to: `feature:${feature}` });
}

const signIn = () =>
  callIn(centre, mobile, 'provider.1', didOf('sign-in'), ['agent-user', '2001#'], ['agent-loginok']);

/** Waits until a caller has waited in the queue long enough to have been offered to anybody who is free. */
const waitsInVain = (queue: string) =>
  until(`a caller who waits in ${queue}`, async () =>
    /\(wait: 0:0[4-9]/.test(await asterisk.console(`queue show ${queue}`)) ? true : undefined,
  );

const rings = (phone: Phone): number => phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;
const customer = (to = '600900') => Caller.call({ from: '4930123', to, server: asterisk.sip });

await t.test('an agent signs in by calling from his telephone', async (t) => {
  t.same(await membersOf(centre, 'astercc-support'), []);
  await signIn();
  for (const queue of queues) await waitMembers(centre, queue, ['2001']);
  t.equal(await stateOf(centre, '2001'), 'idle');
  const mark = await asterisk.verbose.mark();
  await mobile.dial(didOf('status'));
  await asterisk.waitPlayed('provider.1', 'activated', mark);
  await mobile.hangup();
  await mobile.closed();
  t.same(await db('calls'), [], 'he is no customer');
});

await t.test('a queue call rings his telephone; while he talks and wraps up there is no other', async (t) => {
  const before = rings(mobile);
  const first = await customer();
  await mobile.incoming();
  await waitState(centre, '2001', 'ringing');
  const second = await customer();
  await mobile.answer();
  await mobile.established();
  await waitState(centre, '2001', 'talking');
  await waitsInVain('astercc-support');
  t.equal(rings(mobile), before + 1, 'the second caller waits');

  const ends = await endings(centre);
  await mobile.hangup();
  await mobile.closed();
  await waitState(centre, '2001', 'wrap-up');
  for (const queue of queues) await waitMembers(centre, queue, [/^2001 paused:wrapup/]);
  t.same(await ends(), ['paused', 'free'], 'paused before his telephone counts as free');
  await first.ended();

  await mobile.incoming();
  const { rows } = await db.raw<{ rows: { rested: number }[] }>(
    `select extract(epoch from ended_at - started_at)::float as rested from agent_states where state = 'wrap-up'`,
  );
  t.ok((rows[0]?.rested ?? 0) >= 2, 'the second came after the wrap-up');
  await mobile.answer();
  await mobile.established();
  const endsAgain = await endings(centre);
  await second.hangup();
  await mobile.closed();
  await waitState(centre, '2001', 'wrap-up');
  t.same(await endsAgain(), ['paused', 'free'], 'nor is he free when the caller hangs up');
  await callIn(centre, mobile, 'provider.1', didOf('ready'), ['activated']);
  for (const queue of queues) await waitMembers(centre, queue, ['2001']);
  const cycle = ['idle', 'ringing', 'talking', 'wrap-up'];
  t.same(await statesOf(centre, '2001'), [...cycle, ...cycle, 'idle']);
});

await t.test(
  'a call that he refuses is a wrap-up where a group wants it after every ring (spec 53)',
  async (t) => {
    const caller = await customer('600900');
    await mobile.incoming();
    await mobile.hangup();
    await mobile.closed();
    // Support wants it after answered calls only: the queue tries again.
    await mobile.incoming();
    await caller.hangup();
    await mobile.closed();
    await waitState(centre, '2001', 'idle');

    const phone = await centre.phone('5001');
    await phone.dial('6001');
    await mobile.incoming();
    const ends = await endings(centre);
    await mobile.hangup();
    await mobile.closed();
    await waitState(centre, '2001', 'wrap-up');
    t.same(await ends(), ['paused', 'free']);
    await phone.hangup();
    await phone.closed();
    await callIn(centre, mobile, 'provider.1', didOf('ready'), ['activated']);
    await waitState(centre, '2001', 'idle');
  },
);

await t.test(
  'his short number calls his telephone, and during that call no queue does (spec 15)',
  async (t) => {
    const phone = await centre.phone('5001');
    await phone.dial('7000');
    const before = rings(mobile);
    await mobile.incoming();
    t.match(await asterisk.console('core show hint 7000'), /State:InUse/);
    await mobile.answer();
    await mobile.established();
    await phone.established();
    const caller = await customer();
    await waitsInVain('astercc-support');
    t.equal(rings(mobile), before + 1, 'the queue waits');
    await mobile.hangup();
    await mobile.closed();
    await phone.closed();
    await mobile.incoming();
    await waitState(centre, '2001', 'ringing');
    await caller.hangup();
    await mobile.closed();
    await waitState(centre, '2001', 'idle');
  },
);

await t.test('with no server left his *67 ends his wrap-up, or Asterisk does, and nobody else', async (t) => {
  const caller = await customer();
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await centre.server.kill();
  // Asterisk does not end it before he has.
  const lease = (until: number) => asterisk.console(`dialplan set global STAR64_LEASE ${until}`);
  await lease(4_000_000_000);
  await mobile.hangup();
  await mobile.closed();
  for (const queue of queues) await waitMembers(centre, queue, [/^2001 paused:wrapup/]);
  await caller.ended();
  for (const [address, from] of [
    ['127.0.0.99', number],
    ['127.0.0.97', '+4915112345679'],
  ] as const) {
    const rogue = await Caller.call({ from, address, to: didOf('ready'), server: asterisk.sip });
    await rogue.ended(30_000);
    for (const queue of queues) await waitMembers(centre, queue, [/^2001 paused:wrapup/]);
  }
  await callIn(centre, mobile, 'provider.1', didOf('ready'), ['activated']);
  for (const queue of queues) await waitMembers(centre, queue, ['2001']);

  const next = await customer();
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await mobile.hangup();
  await mobile.closed();
  for (const queue of queues) await waitMembers(centre, queue, [/^2001 paused:wrapup/]);
  await lease(0);
  for (const queue of queues) await waitMembers(centre, queue, ['2001'], 30_000);
  await next.ended();
  await centre.server.start();
  await waitState(centre, '2001', 'idle', 30_000);
  t.same(await gaps(centre), []);
});

await t.test('an Asterisk that crashes in his call lets his telephone ring when it is back', async () => {
  const lost = await customer();
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await waitState(centre, '2001', 'talking');
  await asterisk.kill();
  await lost.phone.stop();
  await mobile.hangup();
  await asterisk.restart();
  for (const queue of queues) await waitMembers(centre, queue, ['2001'], 30_000);
  await waitState(centre, '2001', 'idle', 30_000);
  const from = mobile.events.length;
  const caller = await customer();
  await mobile.event(/^CALL_INCOMING$/, { from });
  await waitState(centre, '2001', 'ringing');
  await caller.hangup();
  await waitState(centre, '2001', 'idle');
});

await t.test('whoever only claims his number is refused aloud, and nothing changes', async (t) => {
  const mark = await asterisk.verbose.mark();
  const rogues = await Promise.all(
    [
      ['127.0.0.99', number],
      ['127.0.0.97', '+4915112345679'],
      ['127.0.0.97', 'anonymous'],
      // A trunk that another team alone trusts.
      ['127.0.0.96', number],
    ].map(([address = '', from = '']) =>
      Caller.call({ from, address, to: didOf('sign-out'), server: asterisk.sip }),
    ),
  );
  await Promise.all(rogues.map((rogue) => rogue.ended(30_000)));
  for (const [endpoint, calls] of [
    ['lab-trunk', 1],
    ['provider.1', 2],
    ['provider.2', 1],
  ] as const) {
    const heard = Array.from({ length: calls }, () => ['beeperr', 'privacy-unident']).flat();
    t.same((await asterisk.played(endpoint, mark)).sort(), heard.sort(), endpoint);
  }
  t.same(await membersOf(centre, 'astercc-support'), ['2001'], 'he is still signed in');
});

await t.test('he signs out from his telephone, whose number some networks send without +', async () => {
  const from = number.slice(1);
  const mark = await asterisk.verbose.mark();
  const call = await Caller.call({
    from,
    address: '127.0.0.97',
    to: didOf('sign-out'),
    server: asterisk.sip,
  });
  await asterisk.waitPlayed('provider.1', 'agent-loggedoff', mark);
  await call.ended();
  for (const queue of queues) await waitMembers(centre, queue, []);
});

await t.test('a team that demands a PIN demands it of telephones, too', async (t) => {
  await setAgent(db, 'astercc', '2001', { pin: '4711' });
  await setTeam(db, 'astercc', { phonePin: true });
  await callIn(
    centre,
    mobile,
    'provider.1',
    didOf('sign-in'),
    ['agent-user', '2001#'],
    ['agent-pass', '4712#'],
    ['auth-incorrect', '4711#'],
    ['agent-loginok'],
  );
  await waitMembers(centre, 'astercc-support', ['2001']);
  t.notMatch((await asterisk.verbose.lines()).join('\n'), /471[12]/, 'it is in no log');
});

await t.test(
  'a fixed agent has a telephone, too: signed in by nature, pauses and wraps up (spec 19, 20)',
  async (t) => {
    for (const queue of ['b2-support', 'b2-sales']) await waitMembers(centre, queue, ['2001']);
    await callIn(centre, other, 'provider.2', didOf('sign-out', 1), ['beeperr'], ['cancelled']);
    const caller = await customer('600901');
    await other.incoming();
    await waitState(centre, '2001', 'ringing', undefined, 'b2');
    await other.answer();
    await other.established();
    await other.hangup();
    await other.closed();
    await caller.ended();
    await waitMembers(centre, 'b2-sales', [/^2001 paused:wrapup/]);
    await waitMembers(centre, 'b2-sales', ['2001']);
    t.equal(await stateOf(centre, '2001'), 'idle', 'his namesake in the other team noticed nothing (spec 4)');
  },
);

await t.test('a team without a trunk has no way to its telephones, and says so', async (t) => {
  await setTeam(db, 'b2', { trunk: null });
  await centre.generate();
  const phone = await centre.phone('5001', { team: 'b2' });
  const before = rings(other);
  await dialAndHear(centre, phone, '7000', 'ss-noservice');
  t.equal(rings(other), before);
});
