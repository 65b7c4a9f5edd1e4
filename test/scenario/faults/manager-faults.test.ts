import t from 'tap';
import { crowd } from '../../../lab/provision.js';
import { callIn, Conversation, waitCall, waitTalking } from '../../support/calls.js';
import { centreOf, dialAndHear, gaps, waitMembers, waitState } from '../../support/centre.js';
import { Link } from '../../support/link.js';

/**
 * A wrap-up of support ends with *67, one of sales after this long, unless the test has it end before; after a call of leads
 * there is none.
 */
const salesSeconds = 600;
const did = { support: '600100', sales: '600101', leads: '600102' };
/** Without a manager connection nobody renews the promise to Asterisk; see server-faults. */
const leaseOverMs = 60_000;
/** For what waits for the manager connection, which is tried again every five seconds at the latest. */
const mendedMs = 40_000;

let link: Link | undefined;
const groups = [
  { name: 'support', wrapUp: 'answer', wrapUpSeconds: 0 },
  { name: 'sales', wrapUp: 'answer', wrapUpSeconds: salesSeconds },
  { name: 'leads', wrapUp: 'off' },
];
const dids = groups.map(({ name }, index) => ({ number: `60010${index}`, to: `group:${name}` }));
const centre = await centreOf(
  t,
  { ...crowd(2, { groups }), dids },
  {
    managerVia: async (asterisk) => {
      link = await Link.to(asterisk);
      return link.near;
    },
  },
);
t.teardown(() => link?.close());
const queues = ['astercc-support', 'astercc-sales', 'astercc-leads'];
const phone = await centre.phone('5001');
const second = await centre.phone('5002');

/** Waits until all queues have these members. */
async function waitAllMembers(...wanted: (string | RegExp)[]): Promise<void> {
  for (const queue of queues) await waitMembers(centre, queue, wanted, mendedMs);
}

/** Ends the wrap-up of agent 1001. */
async function ready(): Promise<void> {
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitState(centre, '1001', 'idle');
  await waitAllMembers('1001');
}

await dialAndHear(centre, phone, '*641001', 'agent-loginok');

await t.test('the manager connection cut in a call that ends: wrap-up when it is mended', async () => {
  const talk = await Conversation.begin(centre, phone);
  await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: true });
  link?.cut();
  // The promise that nobody renews now would be over in ten seconds.
  await centre.asterisk.console('dialplan set global STAR64_LEASE 4000000000');
  await talk.end();
  await waitAllMembers('1001 paused:wrapup');
  link?.mend();
  await waitState(centre, '1001', 'wrap-up', mendedMs);
  await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: false }, mendedMs);
  await ready();
});

await t.test('cut in a wrap-up whose time runs out: over in the queues, too, when mended', async (t) => {
  await (await Conversation.begin(centre, phone, did.sales)).end();
  await waitState(centre, '1001', 'wrap-up');
  link?.cut();
  const over = await centre
    .db('agent_states')
    .whereNull('ended_at')
    .whereNotNull('deadline_at')
    .update({ deadline_at: centre.db.raw('clock_timestamp()') });
  t.equal(over, 1);
  await waitState(centre, '1001', 'idle', mendedMs);
  link?.mend();
  await waitAllMembers('1001');
});

await t.test(
  'cut in a wrap-up for long: the next caller gets through, and is known when mended',
  async (t) => {
    await (await Conversation.begin(centre, phone)).end();
    await waitState(centre, '1001', 'wrap-up');
    link?.cut();
    const next = await Conversation.answer(centre, phone, await callIn(centre), { deadlineMs: leaseOverMs });
    link?.mend();
    await waitTalking(centre, '1001', next.call, mendedMs);
    await waitCall(centre, next.call, { outcome: 'answered', agent: '1001', did: did.support, open: true });
    t.same(await next.harm(), [], 'nobody noticed');
    await next.end();
    await waitState(centre, '1001', 'wrap-up');
    await ready();
  },
);

await t.test('cut while a call without a wrap-up begins: talking when mended, idle at its end', async () => {
  link?.cut();
  const talk = await Conversation.begin(centre, phone, did.leads);
  link?.mend();
  await waitTalking(centre, '1001', talk.call, mendedMs);
  await talk.end();
  await waitState(centre, '1001', 'idle');
  await waitCall(centre, talk.call, { outcome: 'answered', agent: '1001', open: false });
});

await t.test('cut while agents sign in and out: the queues follow when it is mended', async (t) => {
  link?.cut();
  await dialAndHear(centre, second, '*641002', 'agent-loginok');
  await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
  link?.mend();
  await waitAllMembers('1002');
  await dialAndHear(centre, second, '*65', 'agent-loggedoff');
  await waitAllMembers();
  t.same(await gaps(centre), [], 'no interval of any agent has a gap');
});
