import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';
import { patient } from '../../lab/patience.js';

const { db, url } = await freshDatabase(t);
await provision(db, crowd(2));
await addTeam(db, 'other', {});
const web = await apiOf(t, db, { requestsPerMinute: 10_000, guessesPerMinute: 10_000 });
const reader = await tokenOf(db, 'astercc', 'reader');
const supervisor = await tokenOf(db, 'astercc', 'supervisor');
const stranger = await tokenOf(db, 'other', 'supervisor');

// Who is let in where, and how bodies are refused, is asked of every route in every-route.test.ts.
await t.test('values of a query that are none', async (t) => {
  for (const query of ['strange=1', 'limit=x', 'limit=-1', 'cursor=-1', 'since=yesterday'])
    t.match(
      (await web.inject({ url: `/v1/teams/astercc/calls?${query}`, headers: bearer(reader) })).json(),
      { status: 422 },
      query,
    );
});

await t.test('more requests than a token may ask: told when to come back', async (t) => {
  const slow = await apiOf(t, db, { requestsPerMinute: 2 });
  const ask = () => slow.inject({ url: '/v1/teams/astercc', headers: bearer(reader) });
  await ask();
  await ask();
  const third = await ask();
  t.match(third.json(), { status: 429, code: 'too_many_requests' });
  t.match(Number(third.headers['retry-after']) > 0, true);
  const other = await slow.inject({ url: '/v1/teams/astercc', headers: bearer(supervisor) });
  t.equal(other.statusCode, 200, 'each token by itself');
});

await t.test('who guesses tokens is told to wait, and the database is asked nothing', async (t) => {
  const guarded = await apiOf(t, db, { guessesPerMinute: 3 });
  const ask = (token: string) => guarded.inject({ url: '/v1/teams/astercc', headers: bearer(token) });
  const wrong = `s64m_${'B'.repeat(43)}`;
  t.equal((await ask(reader)).statusCode, 200);
  for (let guess = 0; guess < 3; guess++) t.equal((await ask(wrong)).statusCode, 401);
  let statements = 0;
  const count = (): void => {
    statements++;
  };
  db.on('query', count);
  const refused = await ask(wrong);
  t.match(refused.json(), { status: 429, code: 'too_many_requests' });
  t.ok(Number(refused.headers['retry-after']) > 0);
  t.equal((await ask(supervisor)).statusCode, 429, 'a right one that was not seen before waits, too');
  t.equal(statements, 0);
  db.off('query', count);
  t.equal((await ask(reader)).statusCode, 200, 'who works behind the same proxy goes on');
});

await t.test('a control character is refused, wherever it stands', async (t) => {
  const headers = bearer(supervisor);
  const calls = '/v1/teams/astercc/calls';
  for (const [verb, body] of [
    ['hangup', { party: '50\0' }],
    ['transfer', { number: '\0' }],
    ['consult', { number: '5002', from: '\0' }],
  ] as const)
    t.match(
      (await web.inject({ method: 'POST', url: `${calls}/c.1/${verb}`, headers, body })).json(),
      { status: 422 },
      verb,
    );
  for (const url of [`${calls}/c%00`, `${calls}?caller=%00`, `${calls}?group=%00`])
    t.match((await web.inject({ url, headers })).json(), { status: 422 }, url);
});

await t.test('however many look at a team, it is read once, and anew after what is done', async (t) => {
  const own = connect(url, { ...patient, max: 2 });
  t.teardown(() => own.destroy());
  const web = await apiOf(t, own, { recentMs: 600_000 });
  let reads = 0;
  own.on('query', ({ sql }: { sql: string }) => {
    if (sql.includes('date_trunc')) reads++;
  });
  const headers = bearer(supervisor);
  const look = (path: string) => web.inject({ url: `/v1/teams/astercc${path}`, headers });
  const paths = ['', '/agents', '/agents/1001', '/agents/1002', '/groups/support'];
  for (const answer of await Promise.all(paths.map(look))) t.equal(answer.statusCode, 200);
  t.equal(reads, 1);
  const signIn = { method: 'POST', headers, body: { extension: '5001' } } as const;
  await web.inject({ ...signIn, url: '/v1/teams/astercc/agents/1001/sign-in' });
  t.match((await look('/agents/1001')).json(), { state: 'idle' });
  t.match((await look('?within=-1')).json(), { status: 422 });
});

await t.test('a token is nowhere kept, and is told once', async (t) => {
  const rows = JSON.stringify(await db('api_tokens'));
  for (const token of [reader, supervisor, stranger]) t.notOk(rows.includes(token.slice(5)));
});

// A route without a role would be open: only these are.
await t.test('what is open to everybody', async (t) => {
  for (const url of ['/livez', '/readyz', '/v1/openapi.json'])
    t.equal((await web.inject({ url })).statusCode, 200, url);
});
