import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { PopupRecords } from '../../domain/popups/records.js';
import { endOverdueStates, transition } from '../../domain/presence/agent-state.js';
import { beginWrapUp } from '../../domain/presence/wrap-up.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addApiToken } from '../../domain/provisioning/people/api-token.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter } from '../support/doors/event-feed.js';
import { callerOf, defaultNode } from '../support/records.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';
import { givePassword, tokenBy } from '../support/doors/login.js';

/** Popups by the API: agents 1001 (support) and 1002 (sales), each with a call of their queue. */
const { db } = await freshDatabase(t);
const application = { application: 'campaign', wrapUp: 'answer', wrapUpSeconds: 0 } as const;
await provision(
  db,
  crowd(2, {
    groups: [
      { name: 'support', ...application },
      { name: 'sales', ...application },
    ],
  }),
);
await setAgent(db, 'astercc', '1001', { groups: ['support'] });
await setAgent(db, 'astercc', '1002', { groups: ['sales'] });
await addTeam(db, 'other', {});
const web = await apiOf(t, db, { requestsPerMinute: 10_000 });
const token = await tokenOf(db, 'astercc', 'supervisor');
const reader = await tokenOf(db, 'astercc', 'reader');
const stranger = await tokenOf(db, 'other', 'supervisor');
const { token: ofSales } = await addApiToken(db, 'astercc', 'sales_crm', {
  role: 'supervisor',
  groups: ['sales'],
  by: 'test',
});

const signIns = [await enter(db, 1), await enter(db, 2)];
const [calls, records] = [new CallRecords(db, defaultNode), new PopupRecords(db, defaultNode)];
let number = 0;

/** An agent, 1 or 2, talks in a call of their queue; the id of its popup. */
async function talks(agent: number): Promise<{ id: number; channel: string }> {
  const [call, channel] = [`call.${++number}`, `phone.${number}`];
  const caller = callerOf(`astercc-${agent === 1 ? 'support' : 'sales'}`, call);
  const signIn = signIns[agent - 1] ?? 0;
  await calls.joined(caller, { number: '+4930' });
  const queue = await calls.offered(caller, channel, signIn);
  await transition(db, signIn, 'connect', {
    offerId: channel,
    callUniqueid: call,
    ...(queue && { groupId: queue.groupId }),
  });
  await records.due([
    {
      channel,
      call,
      kind: 'queue',
      team: 'astercc',
      extension: `500${agent}`,
      caller: null,
      arrives: false,
      final: false,
      secondsAgo: 0,
    },
  ]);
  const [id = 0] = await db('popups').where({ channel }).pluck<number[]>('id');
  return { id, channel };
}

/** The call of the channel is over, and the agent in their wrap-up. */
async function ends(agent: number, channel: string): Promise<void> {
  await records.told([{ channel, answeredAgo: 1, closedAgo: 0, outcome: null }]);
  await beginWrapUp(db, signIns[agent - 1] ?? 0, channel, undefined);
}

const stateOf = async (agent: number): Promise<string | undefined> =>
  (
    await db('agent_states')
      .where({ sign_in_id: signIns[agent - 1] })
      .whereNull('ended_at')
      .first<{ state: string } | undefined>()
  )?.state;

async function ask(path: string, { body, as = token }: { body?: object; as?: string } = {}) {
  const answer = await web.inject({
    method: body ? 'POST' : 'GET',
    url: `/v1/teams/astercc/popups${path}`,
    headers: bearer(as),
    ...(body && { body }),
  });
  const said: Record<string, unknown> = answer.json();
  return { status: answer.statusCode, ...said } as Record<string, unknown>;
}
const idsOf = (page: Record<string, unknown>): number[] =>
  (page['items'] as { id: number }[]).map(({ id }) => id);

await t.test('done ends the wrap-up after that call, once, and keeps what was said', async (t) => {
  const { id, channel } = await talks(1);
  t.match(await ask(`/${id}`), { status: 200, kind: 'queue', agent: '1001', caller: '+4930', outcome: null });
  t.match(
    await ask(`/${id}/done`, { body: { disposition: 'sold', data: { orderId: 7, 'x-y': ['é'] } } }),
    { status: 200, wrap_up: 'none', disposition: 'sold' },
    'the call goes on',
  );
  t.equal(await stateOf(1), 'talking');
  await ends(1, channel);
  t.equal(await stateOf(1), 'wrap-up');
  await endOverdueStates(db, defaultNode);
  t.equal(await stateOf(1), 'idle', 'what was saved during the call ends the wrap-up as it begins');
  const next = await talks(1);
  await ends(1, next.channel);
  await endOverdueStates(db, defaultNode);
  t.equal(await stateOf(1), 'wrap-up', 'of that call alone');
  t.match(await ask(`/${next.id}/done`, { body: {} }), { status: 200, wrap_up: 'ended', disposition: null });
  t.equal(await stateOf(1), 'idle');
  const twice = await ask(`/${id}/done`, { body: {} });
  t.match(twice, { status: 200, wrap_up: 'none', disposition: 'sold', outcome: 'answered' });
  t.same(twice['data'], { orderId: 7, 'x-y': ['é'] }, 'as it was said');
});

await t.test('done touches no wrap-up of another call, no pause and no other agent', async (t) => {
  const [first, other] = [await talks(1), await talks(2)];
  await ends(1, first.channel);
  await ends(2, other.channel);
  await ask(`/${first.id}/done`, { body: {} });
  t.equal(await stateOf(2), 'wrap-up');
  const second = await talks(1);
  await ends(1, second.channel);
  t.match(await ask(`/${first.id}/done`, { body: { disposition: 'later' } }), {
    wrap_up: 'none',
    disposition: 'later',
  });
  t.equal(await stateOf(1), 'wrap-up');
  await transition(db, signIns[0] ?? 0, 'pause', { pauseDigit: '0' });
  t.match(await ask(`/${second.id}/done`, { body: {} }), { status: 200, wrap_up: 'none' });
  t.equal(await stateOf(1), 'paused');
  await transition(db, signIns[0] ?? 0, 'ready');
  t.match(await ask(`/${other.id}/done`, { body: {} }), { wrap_up: 'ended' });
});

await t.test('listed by agent and by whether they are open, in pages', async (t) => {
  const all = idsOf(await ask(''));
  t.same(
    all,
    [...all].sort((a, b) => b - a),
  );
  const [mine, theirs] = [await talks(1), await talks(2)];
  t.same(idsOf(await ask('?open=true')), [theirs.id, mine.id]);
  t.same(idsOf(await ask('?open=true&agent=1001')), [mine.id]);
  t.same(idsOf(await ask('?open=false')), all);
  t.same(idsOf(await ask('?agent=nobody')), []);
  const page = await ask('?limit=2');
  t.same(idsOf(await ask(`?limit=2&cursor=${page['next_cursor'] as string}`)), all.slice(0, 2));
  await ends(1, mine.channel);
  await ends(2, theirs.channel);
});

await t.test('whoever is limited to a group sees and does what is of that group', async (t) => {
  const [support, sales] = [await talks(1), await talks(2)];
  t.notOk(idsOf(await ask('', { as: ofSales })).includes(support.id));
  t.ok(idsOf(await ask('', { as: ofSales })).includes(sales.id));
  for (const [path, body] of [
    ['', undefined],
    ['/done', {}],
  ] as const) {
    const options = body ? { body } : {};
    t.match(await ask(`/${support.id}${path}`, { ...options, as: ofSales }), {
      status: 404,
      code: 'unknown_popup',
    });
    t.match(await ask(`/${sales.id}${path}`, { ...options, as: ofSales }), { status: 200 });
    t.match(await ask(`/${support.id}${path}`, { ...options, as: stranger }), {
      status: 404,
      code: 'unknown',
    });
    for (const none of ['999999', '0', 'x', '1e3', '9'.repeat(40)])
      t.match(await ask(`/${none}${path}`, options), { status: 404, code: 'unknown_popup' }, none);
  }
  t.match(await ask(`/${sales.id}/done`, { body: {}, as: reader }), { status: 403, code: 'role_wanted' });
});

await t.test('an agent sees and does what is theirs, whatever is asked for', async (t) => {
  const password = 'a long way home';
  await givePassword(db, { agents: '1001' }, password);
  const own = await tokenBy(web, { team: 'astercc', agent: '1001', password });
  const [mine, theirs] = [await talks(1), await talks(2)];
  for (const query of ['', '?agent=1002'])
    t.notOk(idsOf(await ask(query, { as: own })).includes(theirs.id), query);
  t.ok(idsOf(await ask('?open=true', { as: own })).includes(mine.id));
  t.match(await ask(`/${theirs.id}`, { as: own }), { status: 404, code: 'unknown_popup' });
  t.match(await ask(`/${theirs.id}/done`, { body: {}, as: own }), { status: 404, code: 'unknown_popup' });
  t.match(await ask(`/${theirs.id}`), { done_at: null });
  await ends(1, mine.channel);
  t.match(await ask(`/${mine.id}/done`, { body: {}, as: own }), { status: 200, wrap_up: 'ended' });
});

await t.test('what cannot be kept is refused, and nothing of it is', async (t) => {
  const { id } = await talks(1);
  for (const body of [
    { disposition: '' },
    { disposition: 'x'.repeat(81) },
    { disposition: 'a\nb' },
    { disposition: 'a\u0000' },
    { data: { text: 'x'.repeat(9000) } },
    { data: { text: 'a\u0000b' } },
    { data: { text: '\ud800' } },
    { data: [1] },
    { data: 'x' },
    { strange: 1 },
  ])
    t.match(await ask(`/${id}/done`, { body }), { status: 422 }, JSON.stringify(body).slice(0, 60));
  t.match(await ask(`/${id}`), { disposition: null, data: null, done_at: null });
  t.match(await ask(`/${id}/done`, { body: { data: { text: '\\u0000 电话 \u{1F4DE}', big: 1e308 } } }), {
    status: 200,
  });
});
