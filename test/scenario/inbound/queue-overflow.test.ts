import t from 'tap';
import { signInAgent, signOutAgent } from '../../../domain/provisioning/people/admin-action.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd, provision } from '../../../lab/provision.js';
import { callIn, Conversation, waitWaiting } from '../../support/calls.js';
import { centreFor, needLab, waitMembers, waitState } from '../../support/centre.js';

/** Agents of another group help out: not before their time, and the caller keeps their place. */
await needLab(t);

const after = 8;
const centre = await centreFor(t, {
  provision: async (db) => {
    const all = crowd(2);
    await provision(db, {
      ...all,
      groups: [
        { name: 'sales', wrapUp: 'off', ringSeconds: 300 },
        { name: 'support', wrapUp: 'answer', wrapUpSeconds: 0, ringSeconds: 300 },
      ],
      agents: [
        { number: '1001', user: 'crowd', groups: ['support'] },
        { number: '1002', user: 'crowd', groups: ['sales'] },
      ],
      dids: [{ number: '600100', to: 'group:support' }],
    });
    await setGroup(db, 'astercc', 'support', { overflow: 'sales', overflowSeconds: after });
  },
});
const { asterisk, db } = centre;
const queue = 'astercc-support';
const own = await centre.phone('5001');
const helping = await centre.phone('5002');
for (const n of ['1', '2']) await signInAgent(db, 'astercc', `100${n}`, { extension: `500${n}`, by: 'test' });
await waitMembers(centre, queue, ['1001', '1002']);

/** The callers who wait, the first one first. */
async function order(): Promise<string[]> {
  const text = await asterisk.console(`queue show ${queue}`);
  return [...text.matchAll(/^ +[0-9]+\. (PJSIP\/\S+) /gm)].map(([, channel = '']) => channel);
}
/** After how many seconds in the queue the phone of who answered last began to ring, by Asterisk's own clock. */
async function rangAfter(agent: string): Promise<number> {
  const line = await until(`the answer of ${agent} in queue_log`, async () =>
    (await asterisk.queueLog()).filter((one) => one.includes(`|${queue}|${agent}|CONNECT|`)).at(-1),
  );
  const [, , , , , waited = '', , rang = ''] = line.split('|');
  return Number(waited) - Number(rang);
}

await t.test('the group itself is called first, though those who help out are free', async (t) => {
  const text = await asterisk.console(`queue show ${queue}`);
  t.match(text, /1002 .*\(penalty 1001\)|1002 .*penalty 1001/, text);
  t.match(await asterisk.console('queue show rules'), /Rule: astercc-support\n\tAfter 8 seconds/);
  const first = await Conversation.answer(centre, own, await callIn(centre));
  const second = await callIn(centre);
  await waitWaiting(centre, queue, 1);
  const third = await callIn(centre);
  await waitWaiting(centre, queue, 2);
  const waiting = await order();
  // Who waits keeps the rule that was there when they came.
  await centre.star64('group', 'set', 'support', '--overflow-after', '300');
  await centre.star64('apply');
  t.match(await asterisk.console('queue show rules'), /Rule: astercc-support\n\tAfter 300 seconds/);
  t.same(await order(), waiting, 'nobody has lost their place');
  const helped = await Conversation.answer(centre, helping, second);
  // Who is answered leaves the queue a moment later.
  await waitWaiting(centre, queue, 1);
  t.same(await order(), waiting.slice(1), 'the one who came first');
  // Whole seconds of the wall clock: one may be lost at either end.
  t.ok((await rangAfter('1002')) >= after - 1, 'not before the time that the rule says');
  const visits = await until('the visit that is answered', async () => {
    const rows = await db('queue_visits as v')
      .join('agents as a', 'a.id', 'v.agent_id')
      .join('agent_groups as g', 'g.id', 'v.group_id')
      .where({ 'a.number': '1002' })
      .pluck<string[]>('g.name');
    return rows.length > 0 ? rows : undefined;
  });
  t.same(visits, ['support'], 'one visit, of the first group');
  t.same(await first.harm(), []);
  await helped.end();
  await waitState(centre, '1002', 'wrap-up');
  t.pass('wrap-up is that of the queue that rang: sales has none');
  await waitMembers(centre, queue, ['1001', '1002 paused:wrapup']);
  await first.end();
  await waitState(centre, '1001', 'wrap-up');
  await third.hangup();
  for (const agent of ['1001', '1002']) await centre.star64('agent', 'ready', agent);
  await waitMembers(centre, queue, ['1001', '1002']);
  await centre.star64('group', 'set', 'support', '--overflow-after', String(after));
  await centre.star64('apply');
});

await t.test(
  'nobody of the group itself is there: the caller waits for those who help out; no server',
  async (t) => {
    await signOutAgent(db, 'astercc', '1001', 'test');
    await waitMembers(centre, queue, ['1002']);
    await centre.server.stop();
    const mark = await asterisk.verbose.mark();
    const caller = await callIn(centre);
    await waitWaiting(centre, queue, 1);
    const talk = await Conversation.answer(centre, helping, caller);
    const lines = (await asterisk.verbose.lines()).slice(mark).join('\n');
    t.notMatch(lines, /star64-left/, 'not let go meanwhile');
    await talk.end();
    await centre.server.start();
  },
);

await t.test('without overflow the agents of the other group leave', async (t) => {
  await centre.star64('group', 'set', 'support', '--no-overflow');
  await waitMembers(centre, queue, []);
  await centre.star64('apply');
  t.notMatch(await asterisk.console('queue show rules'), /astercc-support/);
  const text = await until('the member of sales', async () => {
    const said = await asterisk.console('queue show astercc-sales');
    return said.includes('1002') ? said : undefined;
  });
  t.notMatch(text, /penalty/);
});
