import { connect } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, Conversation, waitCall, waitTalking, waitWaiting } from '../../support/calls.js';
import {
  centreOf,
  dialAndHear,
  freezeAtRest,
  gaps,
  guarded,
  stateOf,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

/** A wrap-up of support ends with *67, one of sales after this long, unless the test has it end before. */
const salesSeconds = 600;
const did = { support: '600100', sales: '600101' };
const queues = ['astercc-support', 'astercc-sales'];
/**
 * The promise to Asterisk runs out ten seconds after the server's last sign of life, a second later the wrap-ups have
 * ended; the rest is for a machine that has much else to do.
 */
const leaseOverMs = 60_000;

const groups = [
  { name: 'support', wrapUp: 'answer', wrapUpSeconds: 0 },
  { name: 'sales', wrapUp: 'answer', wrapUpSeconds: salesSeconds },
];
const team = crowd(3, { groups });
const dids = groups.map(({ name }, index) => ({ number: `60010${index}`, to: `group:${name}` }));
const centre = await centreOf(t, { ...team, dids });
const { asterisk, db, server } = centre;
const phone = await centre.phone('5001');
const colleague = await centre.phone('5002');
await dialAndHear(centre, phone, '*641001', 'agent-loginok');

/**
 * Starts the server again: agent 1001 must be in this state, and a member as given, by what it does at its start. Its
 * next regular reconciliation comes after a minute, and nobody waits for that long.
 */
async function startAgain(state: string, member: string | RegExp): Promise<void> {
  await server.start();
  for (const queue of queues) await waitMembers(centre, queue, [member]);
  await waitState(centre, '1001', state);
}

/**
 * Has Asterisk rely on the promise of the server that is gone until another one is made: its ten seconds may be short. By the
 * database the server knows it for its own.
 */
async function promise(): Promise<void> {
  const far = 4_000_000_000;
  await db('leader_leases').update({ promised_until: far });
  await asterisk.console(`dialplan set global STAR64_LEASE ${far}`);
}

/** Whether somebody listens there. */
async function accepts(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: that is the answer.
    return false;
  } finally {
    socket.destroy();
  }
}

/** Ends the wrap-up of support. */
async function ready(): Promise<void> {
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitState(centre, '1001', 'idle');
  for (const queue of queues) await waitMembers(centre, queue, ['1001']);
}

await t.test('killed in a call: the call goes on, and what ends it after the start is seen', async (t) => {
  const talk = await Conversation.begin(centre, phone);
  await waitState(centre, '1001', 'talking');
  const before = (await statesOf(centre, '1001')).length;
  await server.kill();
  const mark = await asterisk.verbose.mark();
  await startAgain('talking', '1001');
  // A wrap-up begins in Asterisk only where a server has promised to end it.
  await asterisk.verbose.waitFor(/Setting global variable 'STAR64_LEASE' to '[1-9]/, mark);
  t.same(await talk.harm(), [], 'nobody noticed');
  await talk.end();
  await waitState(centre, '1001', 'wrap-up');
  t.same((await statesOf(centre, '1001')).slice(before), ['wrap-up'], 'one conversation, counted once');
  await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: false });
  await ready();
});

await t.test('killed in a call that ends meanwhile: the agent is in wrap-up after the start', async () => {
  const talk = await Conversation.begin(centre, phone);
  await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: true });
  await server.kill();
  await promise();
  await talk.end();
  for (const queue of queues) await waitMembers(centre, queue, ['1001 paused:wrapup']);
  await startAgain('wrap-up', '1001 paused:wrapup');
  await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: false });
  await ready();
});

await t.test('killed in wrap-up: it is still on after the start, and *67 ends it', async () => {
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  await server.kill();
  await promise();
  await startAgain('wrap-up', '1001 paused:wrapup');
  await ready();
});

await t.test('killed in wrap-up whose time runs out meanwhile: over after the start', async (t) => {
  await (await Conversation.begin(centre, phone, did.sales)).end();
  await waitState(centre, '1001', 'wrap-up');
  await server.kill();
  const over = await db('agent_states')
    .whereNull('ended_at')
    .whereNotNull('deadline_at')
    .update({ deadline_at: db.raw('clock_timestamp()') });
  t.equal(over, 1);
  await startAgain('idle', '1001');
});

await t.test(
  'killed when idle: calls, and queues that others changed, are right after the start',
  async (t) => {
    await server.kill();
    await asterisk.console('queue remove member PJSIP/astercc-5001 from astercc-sales');
    await asterisk.console('queue add member PJSIP/astercc-5002 to astercc-sales penalty 0 as 1002');
    const talk = await Conversation.begin(centre, phone);
    await startAgain('talking', '1001');
    t.same(await talk.harm(), [], 'nobody noticed');
    await waitTalking(centre, '1001', talk.call);
    await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: true });
    await talk.end();
    await waitState(centre, '1001', 'wrap-up');
    await ready();
  },
);

await t.test('dead for good: callers reach the agents, and nobody stays in wrap-up', async (t) => {
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  await server.kill();
  const first = await callIn(centre);
  await waitWaiting(centre, 'astercc-support', 1);
  await (await Conversation.answer(centre, phone, first, { deadlineMs: leaseOverMs })).end();
  // Without a server no wrap-up begins.
  const second = await Conversation.begin(centre, phone);
  await dialAndHear(centre, colleague, '*641002', 'sorry');
  await startAgain('talking', '1001');
  t.same(await second.harm(), [], 'nobody noticed');
  t.equal(await stateOf(centre, '1002'), 'signed-out', 'what was refused has not happened');
  await second.end();
  await waitState(centre, '1001', 'wrap-up');
  await ready();
});

await t.test('hung: callers reach the agents, and nobody stays in wrap-up', async (t) => {
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  const before = (await statesOf(centre, '1001')).length;
  await freezeAtRest(centre);
  const at = await asterisk.verbose.mark();
  const first = await callIn(centre);
  await waitWaiting(centre, 'astercc-support', 1);
  t.same(await guarded(centre, at), { given: [2], left: 1 }, 'the caller waited for 2 s');
  await dialAndHear(centre, colleague, '*641002', 'sorry');
  await (await Conversation.answer(centre, phone, first, { deadlineMs: leaseOverMs, from: at })).end();
  const again = await asterisk.verbose.mark();
  await (await Conversation.begin(centre, phone)).end();
  t.same(await guarded(centre, again), { given: [2], left: 1 }, 'and the next one no longer');
  server.thaw();
  await waitState(centre, '1001', 'idle');
  await dialAndHear(centre, colleague, '*65', 'beeperr', 'spy-agent');
  t.equal(await stateOf(centre, '1002'), 'signed-out', 'what was refused has not happened');
  const twice = ['ringing', 'talking', 'idle', 'ringing', 'talking', 'idle'];
  await until('the states of both calls', async () =>
    (await statesOf(centre, '1001')).length === before + twice.length ? true : undefined,
  );
  t.same((await statesOf(centre, '1001')).slice(before), twice, 'nothing was lost');
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  await ready();
});

await t.test(
  'SIGTERM: answers who has asked, refuses who asks then, leaves calls alone, exits 0',
  async (t) => {
    const talk = await Conversation.begin(centre, phone);
    await waitState(centre, '1001', 'talking');
    // A sign-in that cannot go on while somebody else holds the agent's row.
    const mark = await asterisk.verbose.mark();
    const stopped = await db.transaction(async (trx) => {
      await trx.raw("select 1 from agents where number = '1002' for update");
      await colleague.dial('*641002');
      await until('the sign-in to wait', async () => {
        const { rows } = await db.raw<{ rows: unknown[] }>(
          "select 1 from pg_stat_activity where wait_event_type = 'Lock'",
        );
        return rows.length > 0 ? true : undefined;
      });
      const status = server.stop();
      await until('the server to accept nobody', async () =>
        (await accepts(server.address)) ? undefined : true,
      );
      return { status };
    });
    await asterisk.waitPlayed(colleague.user, 'agent-loginok', mark);
    await colleague.closed();
    t.equal(await stopped.status, 0, 'exit status');
    t.same(await talk.harm(), [], 'the running call did not notice');
    t.equal(await stateOf(centre, '1002'), 'idle');
  },
);

await t.test('no interval of any agent has a gap', async (t) => {
  await server.start();
  await dialAndHear(centre, colleague, '*65', 'agent-loggedoff');
  t.same(await gaps(centre), []);
  await waitMembers(centre, 'astercc-support', ['1001']);
});
