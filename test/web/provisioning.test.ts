import t from 'tap';
import { nouns } from '../../domain/provisioning/nouns/index.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { crowd, provision } from '../../lab/provision.js';
import { fieldsGiven, jsonName } from '../../web/schemas/provisioning.js';
import { elsewhere, plural } from '../../web/routes/provisioning.js';
import { freshDatabase } from '../support/database.js';
import { givePassword, tokenBy } from '../support/doors/login.js';
import { examples } from '../support/doors/noun-examples.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await addTeam(db, 'zeta', {});
const web = await apiOf(t, db, { requestsPerMinute: 100_000 });
const administrator = await tokenOf(db, 'astercc', 'administrator');
const ofOther = await tokenOf(db, 'zeta', 'administrator');

interface Asked {
  token?: string;
  headers?: Record<string, string>;
  body?: object;
}
/** Asks of the provisioning of astercc, unless the path begins with the team. */
async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, asked: Asked = {}) {
  const { token = administrator, headers, body } = asked;
  const url = path.startsWith('/v1') ? path : `/v1/teams/astercc/provisioning/${path}`;
  const answer = await web.inject({
    method,
    url,
    headers: { ...bearer(token), ...headers },
    ...(body && { body }),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers as Record<string, string>,
    body: answer.json<Record<string, unknown>>(),
    text: answer.body,
  };
}

const pathOf = (noun: string): string =>
  noun === 'team' ? 'team' : `${plural(noun)}/${encodeURIComponent(examples[noun]?.name ?? '')}`;

await t.test('every noun of the command line: made, read, changed and found in its list', async (t) => {
  for (const { noun, key } of nouns.filter(({ noun }) => !elsewhere.has(noun))) {
    const example = examples[noun];
    if (!example) {
      t.fail(`say in this test what a ${noun} can be`);
      continue;
    }
    const { name, add, set, shows = set } = example;
    if (add) {
      const made = await ask('POST', plural(noun), { body: add });
      t.equal(made.status, 201, `${noun}: ${made.text}`);
      const there = await ask('GET', made.headers['location'] ?? '');
      t.match(there.body, { [key]: name }, `${noun} is where Location says`);
      t.equal(there.headers['etag'], made.headers['etag']);
    }
    const changed = await ask('PATCH', pathOf(noun), { body: set });
    t.equal(changed.status, 200, `${noun}: ${changed.text}`);
    t.match(changed.body, shows);
    const read = await ask('GET', pathOf(noun));
    t.match(read.body, shows);
    t.equal(read.headers['etag'], changed.headers['etag'], `${noun}: the version is that of the change`);
    if (noun === 'team') continue;
    const { items } = (await ask('GET', `${plural(noun)}?limit=500`)).body as { items: object[] };
    t.match(
      items.find((item) => (item as Record<string, unknown>)[key] === name),
      shows,
      noun,
    );
    // A type of ours that the schema does not know would be an error here.
    const { items: none } = (
      await ask('GET', `/v1/teams/zeta/provisioning/${plural(noun)}`, { token: ofOther })
    ).body as { items: object[] };
    t.notOk(
      none.some((item) => (item as { team: string }).team !== 'zeta'),
      noun,
    );
  }
});

await t.test('whatever stands in a field: refused by name, never a failure of ours', async (t) => {
  const strange = ['a\0b', ['a\0b'], { add: ['\0'] }, { 'a\0b': 1 }, 1e300];
  const failed: string[] = [];
  for (const noun of nouns.filter(({ noun }) => !elsewhere.has(noun)))
    for (const [key, field] of fieldsGiven(noun, 'set'))
      for (const value of strange) {
        const body = { [jsonName(key, field)]: value };
        const { status, text } = await ask('PATCH', pathOf(noun.noun), { body });
        if (![200, 404, 409, 422].includes(status))
          failed.push(`${JSON.stringify(body).slice(0, 60)}: ${text}`);
        // It would have been asked of nothing.
        if (text.includes(`${examples[noun.noun]?.name ?? ''}\\" does not exist`)) failed.push(text);
      }
  t.same(failed, []);
});

await t.test('it is for who administers the whole team, a person or a program', async (t) => {
  await addUser(db, 'astercc', { username: 'anna', administrator: true });
  await addUser(db, 'astercc', { username: 'gerd' });
  await setGroup(db, 'astercc', 'support', { administrators: { add: ['gerd'] } });
  for (const users of ['anna', 'gerd']) await givePassword(db, { users }, 'a long way home');
  const login = (username: string) =>
    tokenBy(web, { team: 'astercc', username, password: 'a long way home' });
  const tokens = [
    [await tokenOf(db, 'astercc', 'reader'), 403],
    [await tokenOf(db, 'astercc', 'supervisor'), 403],
    [await login('gerd'), 403],
    [await login('anna'), 200],
  ] as const;
  for (const [token, status] of tokens)
    for (const [method, path, body] of [
      ['GET', 'groups', undefined],
      ['GET', 'groups/support', undefined],
      ['PATCH', 'groups/support', { ring_seconds: 25 }],
    ] as const)
      t.equal((await ask(method, path, { token, ...(body && { body }) })).status, status, path);
});

await t.test('what is removed is gone; what is needed says by what, as the command line does', async (t) => {
  const needed = await ask('DELETE', 'extensions/5900');
  t.match(needed.body, { status: 409, code: 'still_needed' });
  t.match(needed.body['detail'], /ring group 7900/);
  for (const { noun, verbs } of [...nouns].reverse()) {
    if (verbs.remove === undefined || noun === 'team' || elsewhere.has(noun)) continue;
    const gone = await ask('DELETE', pathOf(noun));
    if (gone.status === 409) continue;
    t.equal(gone.status, 200, `${noun}: ${gone.text}`);
    t.match(gone.body, { noun, says: String });
    if (noun !== 'group') t.equal((await ask('GET', pathOf(noun))).status, 404, noun);
  }
});

await t.test(
  'a page after the other has everything once, whatever is made and removed meanwhile',
  async (t) => {
    for (let n = 0; n < 7; n++) await ask('POST', 'rooms', { body: { number: `70${n}` } });
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page++) {
      const path: string = `rooms?limit=3${cursor && `&cursor=${cursor}`}`;
      const { body } = await ask('GET', path);
      seen.push(...(body['items'] as { number: string }[]).map(({ number }) => number));
      cursor = body['next_cursor'] as string | null;
      if (page === 0) {
        t.equal((await ask('DELETE', 'rooms/702')).status, 200, 'the one at the cursor goes');
        await ask('POST', 'rooms', { body: { number: '709' } });
      }
    }
    t.same(seen, ['700', '701', '702', '703', '704', '705', '706', '709']);
    for (const query of [
      'limit=0',
      'limit=501',
      'limit=x',
      'cursor=abc',
      'total=1',
      `cursor=${Buffer.from('users 1').toString('base64url')}`,
    ])
      t.match((await ask('GET', `rooms?${query}`)).body, { status: 422, code: 'invalid_request' }, query);
  },
);

await t.test('of two administrators who have read the same, the second is told', async (t) => {
  const first = await ask('GET', 'groups/support');
  const etag = first.headers['etag'] ?? '';
  const headers = { 'if-match': etag };
  t.equal((await ask('PATCH', 'groups/support', { headers, body: { ring_seconds: 21 } })).status, 200);
  const second = await ask('PATCH', 'groups/support', { headers, body: { ring_seconds: 22 } });
  t.match(second.body, { status: 412, code: 'version_changed' });
  t.match((await ask('GET', 'groups/support')).body, { ring_seconds: 21 });
  t.equal((await ask('DELETE', 'groups/support', { headers })).status, 412);
  t.equal(
    (await ask('PATCH', 'groups/support', { headers: { 'if-match': 'x' }, body: { ring_seconds: 22 } }))
      .status,
    400,
  );
  t.equal(
    (await ask('PATCH', 'groups/support', { headers: { 'if-match': '*' }, body: { ring_seconds: 22 } }))
      .status,
    200,
  );

  // Both at the same moment, with the same version: one of them.
  const { headers: now } = await ask('GET', 'groups/support');
  const both = await Promise.all(
    [31, 32].map((ring_seconds) =>
      ask('PATCH', 'groups/support', { headers: { 'if-match': now['etag'] ?? '' }, body: { ring_seconds } }),
    ),
  );
  t.same(both.map(({ status }) => status).sort(), [200, 412]);
});

await t.test(
  'a version is another one after a new PIN, and the same while an agent only signs in',
  async (t) => {
    const versionOf = async (): Promise<string | undefined> =>
      (await ask('GET', 'agents/1001')).headers['etag'];
    const before = await versionOf();
    await ask('POST', '/v1/teams/astercc/agents/1001/sign-in', { body: { extension: '5001' } });
    t.match((await ask('GET', 'agents/1001')).body, { signed_in_at: '5001' });
    t.equal(await versionOf(), before);
    await ask('PATCH', 'agents/1001', { body: { pin: '2846' } });
    const set = await versionOf();
    t.not(set, before);
    await ask('PATCH', 'agents/1001', { body: { pin: '2847' } });
    t.not(await versionOf(), set, 'though it reads the same');
  },
);

await t.test('a secret is told once, where it was made, and never read', async (t) => {
  await ask('POST', 'users', { body: { username: 'carla' } });
  const made = await ask('POST', 'extensions', { body: { number: '5910', user: 'carla' } });
  const secret = made.body['secret'] as string;
  t.match(secret, /^[A-Za-z0-9]{24,64}$/);
  t.same(made.body['remarks'], ['not in Asterisk yet: star64 apply']);
  for (const path of ['extensions/5910', 'extensions?limit=500'])
    t.notOk((await ask('GET', path)).text.includes(secret), path);
  const version = made.headers['etag'];
  const renewed = await ask('PATCH', 'extensions/5910', { body: { secret: { generate: true } } });
  t.match(renewed.body['secret'], /^[A-Za-z0-9]{24,64}$/);
  t.not(renewed.body['secret'], secret);
  t.not(renewed.headers['etag'], version);
  t.notOk('secret' in (await ask('PATCH', 'extensions/5910', { body: { location: 'roof' } })).body);
});

await t.test('a POST that is repeated is done once, and its answer keeps no secret', async (t) => {
  const headers = { 'idempotency-key': '6f1c2a7e-0b0e-4a53-9a55-1f3a3f7b2c11' };
  const body = { number: '5911', user: 'carla' };
  const first = await ask('POST', 'extensions', { headers, body });
  t.equal(first.status, 201, first.text);
  const again = await ask('POST', 'extensions', { headers, body });
  t.match(again, {
    status: 201,
    headers: {
      'idempotent-replayed': 'true',
      etag: first.headers['etag'],
      location: first.headers['location'],
    },
  });
  const { secret } = first.body;
  t.match(again.body, { ...first.body, secret: undefined, remarks: Array });
  t.notOk(again.text.includes(String(secret)));
  t.match((again.body['remarks'] as string[])[0], /^secret was told once.*"generate": true/);
  t.notOk(JSON.stringify(await db('idempotency_keys')).includes(String(secret)));

  const other = await ask('POST', 'extensions', { headers, body: { ...body, number: '5912' } });
  t.match(other.body, { status: 422, code: 'key_reused' });
  t.equal((await ask('GET', 'extensions/5912')).status, 404);
  const theirs = await ask('POST', '/v1/teams/zeta/provisioning/users', {
    token: ofOther,
    headers,
    body: { username: 'x1' },
  });
  t.equal(theirs.status, 201, 'a key is of the token that sent it');
  for (const key of ['short', 'with a blank in the middle'])
    t.equal(
      (await ask('POST', 'users', { headers: { 'idempotency-key': key }, body: { username: 'x2' } })).status,
      400,
    );

  await db('idempotency_keys').update({ made_at: db.raw("now() - interval '25 hours'") });
  const late = await ask('POST', 'extensions', { headers, body });
  t.match(late.body, { status: 409, code: 'number_taken' }, 'a day later it is a request like any other');
});

await t.test('the first with a key is still running: 409; refused, the key is free again', async (t) => {
  const headers = { 'idempotency-key': '6f1c2a7e-0b0e-4a53-9a55-1f3a3f7b2c12' };
  const post = (body: object) => ask('POST', 'rooms', { headers, body });
  t.match((await post({ number: '700' })).body, { status: 409 }, 'refused: it is there');
  // Held up: somebody has the number that it wants, and has not decided.
  const holder = await db.transaction();
  await holder.raw(
    `insert into rooms (team_id, number, name) select id, '750', 'x' from teams where identity = 'astercc'`,
  );
  const held = post({ number: '750' });
  const { rows } = await db.raw<{ rows: unknown[] }>('select 1');
  t.equal(rows.length, 1);
  for (;;) {
    const { rows } = await db.raw<{
      rows: unknown[];
    }>(`select 1 from pg_locks where locktype = 'advisory' and granted
      and database = (select oid from pg_database where datname = current_database())`);
    if (rows.length > 0) break;
  }
  t.match((await post({ number: '750' })).body, { status: 409, code: 'key_in_use' });
  await holder.rollback();
  t.equal((await held).status, 201);
  t.match((await post({ number: '750' })).headers, { 'idempotent-replayed': 'true' });
});

await t.test('old answers go along with new ones', async (t) => {
  await db('idempotency_keys').update({ made_at: db.raw("now() - interval '25 hours'") });
  await ask('POST', 'rooms', {
    headers: { 'idempotency-key': 'another-key-of-17' },
    body: { number: '751' },
  });
  t.equal((await db('idempotency_keys')).length, 1);
});

await t.test('refusals are those of the command line', async (t) => {
  for (const [path, body, status, code] of [
    ['groups/support', { ring_seconds: 1 }, 422, 'invalid_number'],
    ['groups/support', { strategy: 'best' }, 422, 'invalid_choice'],
    ['groups/support', { strategy: null }, 422, 'invalid_request'],
    ['groups/support', {}, 422, 'nothing_to_change'],
    ['groups/support', { colour: 'red' }, 422, 'invalid_request'],
    ['groups/support', { agents: ['1001'] }, 422, 'invalid_request'],
    ['groups/support', { timeout: 'group:nobody' }, 404, 'unknown'],
    ['groups/support', { overflow: 'support' }, 422, 'overflow_to_itself'],
    ['groups/nobody', { ring_seconds: 20 }, 404, 'unknown'],
    ['agents/1001', { pin: true }, 422, 'invalid_request'],
    ['agents/1001', { pin: '1234' }, 422, 'invalid_pin'],
    ['team', { time_zone: 'Mars/Base' }, 422, 'invalid_time_zone'],
  ] as const) {
    const { body: answer } = await ask('PATCH', path, { body });
    t.match(answer, { status, code }, `${path} ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
  }
  t.match((await ask('POST', 'extensions', { body: { number: '5913' } })).body, {
    status: 422,
    errors: [{ pointer: '#/user' }],
  });
});

await t.test('what reaches beyond the team is the operator’s', async (t) => {
  for (const [path, body] of [
    ['extensions/5910', { endpoint: 'boss' }],
    ['team', { node: 'second' }],
    ['team', { calls_per_day: 1_000_000 }],
    ['groups/support', { greeting: '/var/spool/asterisk/monitor/star64/zeta/1' }],
  ] as const) {
    const { body: answer } = await ask('PATCH', path, { body });
    t.match(answer, { status: 403, code: 'operators_own' }, JSON.stringify(body));
  }
  t.match((await ask('POST', 'trunks', { body: { name: 'mine', endpoint: 'theirs' } })).body, {
    status: 403,
  });
  for (const path of ['/v1/teams/astercc/provisioning/teams', '/v1/teams'])
    t.equal((await ask('POST', path, { body: { identity: 'third' } })).status, 404, path);
  t.equal((await ask('DELETE', 'team')).status, 404);
});

await t.test('what another team has is taken, and no more is said of it', async (t) => {
  const theirs = (path: string, body: object) =>
    ask('POST', `/v1/teams/zeta/provisioning/${path}`, { token: ofOther, body });
  await theirs('users', { username: 'dora' });
  await theirs('extensions', { number: '5955', user: 'dora' });
  t.equal((await theirs('dids', { number: '+4930800100..+4930800199', to: 'extension:5955' })).status, 201);
  t.equal((await theirs('trunks', { name: 'secretsip', addresses: ['192.0.2.99'] })).status, 201);
  for (const [path, body] of [
    ['dids', { number: '+4930800100..+4930800199', to: 'group:support' }],
    ['dids', { number: '+4930800150', to: 'group:support' }],
    ['trunks', { name: 'mine', addresses: ['192.0.2.99'] }],
  ] as const) {
    const { body: answer, text } = await ask('POST', path, { body });
    t.match(answer, { status: 409, code: 'not_of_the_team' }, text);
    t.notMatch(text, /zeta|5955|dora|secretsip/);
  }
});
