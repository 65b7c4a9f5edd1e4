import t, { type Test } from 'tap';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { callIn, Conversation } from '../support/calls.js';
import { centreFor, dialAndHear, membersOf, needLab, stateOf, waitMembers } from '../support/centre.js';
import { FaultyServer, type Fault } from '../support/faulty-server.js';

/** What the guard gives one server, in seconds. */
const patience = { caller: 2, agent: 5 };
/** For a machine that has much else to do. */
const marginMs = 3000;

/** What may be wrong with a server, and the seconds that it costs whoever asks. */
const faults: { fault: Fault; seconds: number }[] = [
  { fault: 'refuses', seconds: 0 },
  { fault: 'is silent', seconds: patience.caller },
  { fault: 'closes without a command', seconds: 0 },
  { fault: 'closes in the middle', seconds: 0 },
  { fault: 'resets in the middle', seconds: 0 },
  { fault: 'is killed in the middle', seconds: 0 },
  { fault: 'says failure', seconds: 0 },
  { fault: 'never answers', seconds: patience.caller },
  { fault: 'hangs in the middle', seconds: patience.caller },
  { fault: 'answers with nothing', seconds: 0 },
];
const wrongPlaces: Fault[] = ['answers with a place that is not', 'answers with a context that is not'];

await needLab(t);

const centre = await centreFor(t, {
  servers: 2,
  provision: async (db) => {
    const groups = ['support', 'sales'].map((name) => ({ name, wrapUp: 'off' }));
    const team = crowd(3, { groups });
    const groupOf = ['support', 'sales', 'support'];
    const agents = team.agents.map((agent, index) => ({ ...agent, groups: [groupOf[index] ?? ''] }));
    await provision(db, { ...team, agents });
  },
});
const { asterisk, db, servers } = centre;
const [first, second] = servers as [(typeof servers)[0], (typeof servers)[0]];
const [faultyFirst, faultySecond] = [first, second].map(
  ({ address }) => new FaultyServer(Number(address.split(':')[1])),
) as [FaultyServer, FaultyServer];
t.teardown(() => Promise.all([faultyFirst.stop(), faultySecond.stop()]));

/** The phone of the one who signs in while servers fail. */
const phone = await centre.phone('5003');
/** The agent's phone in each queue. */
const phones = { support: await centre.phone('5001'), sales: await centre.phone('5002') };
await dialAndHear(centre, phones.support, '*641001', 'agent-loginok');
await dialAndHear(centre, phones.sales, '*641002', 'agent-loginok');
for (const [group, agent] of Object.entries({ support: '1001', sales: '1002' }))
  await waitMembers(centre, `astercc-${group}`, [agent]);

/** Without `generate`: the servers say sales, the generated files still support. So a call shows who sent it there. */
await centre.star64('did', 'set', '600100', '--group', 'sales');
await Promise.all(servers.map((server) => server.stop()));
await Promise.all(servers.map((server) => server.start()));
const byServer = 'sales';
const byFallback = 'support';

/** The moment of a line in Asterisk's log, in milliseconds. */
function moment(line: string): number {
  return Date.parse(`${/^\[([^\]]+)\]/.exec(line)?.[1]?.replace(' ', 'T') ?? ''}Z`);
}

/** A customer calls: into which queue, and how many seconds after the call's first step in the dialplan at most? */
async function calls(t: Test, group: keyof typeof phones, seconds: number): Promise<void> {
  const from = await asterisk.verbose.mark();
  const caller = await callIn(centre);
  t.teardown(() => caller.phone.stop());
  const begin = await asterisk.verbose.waitFor(/ Executing \[600100@\S+:1\] /, from);
  const join = await asterisk.verbose.waitFor(/ Executing \[\w+@astercc-groups:\d+\] Queue\(/, from, 20_000);
  const took = moment(join) - moment(begin);
  const went = /"astercc-(\w+),/.exec(join)?.[1] === 'sales' ? 'sales' : 'support';
  t.equal(went, group, `in the queue after ${took} ms`);
  t.ok(took <= seconds * 1000 + marginMs, `within ${seconds} s, give or take`);
  await asterisk.verbose.waitFor(/ Started music on hold, .* channel 'PJSIP\/lab-trunk-/, from);
  await caller.answered();
  const talk = await Conversation.answer(centre, phones[went], caller);
  t.same(await talk.harm(), [], 'they talk');
  const channel = await asterisk.console(`core show channel ${/PJSIP\/[\w-]+/.exec(join)?.[0] ?? ''}`);
  t.match(channel, /Time to Hangup: 0\n/, 'for as long as they like');
  await talk.end();
}

/** An agent dials *64: what does he hear first, and after how many seconds at most? */
async function signsIn(t: Test, prompt: string, seconds: number): Promise<void> {
  const from = await asterisk.verbose.mark();
  await phone.dial('*641003');
  const begin = await asterisk.verbose.waitFor(/ Executing \[\*641003@\S+:1\] /, from);
  const heard = await asterisk.verbose.waitFor(new RegExp(` Playing '${prompt}\\.`), from, 20_000);
  const took = moment(heard) - moment(begin);
  t.ok(took <= seconds * 1000 + marginMs, `${prompt} after ${took} ms`);
  await phone.hangup();
  await phone.closed();
}

await t.test('with both servers well, the server says where a call goes', async (t) => {
  await calls(t, byServer, 0);
});

await t.test('the first server hangs (SIGSTOP): the second is asked', async (t) => {
  first.freeze();
  await calls(t, byServer, patience.caller);
  await signsIn(t, 'agent-loginok', patience.agent);
  first.thaw();
  await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
});

await t.test('both servers hang (SIGSTOP): the call goes where the generated files say', async (t) => {
  for (const server of servers) server.freeze();
  await calls(t, byFallback, 2 * patience.caller);
  for (const server of servers) server.thaw();
});

await t.test('the place that a server names is not there yet: fallback', async (t) => {
  t.teardown(async () => {
    await centre.star64('did', 'set', '600100', '--group', 'sales');
    await first.stop();
    await second.start();
  });
  await centre.star64('group', 'add', 'fresh');
  await centre.star64('did', 'set', '600100', '--group', 'fresh');
  await second.stop();
  await first.stop();
  await first.start();
  await calls(t, byFallback, 0);
});

for (const { fault, seconds } of faults) {
  await t.test(`the first server ${fault}: the second is asked`, async (t) => {
    await faultyFirst.be(fault);
    await calls(t, byServer, seconds);
  });
}

for (const fault of wrongPlaces) {
  await t.test(`the first server ${fault}: fallback`, async (t) => {
    await faultyFirst.be(fault);
    await calls(t, byFallback, 0);
  });
}

for (const { fault, seconds } of faults) {
  await t.test(`each server ${fault}: the call goes where the generated files say`, async (t) => {
    await second.stop();
    await faultyFirst.be(fault);
    await faultySecond.be(fault);
    const asked = faultyFirst.asked;
    await calls(t, byFallback, 2 * seconds);
    if (fault === 'is killed in the middle') await Promise.all([faultyFirst.died(), faultySecond.died()]);
    else if (fault !== 'refuses' && fault !== 'is silent')
      t.equal(faultyFirst.asked, asked + 1, 'after the server was asked');
  });
}

const signIns = faults.filter(({ fault }) => fault !== 'is silent' && fault !== 'hangs in the middle');
for (const { fault, seconds } of signIns) {
  await t.test(`each server ${fault}: a sign-in is refused aloud and changes nothing`, async (t) => {
    await faultyFirst.be(fault);
    await faultySecond.be(fault);
    const before = await db('sign_ins');
    await signsIn(t, 'sorry', seconds > 0 ? 2 * patience.agent : 0);
    t.same(await db('sign_ins'), before, 'no sign-in');
    t.equal(await stateOf(centre, '1003'), 'signed-out', 'no state');
    t.same(await membersOf(centre, 'astercc-support'), ['1001'], 'no queue member');
  });
}

await t.test('the refusal, as it reaches the ear', async (t) => {
  await faultyFirst.be('refuses');
  await faultySecond.be('refuses');
  const prompts = ['sorry', 'please-try-call-later'];
  await dialAndHear(centre, phone, '*641003', ...prompts);
  t.same(await asterisk.recognise(await phone.heard(), prompts), prompts, 'in this order');
});

await t.test('a caller who gives up while the server hangs leaves nothing behind', async (t) => {
  await faultyFirst.be('never answers');
  await faultySecond.be('never answers');
  const asked = faultyFirst.asked;
  const caller = await callIn(centre);
  await until('the question', () => (faultyFirst.asked > asked ? true : undefined));
  await caller.hangup();
  await until('the end of the call', async () => {
    const text = await asterisk.console('core show channels count');
    return text.includes('0 active channels') && faultyFirst.open === 0 ? true : undefined;
  });
  t.equal(faultySecond.open, 0, 'and nobody else was asked');
});
