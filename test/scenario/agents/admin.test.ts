import t, { type Test } from 'tap';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { agentChannel } from '../../../domain/database/notifications.js';
import { addPauseReason } from '../../../domain/provisioning/people/pause-reason.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { cli } from '../../support/processes/cli.js';
import { centreOf, dialled, gaps, stateOf, statesOf, waitMembers, waitState } from '../../support/centre.js';

const centre = await centreOf(
  t,
  crowd(4, {
    groups: [{ name: 'support', number: '6000', ringSeconds: 120, wrapUpSeconds: 0 }, { name: 'sales' }],
  }),
  {
    servers: 3,
    provision: async (db) => {
      await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
      // Calls go to him when nobody else is left.
      await addAgent(db, 'astercc', {
        number: '1009',
        user: 'crowd',
        groups: ['support'],
        kind: 'fixed',
        extension: '5004',
        penalties: { support: 10 },
      });
    },
  },
);
const { asterisk, db, servers } = centre;
const env = centre.env as Record<string, string>;
const fixed = '1009';
const [one, two, three, last] = [
  await centre.phone('5001'),
  await centre.phone('5002'),
  await centre.phone('5003'),
  await centre.phone('5004'),
];
const customer = (): Promise<Caller> => Caller.call({ from: '4930123', to: '600100', server: asterisk.sip });

/** Runs a command that must succeed; returns its JSON. */
async function admin(...args: string[]): Promise<unknown> {
  const { status, out, err } = await cli([...args, '--json'], { env });
  if (status !== 0) throw new Error(`star64 ${args.join(' ')}: ${err}`);
  return JSON.parse(out);
}

/** Runs a command that must be refused as a conflict, with these words. */
async function refused(t: Test, says: RegExp, ...args: string[]): Promise<void> {
  t.match(await cli(args, { env }), { status: 5, out: '', err: says }, args.join(' '));
}

/** What a phone is doing: the last that happened in its calls. */
const doing = (phone: Phone): string | undefined =>
  phone.events.map(({ type }) => type).findLast((type) => /^CALL_(INCOMING|ESTABLISHED|CLOSED)$/.test(type));

const callsAt = (phone: Phone): number => phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;

interface Desk {
  agent: string;
  phone: Phone;
}
const desks: readonly Desk[] = [
  { agent: '1001', phone: one },
  { agent: '1002', phone: two },
  { agent: '1003', phone: three },
];

/** Signs in the agents of these desks, and waits until the queues have them all and no others. */
async function signIn(...at: readonly Desk[]): Promise<void> {
  for (const { agent, phone } of at)
    await admin('agent', 'sign-in', agent, '--extension', phone.user.replace('astercc-', ''));
  await members(...at.map(({ agent }) => agent));
}

/** The desk whose phone rings now. */
async function whoRings(): Promise<Desk> {
  const rings = await until('a phone to ring', () =>
    desks.find(({ phone }) => doing(phone) === 'CALL_INCOMING'),
  );
  // Taken, so that a later wait does not find this one.
  await rings.phone.incoming();
  await waitState(centre, rings.agent, 'ringing');
  return rings;
}

/** The members of both queues; the fixed agent is in the first. */
async function members(...wanted: (string | RegExp)[]): Promise<void> {
  await waitMembers(centre, 'astercc-sales', wanted);
  await waitMembers(centre, 'astercc-support', [...wanted, fixed]);
}

/** Runs something and waits until every server has followed what it changed of this agent. */
async function followed(agent: string, run: () => Promise<unknown>): Promise<void> {
  const marks = await Promise.all(servers.map(({ log }) => log.mark()));
  await run();
  const line = new RegExp(`"agent":"${agent}".*"msg":"followed a command"`);
  await Promise.all(servers.map(({ log }, index) => log.waitFor(line, marks[index])));
}

await t.test(
  'sign-in, pause, ready and sign-out by command: the queues follow, all servers agree',
  async (t) => {
    await waitMembers(centre, 'astercc-support', [fixed]);
    await followed('1001', () => centre.star64('agent', 'sign-in', '1001', '--extension', '5001'));
    await members('1001');
    await followed('1001', () => admin('agent', 'pause', '1001', '--reason', '1'));
    await members('1001 paused:pause:1');
    await dialled(centre, one, '*67');
    await members('1001');
    await admin('agent', 'pause', '1001', '--reason', '0');
    await members('1001 paused:pause:0');
    await followed('1001', () => admin('agent', 'ready', '1001'));
    await members('1001');

    // The phone sees what the command has done, and the other way round.
    t.match(await dialled(centre, two, '*641002'), ['agent-loginok']);
    await admin('agent', 'sign-out', '1002');
    t.match(await dialled(centre, two, '*65'), ['beeperr', 'vm-no', 'spy-agent'], 'signed out already');
    await dialled(centre, one, '*65');
    await refused(t, /not signed in/, 'agent', 'sign-out', '1001');
    await members();
    t.same(await statesOf(centre, '1001'), ['idle', 'paused', 'idle', 'paused', 'idle'], 'each once');
  },
);

await t.test('a move by command takes the agent from one phone to the other', async (t) => {
  await followed('1001', () => admin('agent', 'sign-in', '1001', '--extension', '5001'));
  await members('1001');
  await db.raw(
    `update sign_ins set signed_in_at = signed_in_at - interval '1 minute' where signed_out_at is null`,
  );
  await db.raw(`update agent_states s set started_at = i.signed_in_at from sign_ins i
    where s.sign_in_id = i.id and s.ended_at is null`);
  await followed('1001', () => admin('agent', 'sign-in', '1001', '--extension', '5002'));
  t.notMatch(await asterisk.console('queue show'), /astercc-5001/);
  t.match(await asterisk.console('queue show astercc-sales'), /1001 \(PJSIP\/astercc-5002\)/);
  await admin('agent', 'sign-out', '1001');
  await members();
});

await t.test('a wrap-up ends by command; in a call nobody is paused or made ready', async (t) => {
  await admin('agent', 'sign-in', '1001', '--extension', '5001');
  await members('1001');
  const caller = await customer();
  await one.incoming();
  await waitState(centre, '1001', 'ringing');
  await refused(t, /in a call at extension 5001/, 'agent', 'pause', '1001', '--reason', '0');
  await one.answer();
  await waitState(centre, '1001', 'talking');
  await refused(t, /in a call at extension 5001/, 'agent', 'ready', '1001');
  await caller.hangup();
  await one.closed();
  await waitState(centre, '1001', 'wrap-up');
  await members('1001 paused:wrapup');
  await admin('agent', 'ready', '1001');
  await members('1001');
  await admin('agent', 'sign-out', '1001');
  await members();
});

await t.test(
  'a sign-out while an offer rings: the next agent gets the call, and the caller stays',
  async (t) => {
    const pair = desks.slice(0, 2);
    await signIn(...pair);
    const caller = await customer();
    const rings = await whoRings();
    const next = pair.find((desk) => desk !== rings) ?? rings;

    // What no command has sent harms nobody: the phone rings on.
    const marks = await Promise.all(servers.map(({ log }) => log.mark()));
    await db.raw('select pg_notify(?, ?)', [agentChannel, '/.*/']);
    await Promise.all(servers.map(({ log }, index) => log.waitFor(/no command has sent/, marks[index])));
    t.equal(doing(rings.phone), 'CALL_INCOMING');

    await followed(rings.agent, () => admin('agent', 'sign-out', rings.agent));
    await rings.phone.closed();
    await next.phone.incoming();
    await next.phone.answer();
    await waitState(centre, next.agent, 'talking');
    t.equal(doing(caller.phone), 'CALL_ESTABLISHED', 'he hears music, and then somebody');
    await caller.hangup();
    await next.phone.closed();
    await waitState(centre, next.agent, 'wrap-up');
    await admin('agent', 'sign-out', next.agent);
    await members();
  },
);

await t.test('a whole group is signed out: talks go on, and what rings goes to who is left', async (t) => {
  await signIn(...desks);
  const callers = [await customer()];
  const talks = await whoRings();
  await talks.phone.answer();
  await talks.phone.established();
  await waitState(centre, talks.agent, 'talking');
  callers.push(await customer());
  const rings = await whoRings();
  const idle = desks.find((desk) => desk !== talks && desk !== rings) ?? rings;
  const calls = callsAt(idle.phone);

  t.match(await admin('group', 'sign-out-all', 'support'), [
    { agent: fixed, outcome: 'fixed' },
    ...desks.map(({ agent }) => ({ agent, outcome: 'signed-out' })),
  ]);
  await rings.phone.closed();
  await last.incoming();
  await last.answer();
  await members();
  await waitState(centre, fixed, 'talking');
  for (const { agent } of desks) t.equal(await stateOf(centre, agent), 'signed-out');
  t.equal(doing(talks.phone), 'CALL_ESTABLISHED', 'nobody is cut off in a conversation');
  t.equal(callsAt(idle.phone), calls, 'nor does the call go to one who was signed out with the others');
  for (const caller of callers) await caller.hangup();
  await talks.phone.closed();
  await last.closed();
  await waitState(centre, fixed, 'wrap-up');
  await admin('agent', 'ready', fixed);
  await members();
});

await t.test(
  'an offer that is answered before a server hears of the sign-out is a conversation',
  async (t) => {
    await admin('agent', 'sign-in', '1001', '--extension', '5001');
    await members('1001');
    const caller = await customer();
    await one.incoming();
    await waitState(centre, '1001', 'ringing');
    for (const server of servers) server.freeze();
    await admin('agent', 'sign-out', '1001');
    await one.answer();
    await one.established();
    await followed('1001', () => {
      for (const server of servers) server.thaw();
      return Promise.resolve();
    });
    await members();
    t.equal(doing(one), 'CALL_ESTABLISHED', 'it goes on');
    await caller.hangup();
    await one.closed();
  },
);

await t.test('with no server the command works all the same, and the next start follows it', async (t) => {
  await Promise.all(servers.map((server) => server.stop()));
  await admin('agent', 'sign-in', '1001', '--extension', '5001');
  await admin('agent', 'pause', '1001', '--reason', '1');
  t.equal(await stateOf(centre, '1001'), 'paused');
  await Promise.all(servers.map((server) => server.start()));
  await members('1001 paused:pause:1');
  await admin('group', 'sign-out-all', 'sales');
  await members();
  t.same(await gaps(centre), []);
});
