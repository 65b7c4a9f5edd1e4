import t, { type Test } from 'tap';
import { addAgent, removeAgent, setAgent, showAgent } from '../../domain/provisioning/agent.js';
import { addGroup, setGroup } from '../../domain/provisioning/group.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser, setUser } from '../../domain/provisioning/user.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { networkOf } from '../../domain/provisioning/login-lock.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { givePassword, hashesDuring, logIn, tokenBy } from '../support/login.js';
import { apiOf, bearer } from '../support/web.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(4));
await addTeam(db, 'other', {});
await addGroup(db, 'astercc', { name: 'sales' });
const password = 'a long way home';
await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['sales'] });
await addUser(db, 'astercc', { username: 'anna', administrator: true });
for (const username of ['gerd', 'nobody']) await addUser(db, 'astercc', { username });
for (const agents of ['1001', '1003']) await givePassword(db, { agents }, password);
for (const users of ['anna', 'gerd', 'nobody']) await givePassword(db, { users }, password);
await setGroup(db, 'astercc', 'support', { administrators: { add: ['gerd'] } });
const web = await apiOf(t, db, { requestsPerMinute: 10_000, guessesPerMinute: 10_000 });

const agent = { team: 'astercc', agent: '1001', password };
const get = async (url: string, token: string) => {
  const answer = await web.inject({ url, headers: bearer(token) });
  return [answer.statusCode, answer.json<{ code?: string }>().code ?? 'ok'];
};
const post = (url: string, token: string, body: object = {}) =>
  web.inject({ method: 'POST', url, headers: bearer(token), body });
const forget = () => db('login_failures').delete();

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

/** Five wrong passwords, of which three are in the database; the next is told to wait, also a right one. */
async function lock(t: Test, body: { team: string; agent: string }, from: string): Promise<void> {
  await db('login_failures').insert({
    door: 'web',
    team: body.team,
    account: `agent ${body.agent}`,
    address: networkOf(from),
    failures: 3,
    failed_at: db.fn.now(),
  });
  for (let guess = 4; guess <= 5; guess++)
    t.equal((await logIn(web, { ...body, password: `guess ${guess} of five` }, from)).statusCode, 401);
  const hashes = await hashesDuring(async () => {
    const sixth = await logIn(web, body, from);
    t.match(sixth.json(), { status: 429, code: 'locked' });
    t.ok(Number(sixth.headers['retry-after']) > 0 && Number(sixth.headers['retry-after']) <= 60);
  });
  t.equal(hashes, 0, 'no hash is spent on it');
}

await t.test(
  'five wrong passwords lock an account for the address they came from, whether there is one or not',
  async (t) => {
    await lock(t, agent, '10.6.6.6');
    t.equal((await logIn(web, agent, '10.0.0.2')).statusCode, 201, 'its owner, elsewhere, is let in');
    t.equal(
      (await logIn(web, { ...agent, agent: '1003' }, '10.6.6.6')).statusCode,
      201,
      'another account is',
    );
    await lock(t, { ...agent, agent: '9999' }, '10.6.6.6');
    await lock(t, { ...agent, agent: '1003' }, '2001:db8:1:2::3');
    const same = await logIn(web, { ...agent, agent: '1003' }, '2001:db8:1:2:ffff::4');
    t.equal(same.statusCode, 429, 'the network of one machine is one address');
    await setAgent(db, 'astercc', '1003', { password });
    t.equal(
      (await logIn(web, { ...agent, agent: '1003' }, '2001:db8:1:2::3')).statusCode,
      201,
      'unlocked by a new password',
    );
    await forget();
  },
);

await t.test('a lock lasts twice as long with each further guess, and a success forgets them', async (t) => {
  await lock(t, agent, '10.6.6.6');
  await db('login_failures').update({ locked_until: db.raw('clock_timestamp()') });
  t.equal((await logIn(web, { ...agent, password: 'a sixth guess' }, '10.6.6.6')).statusCode, 401);
  const wait = Number((await logIn(web, agent, '10.6.6.6')).headers['retry-after']);
  t.ok(wait > 60 && wait <= 120, `${wait} s`);
  await db('login_failures').update({ locked_until: db.raw('clock_timestamp()') });
  t.equal((await logIn(web, agent, '10.6.6.6')).statusCode, 201);
  t.same(await db('login_failures'), []);
});

await t.test(
  'guesses at one account from many addresses lock it much later, those from one address at many accounts, too',
  async (t) => {
    const at = { door: 'web', failed_at: db.fn.now() };
    await db('login_failures').insert([
      { ...at, team: 'astercc', account: 'agent 1001', address: '', failures: 98 },
      { ...at, team: '', account: '', address: '10.6.6.7', failures: 28 },
    ]);
    t.equal((await logIn(web, { ...agent, password: 'guess 99 of 100' }, '10.6.6.8')).statusCode, 401);
    t.equal((await logIn(web, { ...agent, password: 'guess 100 of 100' }, '10.6.6.9')).statusCode, 401);
    t.equal((await logIn(web, agent, '10.0.0.9')).statusCode, 429);
    t.equal((await logIn(web, agent, '10.0.0.2')).statusCode, 201, 'where its owner has logged in before');
    t.equal((await logIn(web, { ...agent, agent: '7001' }, '10.6.6.7')).statusCode, 401);
    t.equal((await logIn(web, { ...agent, agent: '7002' }, '10.6.6.7')).statusCode, 401);
    t.equal((await logIn(web, { ...agent, agent: '1003' }, '10.6.6.7')).statusCode, 429);
    t.equal((await logIn(web, { ...agent, agent: '1003' }, '10.0.0.2')).statusCode, 201);
    await forget();
  },
);

await t.test('whoever has an account is not forgiven their guesses at others', async (t) => {
  const at = { door: 'web', team: '', account: '', failed_at: db.fn.now() };
  await db('login_failures').insert([
    { ...at, address: '10.6.7.1', failures: 27 },
    { ...at, address: '2001:db8:7::/48', failures: 99 },
  ]);
  const own = { ...agent, agent: '1003' };
  t.equal((await logIn(web, { ...own, password: 'a slip of mine' }, '10.6.7.1')).statusCode, 401);
  t.equal((await logIn(web, own, '10.6.7.1')).statusCode, 201);
  t.match(await db('login_failures').where({ address: '10.6.7.1' }), [{ account: '', failures: 27 }]);
  t.equal((await logIn(web, { ...agent, agent: '7003' }, '2001:db8:7:1::1')).statusCode, 401);
  const elsewhere = await logIn(web, { ...agent, agent: '7004' }, '2001:db8:7:2::1');
  t.equal(elsewhere.statusCode, 429, 'a site with thousands of networks is one');
  await forget();
});

await t.test('guesses at once are counted one after the other', async (t) => {
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, guess) =>
      logIn(web, { ...agent, password: `guess ${guess} at once` }, '10.6.6.6'),
    ),
  );
  const statuses = answers.map(({ statusCode }) => statusCode).sort();
  t.same(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429]);
  await forget();
});

await t.test('a lock of the page is none of the phone, nor the reverse', async (t) => {
  await setTeam(db, 'astercc', { phonePin: true });
  await setAgent(db, 'astercc', '1001', { pin: '7305' });
  await lock(t, agent, '10.0.0.1');
  const phone = (pin: string) => signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'c.1', pin });
  t.match(await phone('7305'), { outcome: 'signed-in' });
  await db('sign_ins').update({ signed_out_at: db.fn.now(), signed_out_by: 'test' });
  await forget();
  for (let guess = 0; guess < 5; guess++) t.match(await phone('9999'), { outcome: 'pin-wrong' });
  t.match(await phone('7305'), { outcome: 'locked' });
  t.equal((await logIn(web, agent)).statusCode, 201);
  await setTeam(db, 'astercc', { phonePin: false });
});

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
