import t from 'tap';
import { removeAgent, setAgent, showAgent } from '../../domain/provisioning/people/agent.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import { setUser } from '../../domain/provisioning/people/user.js';
import { givePassword, hashesDuring, logIn, tokenBy } from '../support/doors/login.js';
import { loginSite } from '../support/doors/login-site.js';
import { bearer } from '../support/doors/web.js';

const { db, password, web, agent, get, post, forget } = await loginSite(t);

await t.test('an agent and users log in, each with the rights of now', async (t) => {
  const first = await logIn(web, agent);
  t.match(first.json(), {
    token: /^s64a_[A-Za-z0-9_-]{43}$/,
    kind: 'agent',
    agent: '1001',
    role: 'agent',
    groups: ['support'],
  });
  t.equal(first.statusCode, 201);
  t.equal(first.headers['set-cookie'], undefined);
  t.match((await logIn(web, { team: 'astercc', username: 'anna', password })).json(), {
    token: /^s64u_/,
    role: 'administrator',
    groups: null,
  });
  t.match((await logIn(web, { team: 'astercc', username: 'gerd', password })).json(), {
    role: 'supervisor',
    groups: ['support'],
  });
  t.match((await logIn(web, { team: 'astercc', username: 'nobody', password })).json(), {
    status: 403,
    code: 'role_wanted',
  });
  const rows = JSON.stringify(await db('api_tokens'));
  t.notOk(rows.includes(first.json<{ token: string }>().token.slice(5)), 'kept as a hash');
});

await t.test('what is no login', async (t) => {
  for (const body of [
    { team: 'astercc', password },
    { ...agent, username: 'anna' },
    { ...agent, strange: 1 },
    { ...agent, agent: 1001 },
    { ...agent, agent: '10\0' },
    { team: 'astercc', agent: '1001' },
    { ...agent, password: 'x'.repeat(401) },
  ])
    t.match((await logIn(web, body)).json(), { status: 422 }, JSON.stringify(body).slice(0, 60));
  t.equal((await logIn(web, { ...agent, password: 'x'.repeat(100_000) })).statusCode, 413);
  t.same(await db('login_failures'), [], 'nothing of it was a guess');
});

await t.test(
  'an unknown account, one without a password and a wrong one are told the same, and cost the same',
  async (t) => {
    const told = new Set<string>();
    for (const body of [
      { ...agent, password: 'another way home' },
      { ...agent, agent: '9999' },
      { ...agent, agent: '1002' },
      { ...agent, team: 'nowhere' },
      { team: 'astercc', username: 'who', password },
    ]) {
      const answers: string[] = [];
      const hashes = await hashesDuring(async () => {
        answers.push((await logIn(web, body)).body.replace(/"instance":"[^"]*"/, ''));
      });
      t.equal(hashes, 1, JSON.stringify(body));
      for (const answer of answers) told.add(answer);
    }
    t.equal(told.size, 1, [...told].join('\n'));
    t.match([...told][0], /"status":401.*wrong_credentials/);
    await forget();
  },
);

await t.test('what ends a login', async (t) => {
  const me = (token: string) => get('/v1/me', token);
  const of = (number: string) => tokenBy(web, { ...agent, agent: number });
  const [one, other] = [await of('1001'), await of('1001')];
  const out = await web.inject({ method: 'DELETE', url: '/v1/tokens/current', headers: bearer(one) });
  t.equal(out.statusCode, 204);
  t.same(await me(one), [401, 'token_unknown']);
  t.same(await me(other), [200, 'ok'], 'each by itself');
  await setAgent(db, 'astercc', '1001', { password: 'another way home' });
  t.same(await me(other), [401, 'token_unknown'], 'another password');
  await givePassword(db, { agents: '1001' }, password);
  const third = await of('1001');
  await setAgent(db, 'astercc', '1001', { password: null });
  t.same(await me(third), [401, 'token_unknown'], 'no password');
  await givePassword(db, { agents: '1001' }, password);
  const gone = await of('1003');
  await removeAgent(db, 'astercc', '1003');
  t.same(await me(gone), [401, 'token_unknown'], 'a removed agent');
  const user = await tokenBy(web, { team: 'astercc', username: 'gerd', password });
  await setUser(db, 'astercc', 'gerd', { password: 'another way home' });
  t.same(await me(user), [401, 'token_unknown'], 'another password of a user');
  await givePassword(db, { users: 'gerd' }, password);
});

await t.test('a login lasts 12 h after it was used last', async (t) => {
  const token = await tokenBy(web, agent);
  const row = () =>
    db('api_tokens')
      .whereNotNull('agent_id')
      .orderBy('id', 'desc')
      .first<{ id: number; left: number }>(
        'id',
        db.raw('extract(epoch from expires_at - now())::integer as left'),
      );
  const { id, left } = await row();
  t.ok(left > 43_100 && left <= 43_200);
  await db('api_tokens')
    .where({ id })
    .update({
      expires_at: db.raw("now() + interval '5 minutes'"),
      last_used_at: db.raw("now() - interval '2 minutes'"),
    });
  t.same(await get('/v1/me', token), [200, 'ok']);
  t.ok((await row()).left > 43_100, 'renewed');
  await db('api_tokens')
    .where({ id })
    .update({ expires_at: db.raw("now() - interval '1 second'") });
  t.same(await get('/v1/me', token), [401, 'token_unknown'], 'expired');
});

await t.test('a grant that is taken away works at once', async (t) => {
  const gerd = await tokenBy(web, { team: 'astercc', username: 'gerd', password });
  const anna = await tokenBy(web, { team: 'astercc', username: 'anna', password });
  t.same(await get('/v1/teams/astercc/groups/support', gerd), [200, 'ok']);
  await setGroup(db, 'astercc', 'support', { administrators: { remove: ['gerd'] } });
  t.same(await get('/v1/teams/astercc/groups/support', gerd), [401, 'token_unknown']);
  await setGroup(db, 'astercc', 'sales', { administrators: { add: ['gerd'] } });
  t.same(await get('/v1/teams/astercc/groups/support', gerd), [404, 'unknown']);
  t.same(await get('/v1/teams/astercc/groups/sales', gerd), [200, 'ok']);
  await setUser(db, 'astercc', 'anna', { administrator: false });
  t.same(await get('/v1/me', anna), [401, 'token_unknown']);
  await setUser(db, 'astercc', 'anna', { administrator: true });
  t.same(await get('/v1/me', anna), [200, 'ok']);
  await setGroup(db, 'astercc', 'sales', { administrators: { remove: ['gerd'] } });
  await setGroup(db, 'astercc', 'support', { administrators: { add: ['gerd'] } });
});

await t.test('an agent reaches themselves and their groups, and nobody else', async (t) => {
  const token = await tokenBy(web, agent);
  const of = (path: string) => get(`/v1/teams/astercc${path}`, token);
  t.same(await of('/agents/1001'), [200, 'ok']);
  t.same(await of('/agents/1002'), [404, 'unknown']);
  t.same(await of('/groups/support'), [200, 'ok']);
  t.same(await of('/groups/sales'), [404, 'unknown']);
  t.same(await get('/v1/teams/other', token), [404, 'unknown']);
  t.same((await post('/v1/teams/astercc/agents/1002/pause', token)).statusCode, 404);
  t.match((await post('/v1/teams/astercc/agents/1001/pause', token)).json(), { code: 'not_signed_in' });
  const state = (await web.inject({ url: '/v1/teams/astercc', headers: bearer(token) })).json<{
    agents: { number: string }[];
    groups: { name: string }[];
  }>();
  t.same(
    [state.agents.map(({ number }) => number), state.groups.map(({ name }) => name)],
    [['1001'], ['support']],
  );
  const directory = (await web.inject({ url: '/v1/teams/astercc/directory', headers: bearer(token) })).json<{
    items: object[];
  }>();
  t.match(
    directory.items.filter(
      (one) => (one as { agent?: string }).agent === '1002' || (one as { number?: string }).number === '5002',
    ),
    [{ number: '*51002' }, { number: '5002', kind: 'extension' }],
  );
});

await t.test('a group administrator reaches the agents of the group', async (t) => {
  const token = await tokenBy(web, { team: 'astercc', username: 'gerd', password });
  t.same(await get('/v1/teams/astercc/agents/1002', token), [200, 'ok']);
  t.same(await get('/v1/teams/astercc/agents/2001', token), [404, 'unknown']);
  t.same((await post('/v1/teams/astercc/agents/2001/sign-in', token, { extension: '5001' })).statusCode, 404);
});

await t.test('who is logged in', async (t) => {
  const token = await tokenBy(web, agent);
  const me = await web.inject({ url: '/v1/me', headers: bearer(token) });
  t.match(me.json(), {
    team: 'astercc',
    kind: 'agent',
    agent: '1001',
    person: 'crowd',
    groups: ['support'],
    state: { state: 'signed-out', kind: 'adaptive', work_mode: null, current_group: null },
    pause_reasons: [],
    feature_codes: [{ code: '*31' }],
    time_zone: 'UTC',
    language: null,
  });
  const { cursor } = me.json<{ cursor: string }>();
  const events = await web.inject({
    url: `/v1/teams/astercc/events?after=${cursor}`,
    headers: bearer(token),
  });
  t.equal(events.statusCode, 200, 'its cursor is one of the stream');
});

await t.test('a page uses a cookie, which another site cannot', async (t) => {
  const same = { 'sec-fetch-site': 'same-origin' };
  t.match((await logIn(web, { ...agent, cookie: true })).json(), { status: 403, code: 'cross_site' });
  const login = await logIn(web, { ...agent, cookie: true }, '10.0.0.1', {
    ...same,
    host: 'pbx.example.org',
  });
  const [pair, ...attributes] = String(login.headers['set-cookie']).split('; ');
  t.match(pair, /^star64=s64a_/);
  t.same(attributes, ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Secure']);
  t.equal(login.json<{ token: null }>().token, null, 'no script sees it');
  const local = await logIn(web, { ...agent, cookie: true }, '127.0.0.1', {
    ...same,
    host: '127.0.0.1:4564',
  });
  t.notMatch(local.headers['set-cookie'], /Secure/, 'plain HTTP of this machine');

  const cookie = `other=1; ${pair ?? ''}`;
  const ask = async (method: 'GET' | 'POST' | 'DELETE', headers: object = {}) => {
    const url =
      method === 'GET'
        ? '/v1/me'
        : method === 'POST'
          ? '/v1/teams/astercc/agents/1001/ready'
          : '/v1/tokens/current';
    const answer = await web.inject({
      method,
      url,
      headers: { cookie, host: 'pbx.example.org', ...headers },
    });
    return answer.statusCode === 204 ? 204 : answer.json<{ code?: string }>().code;
  };
  t.equal(await ask('GET'), undefined, 'it reads');
  for (const headers of [
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'https://pbx.example.org' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://evil.example.org' },
    { origin: 'null' },
  ])
    for (const method of ['POST', 'DELETE'] as const)
      t.equal(await ask(method, headers), 'cross_site', `${method} ${JSON.stringify(headers)}`);
  t.equal(await ask('POST', same), 'not_signed_in');
  t.equal(await ask('POST', { origin: 'http://pbx.example.org' }), 'not_signed_in');
  t.equal(await ask('DELETE', same), 204);
  t.equal(await ask('GET'), 'token_unknown');
});

await t.test('a password is kept as a hash, never shown, and none that everybody tries', async (t) => {
  const { hash } = await db('agents')
    .where({ number: '1001' })
    .first<{ hash: string }>('password_hash as hash');
  t.match(hash, /^scrypt\$/);
  const shown = await showAgent(db, 'astercc', '1001');
  t.match(shown, { password: true });
  t.notMatch(JSON.stringify(shown), /scrypt|long way/);
  for (const bad of ['short', '1001', '1001 \n 1001', 'aaaaaaaaaa', '12345678', '98765432'])
    await t.rejects(setAgent(db, 'astercc', '1001', { password: bad }), { code: 'invalid_password' });
  const [device] = await db('extensions').where({ number: '5001' }).select<{ secret: string }[]>('secret');
  await t.rejects(setAgent(db, 'astercc', '1001', { password: device?.secret ?? '' }), {
    code: 'secret_is_password',
  });
  await setAgent(db, 'astercc', '1004', { kind: 'fixed', extension: '5004' });
  await db('file_changes').delete();
  await givePassword(db, { agents: '1004' }, password);
  t.same(await db('file_changes'), [], 'no file has it');
});
