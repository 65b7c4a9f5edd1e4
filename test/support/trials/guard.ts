import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, Conversation } from '../calls.js';
import { centreOf, dialAndHear, guarded, membersOf, serversSay, stateOf, waitMembers } from '../centre.js';
import { FaultyServer, type Fault } from '../processes/faulty-server.js';

/** What the guard gives one server, in seconds. */
const patience = { caller: 2, agent: 5 };

/** What may be wrong with a server, and whether whoever asks waits until their patience is over. */
const everyFault: { fault: Fault; hangs: boolean }[] = [
  { fault: 'refuses', hangs: false },
  { fault: 'is silent', hangs: true },
  { fault: 'closes without a command', hangs: false },
  { fault: 'closes in the middle', hangs: false },
  { fault: 'resets in the middle', hangs: false },
  { fault: 'is killed in the middle', hangs: false },
  { fault: 'says failure', hangs: false },
  { fault: 'never answers', hangs: true },
  { fault: 'hangs in the middle', hangs: true },
  { fault: 'answers with nothing', hangs: false },
];
const wrongPlaces: Fault[] = ['answers with a place that is not', 'answers with a context that is not'];

/**
 * What a caller and an agent have of servers that fail, by the guard of the dialplan. `slow`: of the faults that have
 * somebody wait until their patience is over, all of them at each place; otherwise one at each.
 */
export async function guardedFromFaults(t: Test, { slow }: { slow: boolean }): Promise<void> {
  const faultsAt = (one: Fault): typeof everyFault =>
    everyFault.filter(({ fault, hangs }) => slow || !hangs || fault === one);

  const groups = ['support', 'sales'].map((name) => ({ name, wrapUp: 'off' }));
  const team = crowd(3, { groups });
  const groupOf = ['support', 'sales', 'support'];
  const agents = team.agents.map((agent, index) => ({ ...agent, groups: [groupOf[index] ?? ''] }));
  const centre = await centreOf(
    t,
    { ...team, agents },
    {
      servers: 2,
      asterisk: { briefPrompts: ['sorry', 'please-try-call-later'] },
    },
  );
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

  /** A call shows who sent it there: the servers say sales, the generated files support. */
  await serversSay(centre, '600100', 'sales');
  const byServer = 'sales';
  const byFallback = 'support';

  /** A customer calls: into which queue, and how many servers does the guard leave because they hang? Returns how often. */
  async function calls(t: Test, group: keyof typeof phones, hung: number): Promise<number> {
    return undisturbed(t, { group, seconds: patience.caller, hung }, async (from) => {
      const caller = await callIn(centre);
      t.teardown(() => caller.phone.stop());
      const join = await asterisk.verbose.waitFor(/ Executing \[\w+@astercc-groups:\d+\] Queue\(/, from);
      const went = /"astercc-(\w+),/.exec(join)?.[1] === 'sales' ? 'sales' : 'support';
      await asterisk.verbose.waitFor(/ Started music on hold, .* channel 'PJSIP\/lab-trunk-/, from);
      await caller.answered();
      const talk = await Conversation.answer(centre, phones[went], caller);
      t.same(await talk.harm(), [], 'they talk');
      const channel = await asterisk.console(`core show channel ${/PJSIP\/[\w-]+/.exec(join)?.[0] ?? ''}`);
      t.match(channel, /Time to Hangup: 0\n/, 'for as long as they like');
      await talk.end();
      return went;
    });
  }

  /** An agent dials *64: what do they hear first, and how many servers does the guard leave because they hang? */
  async function signsIn(t: Test, prompt: 'agent-loginok' | 'sorry', hung: number): Promise<void> {
    await undisturbed(t, { prompt, seconds: patience.agent, hung }, async (from) => {
      await phone.dial('*641003');
      const playing = / Playing '(agent-loginok|sorry)\./;
      const heard = playing.exec(await asterisk.verbose.waitFor(playing, from))?.[1];
      await phone.leave();
      await phone.closed();
      return heard;
    });
  }

  /**
   * Does it, and fails unless it comes to the group or prompt that is wanted, each server was given these seconds, and so
   * many used them up: how long somebody waits is their product. Where more did, it is done a second time: on a busy machine
   * one that is well may be too slow. Returns how often it was done.
   */
  async function undisturbed(
    t: Test,
    { seconds, hung, ...wanted }: { seconds: number; hung: number; group?: string; prompt?: string },
    once: (from: number) => Promise<string | undefined>,
  ): Promise<number> {
    for (let times = 1; ; times++) {
      const from = await asterisk.verbose.mark();
      const came = await once(from);
      const { given, left } = await guarded(centre, from);
      t.ok(
        given.every((one) => one === seconds),
        `each was given ${seconds} s: ${given.join(', ')}`,
      );
      if (left > hung && times === 1) {
        t.comment(`${left} servers were left, and not ${hung}: once more`);
        continue;
      }
      t.same([came], Object.values(wanted), 'in the queue, or heard');
      t.equal(left, hung, 'so many were left because they hung');
      return times;
    }
  }

  await t.test('with both servers well, the server says where a call goes', async (t) => {
    await calls(t, byServer, 0);
  });

  await t.test('the first server hangs (SIGSTOP): the second is asked', async (t) => {
    first.freeze();
    await calls(t, byServer, 1);
    await signsIn(t, 'agent-loginok', 1);
    first.thaw();
    await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
  });

  await t.test('both servers hang (SIGSTOP): the call goes where the generated files say', async (t) => {
    for (const server of servers) server.freeze();
    await calls(t, byFallback, 2);
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

  for (const { fault, hangs } of faultsAt('never answers')) {
    await t.test(`the first server ${fault}: the second is asked`, async (t) => {
      await faultyFirst.be(fault);
      await calls(t, byServer, hangs ? 1 : 0);
    });
  }

  for (const fault of wrongPlaces) {
    await t.test(`the first server ${fault}: fallback`, async (t) => {
      await faultyFirst.be(fault);
      await calls(t, byFallback, 0);
    });
  }

  for (const { fault, hangs } of faultsAt('is silent')) {
    await t.test(`each server ${fault}: the call goes where the generated files say`, async (t) => {
      await second.stop();
      await faultyFirst.be(fault);
      await faultySecond.be(fault);
      const asked = faultyFirst.asked;
      const times = await calls(t, byFallback, hangs ? 2 : 0);
      if (fault === 'is killed in the middle') await Promise.all([faultyFirst.died(), faultySecond.died()]);
      else if (fault !== 'refuses' && fault !== 'is silent')
        t.equal(faultyFirst.asked, asked + times, 'after the server was asked');
    });
  }

  const signIns = faultsAt('never answers').filter(
    ({ fault }) => fault !== 'is silent' && fault !== 'hangs in the middle',
  );
  for (const { fault, hangs } of signIns) {
    await t.test(`each server ${fault}: a sign-in is refused aloud and changes nothing`, async (t) => {
      await faultyFirst.be(fault);
      await faultySecond.be(fault);
      const before = await db('sign_ins');
      await signsIn(t, 'sorry', hangs ? 2 : 0);
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
}
