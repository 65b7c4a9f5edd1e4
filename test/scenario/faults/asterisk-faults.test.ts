import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, Conversation, waitCall, waitTalking } from '../../support/calls.js';
import {
  centreOf,
  dialAndHear,
  gaps,
  stateOf,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

/** Without a server nobody renews the promise to Asterisk; see server-faults. */
const leaseOverMs = 60_000;
/**
 * For what waits for the manager connection, which is tried again every five seconds at the latest. Shorter than a minute:
 * the regular reconciliation is not waited for, the connection itself brings one.
 */
const mendedMs = 40_000;

const groups = [{ name: 'support', wrapUp: 'answer', wrapUpSeconds: 0 }, { name: 'sales' }];
const centre = await centreOf(t, crowd(3, { groups }), {
  // Members that come back can only come from star64's database then.
  asterisk: { persistentMembers: false },
});
const { asterisk, server } = centre;
const queues = ['astercc-support', 'astercc-sales'];
const phone = await centre.phone('5001');
const second = await centre.phone('5002');
const third = await centre.phone('5003');

/** Waits until all queues have these members. */
async function waitAllMembers(...wanted: (string | RegExp)[]): Promise<void> {
  for (const queue of queues) await waitMembers(centre, queue, wanted, mendedMs);
}

const restarts = [
  // It ends the call, and tells so as long as the manager connection is there: then it ends in a wrap-up.
  { how: 'stopped in good order', restart: () => asterisk.restart(), after: ['wrap-up', 'idle'] },
  {
    how: 'killed',
    restart: async () => {
      await asterisk.kill();
      await asterisk.restart();
    },
    after: ['idle'],
  },
];

for (const { how, restart, after } of restarts) {
  await t.test(`Asterisk ${how}, and started: members and states are back`, async (t) => {
    await dialAndHear(centre, second, '*641002', 'agent-loginok');
    await (await Conversation.begin(centre, second)).end();
    await waitState(centre, '1002', 'wrap-up');
    await dialAndHear(centre, phone, '*641001', 'agent-loginok');
    const talk = await Conversation.begin(centre, phone);
    await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: true });
    await waitState(centre, '1001', 'talking');
    await dialAndHear(centre, third, '*641003', 'agent-loginok');
    const before = (await statesOf(centre, '1001')).length;
    const mark = await server.log.mark();

    await restart();
    // A killed Asterisk tells nobody that the call is over.
    await talk.drop();
    await server.log.waitFor(/"msg":"connected to the Asterisk manager"/, mark, mendedMs);
    await waitAllMembers(/^1001/, '1002 paused:wrapup', '1003');
    const [state = 'still talking', ...more] = await until('the end of the talk', async () => {
      const states = (await statesOf(centre, '1001')).slice(before);
      return states.length > 0 ? states : undefined;
    });
    t.ok(after.includes(state) && more.length === 0, `the one who talked is ${state}`);
    await waitAllMembers(state === 'idle' ? '1001' : '1001 paused:wrapup', '1002 paused:wrapup', '1003');
    t.equal(await stateOf(centre, '1002'), 'wrap-up', 'a wrap-up goes on');
    t.equal(await stateOf(centre, '1003'), 'idle');
    await waitCall(centre, talk.call, { outcome: 'answered', open: false });

    await dialAndHear(centre, third, '*65', 'agent-loggedoff');
    await dialAndHear(centre, second, '*67', 'activated');
    await dialAndHear(centre, phone, '*67', 'activated');
    await waitAllMembers('1001', '1002');
    await dialAndHear(centre, second, '*65', 'agent-loggedoff');
    await waitAllMembers('1001');
    await (await Conversation.begin(centre, phone)).end();
    await waitState(centre, '1001', 'wrap-up');
    await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
    await waitAllMembers();
    t.same(await gaps(centre), [], 'no interval of any agent has a gap');
  });
}

await t.test('Asterisk restarted and no server left: a wrap-up from before does not last', async () => {
  await dialAndHear(centre, phone, '*641001', 'agent-loginok');
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  await asterisk.restart();
  await waitAllMembers('1001 paused:wrapup');
  await until('the phone to have been asked', async () => {
    const text = await asterisk.console('queue show astercc-support');
    return text.includes('(Unavailable)') ? undefined : true;
  });
  await server.kill();
  const next = await Conversation.answer(centre, phone, await callIn(centre), { deadlineMs: leaseOverMs });
  await server.start();
  await waitTalking(centre, '1001', next.call);
  await next.end();
  await waitState(centre, '1001', 'wrap-up');
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitAllMembers('1001');
});
