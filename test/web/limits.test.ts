import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { seesEvent } from '../../domain/monitor/reach.js';
import { pauseAgent, readyAgent } from '../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addApiToken, listApiTokens, type Principal } from '../../domain/provisioning/people/api-token.js';
import { addGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { addRingGroup, ringGroups } from '../../domain/provisioning/features/ring-group.js';
import { setUser } from '../../domain/provisioning/people/user.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { allReadable, enter, feedMs } from '../support/doors/event-feed.js';
import { Listener } from '../support/doors/event-stream.js';
import { givePassword, tokenBy } from '../support/doors/login.js';
import { apiOf, bearer } from '../support/doors/web.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await addGroup(db, 'astercc', { name: 'sales', administrators: { add: ['crowd'] } });
await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['sales'] });
const password = 'a long way home';
await givePassword(db, { agents: '1001' }, password);
await givePassword(db, { users: 'crowd' }, password);
const web = await apiOf(t, db, {
  recentMs: 600_000,
  streams: {
    everyMs: 20,
    retryMs: 20,
    beatMs: 60_000,
    mostBytes: 20_000,
    stallMs: 2000,
    tokensMs: 20,
    mostPerToken: 9,
    piece: 100,
  },
});
const add = async (name: string, role: string, groups?: string[]) =>
  addApiToken(db, 'astercc', name, { role, by: 'test', ...(groups && { groups }) });
const get = async (path: string, token: string) => {
  const answer = await web.inject({ url: `/v1/teams/astercc${path}`, headers: bearer(token) });
  return answer.statusCode;
};

await t.test('a token of some groups sees and does what is theirs', async (t) => {
  const { token, groups } = await add('sales_crm', 'supervisor', ['sales']);
  t.same(groups, ['sales']);
  t.same(
    (await listApiTokens(db, 'astercc')).map(({ groups }) => groups),
    [['sales']],
  );
  t.equal(await get('/agents/2001', token), 200);
  t.equal(await get('/agents/1001', token), 404);
  t.equal(await get('/groups/sales', token), 200);
  t.equal(await get('/groups/support', token), 404);
  t.equal(await get('/calls?group=support', token), 404);
  t.equal(await get('/calls?agent=1001', token), 404);
  t.equal(await get('/calls', token), 200);
  const state = await web.inject({ url: '/v1/teams/astercc/agents', headers: bearer(token) });
  t.same(
    state.json<{ items: { number: string }[] }>().items.map(({ number }) => number),
    ['2001'],
  );
  const pause = { method: 'POST', headers: bearer(token), body: {} } as const;
  const at = (agent: string) => `/v1/teams/astercc/agents/${agent}/pause`;
  t.equal((await web.inject({ ...pause, url: at('1001') })).statusCode, 404);
  t.match((await web.inject({ ...pause, url: at('2001') })).json(), { code: 'not_signed_in' });
});

await t.test(
  'an agent has so many streams, of however many logins, and hears an hour of the past',
  async (t) => {
    const few = {
      everyMs: 20,
      retryMs: 20,
      beatMs: 60_000,
      mostBytes: 20_000,
      stallMs: 60_000,
      tokensMs: 60_000,
      piece: 100,
    };
    const web = await apiOf(t, db, { streams: { ...few, mostPerToken: 2 } });
    const url = `${await web.listen({ host: '127.0.0.1', port: 0 })}/v1/teams/astercc/events`;
    const who = { team: 'astercc', agent: '1001', password };
    const tokens = [await tokenBy(web, who), await tokenBy(web, who), await tokenBy(web, who)] as const;
    const open = [await Listener.open(url, tokens[0]), await Listener.open(url, tokens[1])];
    await t.rejects(Listener.open(url, tokens[2]), /answers 429/);
    for (const listener of open) listener.close();
    t.equal(await get('/events?since=3600', tokens[0]), 200);
    t.equal(await get('/events?since=3601', tokens[0]), 422);
  },
);

await t.test('an administrator’s token is of the whole team', async (t) => {
  const { token } = await add('root', 'administrator');
  t.equal(await get('/agents/1001', token), 200);
  await t.rejects(add('half', 'administrator', ['sales']), { code: 'not_applicable' });
  await t.rejects(add('none', 'reader', ['nothing']), { code: 'unknown' });
});

await t.test('calls: an agent those that they had, a group those that came for it', async (t) => {
  const call = async (uniqueid: string, columns: object) =>
    db('calls').insert({
      team_id: db('teams').where({ identity: 'astercc' }).select('id'),
      node: 'default',
      uniqueid,
      direction: 'in',
      arrived_at: db.fn.now(),
      ...columns,
    });
  const id = (table: string, where: object) => db(table).where(where).select('id');
  await call('c.1', {
    group_id: id('agent_groups', { name: 'support' }),
    answered_agent_id: id('agents', { number: '1001' }),
  });
  await call('c.2', { group_id: id('agent_groups', { name: 'sales' }) });
  await call('c.3', { direction: 'out', from_agent_id: id('agents', { number: '2001' }) });
  const agent = await tokenBy(web, { team: 'astercc', agent: '1001', password });
  const gerd = await tokenBy(web, { team: 'astercc', username: 'crowd', password });
  const list = async (token: string) =>
    (await web.inject({ url: '/v1/teams/astercc/calls', headers: bearer(token) }))
      .json<{ items: { uniqueid: string }[] }>()
      .items.map(({ uniqueid }) => uniqueid);
  t.same(await list(agent), ['c.1']);
  t.same(await list(gerd), ['c.2']);
  for (const [name, toAgent, toGroup] of [
    ['c.1', 200, 404],
    ['c.2', 404, 200],
    ['c.3', 404, 200],
  ] as const) {
    t.equal(await get(`/calls/${name}`, agent), toAgent, `${name} of the agent`);
    t.equal(await get(`/calls/${name}`, gerd), toGroup, `${name} of the group`);
  }
  t.equal(await get('/calls?agent=2001', gerd), 200);
  const former = db('agents')
    .where({ number: '1001' })
    .select('team_id', 'number', 'user_id', db.raw('clock_timestamp()'));
  await db(db.raw('agents (team_id, number, user_id, removed_at)')).insert(former);
  await call('c.4', {
    answered_agent_id: db('agents').where({ number: '1001' }).whereNotNull('removed_at').select('id'),
  });
  t.same(await list(agent), ['c.1'], 'not those of who had the number before');
  const hangup = async () =>
    (
      await web.inject({
        method: 'POST',
        url: '/v1/teams/astercc/calls/c.1/hangup',
        headers: bearer(agent),
        body: {},
      })
    ).json<{ code: string }>().code;
  await db('calls')
    .where({ uniqueid: 'c.1' })
    .update({ ended_at: db.raw('clock_timestamp()') });
  const signIn = await enter(db, 1);
  t.equal(await hangup(), 'unknown_call', 'a call that they had is not theirs to end');
  const state = db('agent_states').where({ sign_in_id: signIn });
  await state.clone().update({ state: 'talking', call_uniqueid: 'c.1' });
  t.equal(await hangup(), 'call_over', 'one that they have is');
  await state.clone().update({ state: 'idle', call_uniqueid: null });
});

await t.test('an agent reads of a call not who listened, who pays and the recordings', async (t) => {
  const story = async (token: string) =>
    (await web.inject({ url: '/v1/teams/astercc/calls/c.1', headers: bearer(token) })).json<{
      payer: string | null;
      recordings: object[];
      story: { kind: string }[];
    }>();
  const of = (table: string, where: object) => db(table).where(where).select('id').first();
  const call = await db('calls').where({ uniqueid: 'c.1' }).first<{ id: number; team_id: number }>();
  const { id: user } = (await of('users', { username: 'crowd' })) as { id: number };
  const { id: extension } = (await of('extensions', { number: '5002' })) as { id: number };
  await db('calls').where({ id: call.id }).update({ user_id: user });
  const mine = { team_id: call.team_id, node: 'default' };
  await db('recordings').insert({
    team_id: call.team_id,
    call_id: call.id,
    file: 'star64/astercc/2026-11-26/secret.wav',
    started_at: db.fn.now(),
  });
  await db('supervisions').insert({
    ...mine,
    by_call: 's.1',
    call_uniqueid: 'c.1',
    group_id: db('agent_groups').where({ name: 'support' }).select('id'),
    mode: 'listen',
    announced: false,
    user_id: user,
    from_extension_id: extension,
    extension_id: extension,
    began_at: db.fn.now(),
  });
  const supervisor = await add('all', 'supervisor').then(({ token }) => story(token));
  t.match(supervisor, { payer: 'crowd', recordings: [{ file: /secret/ }] });
  t.ok(supervisor.story.some(({ kind }) => kind === 'supervised'));
  const own = await story(await tokenBy(web, { team: 'astercc', agent: '1001', password }));
  t.match(own, { uniqueid: 'c.1', payer: null, recordings: [] });
  t.notMatch(JSON.stringify(own), /crowd|secret|supervised|recorded/);
  t.ok(own.story.length > 0);
});

await t.test('the directory: as one types, so many, and of a limited token its own groups', async (t) => {
  const agent = await tokenBy(web, { team: 'astercc', agent: '1001', password });
  const { token: limited } = await add('sales_phones', 'reader', ['sales']);
  const names = async (token: string, query = '') =>
    (await web.inject({ url: `/v1/teams/astercc/directory${query}`, headers: bearer(token) }))
      .json<{ items: { kind: string; number: string; name: string }[] }>()
      .items.map(({ kind, number, name }) => `${kind} ${kind === 'group' ? name : number.slice(-4)}`);
  const all = await names(agent);
  for (const one of ['extension 5001', 'agent 2001', 'agent 1002', 'group support'])
    t.ok(all.includes(one), one);
  t.same(await names(agent, '?q=500'), ['extension 5001', 'extension 5002']);
  t.same(await names(agent, '?q=UPP'), ['group support']);
  t.same(await names(agent, '?q=%25'), [], 'typed, and no pattern');
  await addRingGroup(db, 'astercc', { name: 'night', number: '6900', members: ['5001'] });
  t.same(await names(agent, '?q=night'), ['ring-group 6900']);
  await ringGroups.remove(db, 'astercc', '6900');
  t.same(await names(agent, '?q=night'), [], 'gone, and called by nobody');
  t.equal((await names(agent, '?limit=1')).length, 1);
  t.equal(await get('/directory?limit=0', agent), 422);
  const walked: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const piece: { items: { number: string; kind: string; name: string }[]; next_cursor: string | null } = (
      await web.inject({
        url: `/v1/teams/astercc/directory?limit=2${cursor && `&cursor=${cursor}`}`,
        headers: bearer(agent),
      })
    ).json();
    t.ok(piece.items.length <= 2);
    walked.push(
      ...piece.items.map(({ kind, number, name }) => `${kind} ${kind === 'group' ? name : number.slice(-4)}`),
    );
    cursor = piece.next_cursor;
  }
  t.same(walked, all, 'in pieces, each once');
  for (const wrong of ['x', Buffer.from('["a","b"]').toString('base64url')])
    t.equal(await get(`/directory?cursor=${wrong}`, agent), 422);
  const ofSales = await names(limited);
  t.ok(ofSales.includes('agent 2001'));
  for (const one of ['agent 1001', 'group support']) t.notOk(ofSales.includes(one), one);
});

await t.test('a stream tells what is theirs, and begins anew with other rights', async (t) => {
  const gerd = await tokenBy(web, { team: 'astercc', username: 'crowd', password });
  const own = await tokenBy(web, { team: 'astercc', agent: '1001', password });
  await enter(db, 2);
  // A stream from now on is told of what was before as well, while somebody in this PostgreSQL still writes.
  await allReadable(db);
  const address = await web.listen({ host: '127.0.0.1', port: 0 });
  const at = `${address}/v1/teams/astercc/events`;
  const [agent, group] = await Promise.all([Listener.open(at, own), Listener.open(at, gerd)]);
  for (const number of ['1002', '1001']) {
    await pauseAgent(db, 'astercc', number, undefined);
    await readyAgent(db, 'astercc', number);
  }
  const told = () =>
    agent.events.map(({ data }) => JSON.parse(data) as { agent: string; previous_state: string });
  await until(
    'their own events',
    () => (told().some((event) => event.previous_state === 'paused') ? true : undefined),
    feedMs,
  );
  t.same(
    [...new Set(told().map((event) => event.agent))],
    ['1001'],
    'of themselves alone, and those of 1002 were before',
  );
  t.same(group.events, [], 'nothing of a group that is not theirs');
  await setGroup(db, 'astercc', 'support', { administrators: { add: ['crowd'] } });
  await until('the stream to end', () => (group.ended ? true : undefined));
  t.equal(agent.ended, false);
  await setUser(db, 'astercc', 'crowd', { password: null });
  agent.close();
});

await t.test('a desk has who waits, from one statement for all desks of the team', async (t) => {
  const agent = await tokenBy(web, { team: 'astercc', agent: '1001', password });
  await db('queue_visits').insert({
    team_id: db('teams').where({ identity: 'astercc' }).select('id'),
    node: 'default',
    call_id: db('calls').where({ uniqueid: 'c.1' }).select('id'),
    uniqueid: 'v.1',
    group_id: db('agent_groups').where({ name: 'support' }).whereNull('removed_at').select('id'),
    joined_at: db.fn.now(),
  });
  const statements: string[] = [];
  const hear = ({ sql }: { sql: string }): void => void statements.push(sql);
  db.on('query', hear);
  const desk = async () =>
    (await web.inject({ url: '/v1/teams/astercc/agents/1001/desk', headers: bearer(agent) })).json<{
      groups: { name: string; waiting: number }[];
    }>();
  const desks = await Promise.all([desk(), desk(), desk()]);
  db.removeListener('query', hear);
  for (const { groups } of desks) t.match(groups, [{ name: 'support', waiting: 1, waiting_since: String }]);
  t.equal(statements.filter((sql) => sql.includes('queue_visits')).length, 1);
  t.equal(await get('?within=5', agent), 422, 'a reading of its own for each number');
  t.equal(await get('', agent), 200);
});

await t.test('who is told which event', (t) => {
  const agent: Principal = {
    id: 1,
    team: 'astercc',
    kind: 'agent',
    name: '1001',
    role: 'agent',
    agent: '1001',
    agents: ['1001'],
    groups: ['support'],
  };
  const group: Principal = {
    id: 2,
    team: 'astercc',
    kind: 'user',
    name: 'gerd',
    role: 'supervisor',
    agents: ['1001', '1002'],
    groups: ['support'],
  };
  const all: Principal = { id: 3, team: 'astercc', kind: 'user', name: 'anna', role: 'administrator' };
  for (const [event, toAgent, toGroup] of [
    [{ type: 'agent.state', agent: '1001', group: null }, true, true],
    [{ type: 'agent.state', agent: '1002', group: 'support' }, false, true],
    [{ type: 'agent.state', agent: '1002', group: 'sales' }, false, true],
    [{ type: 'agent.state', agent: '2001', group: null }, false, false],
    [{ type: 'agent.group_changed', agent: '1001', group: 'sales' }, true, true],
    [{ type: 'agent.group_changed', agent: '2001', group: 'sales' }, false, false],
    [{ type: 'call.queued', agent: null, group: 'support' }, true, true],
    [{ type: 'call.queued', agent: null, group: 'sales' }, false, false],
    [{ type: 'call.answered', agent: '1002', group: 'sales' }, false, false],
    [{ type: 'call.arrived', group: null }, false, false],
    [{ type: 'call.emergency', agent: '1002' }, false, true],
    [{ type: 'limit.reached' }, false, false],
    // Somebody listens to them, and need not tell.
    [{ type: 'supervision.began', agent: '1001', group: 'support' }, false, true],
    [{ type: 'supervision.began', agent: '1001', group: 'sales' }, false, false],
  ] as const) {
    t.equal(seesEvent(agent, event), toAgent, `agent: ${JSON.stringify(event)}`);
    t.equal(seesEvent(group, event), toGroup, `group: ${JSON.stringify(event)}`);
    t.equal(seesEvent(all, event), true);
  }
  t.end();
});
