import t from 'tap';
import { addApiToken, removeApiToken } from '../../domain/provisioning/people/api-token.js';
import { operationsNamed } from '../../domain/provisioning/every-noun.js';
import { nouns } from '../../domain/provisioning/nouns/index.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { givenOf } from '../../web/provisioning-values.js';
import { freshDatabase } from '../support/database.js';
import { givePassword, tokenBy } from '../support/doors/login.js';
import { examples } from '../support/doors/noun-examples.js';
import { bodyFor, fieldsOf, guessesOf, pathOf, routesOf, type Route } from '../support/doors/routes.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

/** Open to everybody, and why; a route without a role that does not stand here fails. */
const open: Readonly<Record<string, string>> = {
  'GET /livez': 'the process answers',
  'GET /readyz': 'it can do its work',
  'GET /v1/openapi.json': 'the document of the API',
  'GET /metrics': 'of all teams: it has a token of its own (web/routes/metrics.ts)',
  'POST /v1/tokens': 'the door itself: it wants a password',
  'GET /agent': 'a page, which has a login of its own',
  'GET /board': 'a page, which has a login of its own',
};
/** What the pages are made of is the same for everybody. */
const isPart = (name: string): boolean => name.startsWith('GET /pages/');

const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await addTeam(db, 'zeta', {});
const routes: Route[] = [];
const web = await apiOf(t, db, {
  requestsPerMinute: 1_000_000,
  guessesPerMinute: 1_000_000,
  metrics: { token: 'T'.repeat(40) },
  onRoute: routesOf(routes),
});
const guarded = routes.filter(({ role }) => role !== undefined);

const tokens = {
  reader: await tokenOf(db, 'astercc', 'reader'),
  supervisor: await tokenOf(db, 'astercc', 'supervisor'),
  administrator: await tokenOf(db, 'astercc', 'administrator'),
};
const stranger = await tokenOf(db, 'zeta', 'administrator');
const gone = await tokenOf(db, 'astercc', 'administrator', 'gone');
await removeApiToken(db, 'astercc', 'gone');
const ended = await tokenOf(db, 'astercc', 'administrator', 'ended');
await db('api_tokens')
  .where({ name: 'ended' })
  .update({ expires_at: db.raw("now() - interval '1 second'") });
await givePassword(db, { agents: '1001' }, 'a long way home');
const agent = await tokenBy(web, { team: 'astercc', agent: '1001', password: 'a long way home' });

/** What zeta has, so that it can be guessed. */
await operationsNamed('group').add(db, 'zeta', 'support', {});
for (const noun of nouns) {
  const { name = '', add } = examples[noun.noun] ?? {};
  if (add) await operationsNamed(noun.noun).add(db, 'zeta', name, givenOf(noun, { ...add }));
}
await operationsNamed('group').add(db, 'astercc', 'back', {});
const { token: limited } = await addApiToken(db, 'astercc', 'limited', {
  role: 'supervisor',
  groups: ['back'],
  by: 'test',
});

interface Sent {
  token?: string | undefined;
  values?: Record<string, string>;
  query?: string;
  payload?: string;
  type?: string;
}
/** Asks a route in the best form there is, but for what is said. */
async function ask(route: Route, sent: Sent = {}) {
  const { token, values = { team: 'astercc' }, query = '', type = 'application/json' } = sent;
  const body = bodyFor(route);
  const payload = sent.payload ?? (body === undefined ? undefined : JSON.stringify(body));
  const answer = await web.inject({
    method: route.method as 'GET',
    url: `${pathOf(route, values)}${query}`,
    headers: {
      ...(token !== undefined && bearer(token)),
      ...(payload !== undefined && { 'content-type': type }),
    },
    ...(payload !== undefined && { payload }),
  });
  const problem = answer.headers['content-type']?.toString().startsWith('application/problem+json');
  return {
    status: answer.statusCode,
    code: problem ? answer.json<{ code: string }>().code : '',
    text: answer.body,
  };
}

/** Asks every route that fits, and gathers those that answer otherwise than they must. */
async function every(
  which: (route: Route) => boolean,
  sent: (route: Route) => Sent,
  [status, code]: readonly [status: number, code?: string],
): Promise<string[]> {
  const wrong: string[] = [];
  for (const route of guarded.filter(which)) {
    const answer = await ask(route, sent(route));
    if (answer.status !== status || (code !== undefined && answer.code !== code))
      wrong.push(`${route.name}: ${answer.status} ${answer.text.slice(0, 300)}`);
  }
  return wrong;
}
const all = (): boolean => true;
const right = tokens.administrator;
const hasBody = ({ body }: Route): boolean => body !== undefined;

await t.test('what is open to everybody is known by name', (t) => {
  const without = routes.filter(({ role }) => role === undefined).map(({ name }) => name);
  t.same(
    without.filter((name) => !(name in open) && !isPart(name)),
    [],
  );
  const ofReaders = guarded.filter(({ method, role }) => method !== 'GET' && role === 'reader');
  t.same(
    ofReaders.map(({ name }) => name),
    ['DELETE /v1/tokens/current'],
    'who only reads changes nothing but their own login',
  );
  t.ok(guarded.length > 100, `${guarded.length} routes`);
  t.end();
});

await t.test('no token, and tokens that open nothing', async (t) => {
  t.same(await every(all, () => ({}), [401, 'token_wanted']), []);
  for (const token of [gone, ended, `s64m_${'A'.repeat(43)}`, `${right}x`])
    t.same(await every(all, () => ({ token }), [401, 'token_unknown']), []);
});

await t.test('of another team: not even that there is this one', async (t) => {
  const ofTeam = ({ parameters }: Route): boolean => parameters.includes('team');
  t.same(await every(ofTeam, () => ({ token: stranger }), [404, 'unknown']), []);
  const same = (text: string): string =>
    text.replace(/astercc|nobody/g, '…').replace(/"instance":"[^"]*"/, '');
  for (const route of guarded.filter(ofTeam)) {
    const one = await ask(route, { token: stranger });
    const none = await ask(route, { token: stranger, values: { team: 'nobody' } });
    if (same(one.text) !== same(none.text)) t.equal(one.text, none.text, route.name);
  }
});

await t.test('with less than the role that a route wants', async (t) => {
  const order = ['reader', 'supervisor', 'administrator'] as const;
  for (const [at, role] of order.entries())
    t.same(
      await every(
        (route) => order.findIndex((one) => one === route.role) > at,
        () => ({ token: tokens[role] }),
        [403, 'role_wanted'],
      ),
      [],
      role,
    );
  t.same(
    await every(
      ({ config }) => config.agent === undefined,
      () => ({ token: agent }),
      [403, 'role_wanted'],
    ),
    [],
  );
});

await t.test('limited to one group: nothing of the others, and nothing of the whole team', async (t) => {
  const values = { team: 'astercc', agent: '1001', group: 'support', call: 'z.404' };
  const named = ({ parameters }: Route): boolean => parameters.some((one) => one in values && one !== 'team');
  const limits = ({ role, config }: Route): boolean => role !== 'administrator' && config.limits !== true;
  const sent = () => ({ token: limited, values });
  t.same(await every((route) => limits(route) && named(route), sent, [404]), []);
  t.same(await every((route) => limits(route) && !named(route), sent, [403, 'role_wanted']), []);
  t.same(await every(({ role }) => role === 'administrator', sent, [403, 'role_wanted']), []);
});

await t.test('a body that is none, too large, of another kind, or has what there is not', async (t) => {
  const send = (payload: string, type?: string) => () => ({ token: right, payload, ...(type && { type }) });
  t.same(await every(hasBody, send('{'), [400, 'bad_request']), []);
  t.same(await every(hasBody, send('x'.repeat(100_000)), [413, 'bad_request']), []);
  t.same(await every(hasBody, send('a=b', 'application/x-www-form-urlencoded'), [415, 'bad_request']), []);
  for (const payload of ['{"strange":1}', '[]', '"x"', '7'])
    t.same(await every(hasBody, send(payload), [422, 'invalid_request']), [], payload);
});

await t.test('a query that has what there is not', async (t) => {
  t.same(await every(all, () => ({ token: right, query: '?strange=1' }), [422, 'invalid_request']), []);
});

await t.test('a name or id of another team is answered like one that nobody has', async (t) => {
  const wrong: string[] = [];
  let guessed = 0;
  for (const route of guarded.filter(({ parameters }) => parameters.some((one) => one !== 'team'))) {
    const guesses = await guessesOf(db, route);
    if (!guesses) {
      wrong.push(
        `${route.name}: test/support/doors/routes.ts does not know what of zeta its parameter can be`,
      );
      continue;
    }
    // Every team has all of them, by the same names.
    if (route.path.includes('/call-keys/')) continue;
    guessed++;
    const [theirs, none] = [
      await ask(route, { token: right, values: guesses.theirs }),
      await ask(route, { token: right, values: guesses.none }),
    ];
    const same = (text: string, values: Record<string, string>): string =>
      Object.entries(values).reduce(
        (said, [parameter, value]) => (parameter === 'team' ? said : said.replaceAll(value, '…')),
        text.replace(/"instance":"[^"]*"/, ''),
      );
    if (theirs.status !== 404 || same(theirs.text, guesses.theirs) !== same(none.text, guesses.none))
      wrong.push(`${route.name}: ${theirs.status} ${theirs.text} (${none.text})`);
  }
  t.same(wrong, []);
  t.ok(guessed > 60, `${guessed} routes`);
});

// The last one: it makes what it may.
await t.test('whatever stands in a path, a query or a field of a body is no failure of ours', async (t) => {
  const [nul, long, many] = ['a\0b', 'x'.repeat(3000), '9'.repeat(30)];
  const values = { team: 'astercc', agent: '1001', group: 'support' };
  const wrong: string[] = [];
  let sent = 0;
  const send = async (route: Route, hostile: Sent): Promise<void> => {
    sent++;
    const { status, code, text } = await ask(route, { token: right, values, ...hostile });
    if (status >= 500 && code !== 'no_server')
      wrong.push(`${route.name} ${JSON.stringify(hostile)}: ${text}`);
  };
  // What is removed is asked for by the next one no more.
  for (const route of guarded.filter(({ method }) => method !== 'DELETE')) {
    for (const parameter of route.parameters)
      for (const value of [nul, many]) await send(route, { values: { ...values, [parameter]: value } });
    for (const name of fieldsOf(route.query))
      for (const value of [nul, many]) await send(route, { query: `?${name}=${encodeURIComponent(value)}` });
    for (const name of fieldsOf(route.body))
      for (const value of [nul, long, 1e308, { a: nul }])
        await send(route, { payload: JSON.stringify({ ...(bodyFor(route) as object), [name]: value }) });
  }
  t.same(wrong, []);
  t.ok(sent > 1000, `${sent} requests`);
});
