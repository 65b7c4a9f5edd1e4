import { get } from 'node:http';
import t from 'tap';
import { givePassword } from '../support/doors/login.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

/** Pages of other origins: what a browser lets them do is what these headers say. */
const { db } = await freshDatabase(t);
await provision(db, crowd(1));
const token = await tokenOf(db, 'astercc', 'administrator');
const origin = 'https://crm.example.org';
const web = await apiOf(t, db, { corsOrigins: ['http://localhost:8080', origin] });
const agents = '/v1/teams/astercc/agents';
const secret = 'seven small boats';
await givePassword(db, { agents: '1001' }, secret);

/** The headers by which an answer is opened to other origins. */
const cors = (headers: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

const readable = {
  'access-control-allow-origin': origin,
  'access-control-expose-headers':
    'etag, location, idempotent-replayed, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset',
};
const preflight = (from: string, url = agents) =>
  web.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin: from,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,if-match',
    },
  });

await t.test('unless the settings name an origin, nothing is said to any', async (t) => {
  for (const corsOrigins of [undefined, []]) {
    const closed = await apiOf(t, db, corsOrigins && { corsOrigins });
    const { statusCode, headers } = await closed.inject({
      url: agents,
      headers: { origin, ...bearer(token) },
    });
    t.equal(statusCode, 200);
    t.same(cors(headers), {});
    const asked = await closed.inject({
      method: 'OPTIONS',
      url: agents,
      headers: { origin, 'access-control-request-method': 'GET' },
    });
    t.match(asked.json(), { status: 404, code: 'no_such_path' });
    t.same(cors(asked.headers), {});
  }
});

await t.test(
  'a browser is told before it sends anything, without a token, what the page may send',
  async (t) => {
    for (const url of [agents, '/v1/tokens', '/v1/me', '/v1/teams/astercc/provisioning/agents/1001']) {
      const { statusCode, headers, body } = await preflight(origin, url);
      t.equal(statusCode, 204, url);
      t.equal(body, '');
      t.same(cors(headers), {
        ...readable,
        'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE',
        'access-control-allow-headers':
          'authorization, content-type, if-match, idempotency-key, last-event-id',
        'access-control-max-age': '600',
      });
      t.match(headers['vary'], /Origin/);
    }
  },
);

await t.test('who has no right place is named in no answer', async (t) => {
  for (const from of [
    'https://evil.example',
    'null',
    'https://crm.example.org.evil.example',
    'https://crm.example.org:8443',
    'http://crm.example.org',
    'https://CRM.example.org',
  ]) {
    t.notOk((await preflight(from)).headers['access-control-allow-origin'], from);
    const { headers } = await web.inject({ url: agents, headers: { origin: from, ...bearer(token) } });
    t.notOk(headers['access-control-allow-origin'], from);
    t.match(headers['vary'], /Origin/, 'no cache gives it to another origin');
  }
});

await t.test(
  'answers and refusals are read by the page, with what programs need of the headers',
  async (t) => {
    const ask = (url: string, headers: Record<string, string> = bearer(token)) =>
      web.inject({ url, headers: { origin, ...headers } });
    const object = await ask('/v1/teams/astercc/provisioning/agents/1001');
    t.equal(object.statusCode, 200);
    t.ok(object.headers['etag']);
    t.ok(object.headers['ratelimit-remaining']);
    t.same(cors(object.headers), readable);
    const refusals: [string, string, Record<string, string>?][] = [
      [agents, 'token_wanted', {}],
      [agents, 'token_unknown', bearer('s64m_nothing')],
      ['/v1/teams/astercc/agents/4711', 'unknown'],
      [`${agents}?colour=red`, 'invalid_request'],
      ['/v1/nothing', 'no_such_path'],
    ];
    for (const [url, code, headers] of refusals) {
      const refused = await ask(url, headers);
      t.equal(refused.json<{ code: string }>().code, code);
      t.same(cors(refused.headers), readable, code);
    }
    const busy = await apiOf(t, db, { corsOrigins: [origin], requestsPerMinute: 1 });
    const sent = { url: agents, headers: { origin, ...bearer(token) } };
    await busy.inject(sent);
    const late = await busy.inject(sent);
    t.equal(late.statusCode, 429);
    t.ok(late.headers['retry-after']);
    t.same(cors(late.headers), readable);
  },
);

await t.test('what is not the API is opened to nobody', async (t) => {
  for (const url of ['/agent', '/livez', '/metrics'])
    t.same(cors((await web.inject({ url, headers: { origin } })).headers), {}, url);
});

await t.test(
  "the cookie of the agent's page crosses to no other origin, also of the same site",
  async (t) => {
    const login = (headers: Record<string, string>, cookie: boolean) =>
      web.inject({
        method: 'POST',
        url: '/v1/tokens',
        headers,
        payload: { team: 'astercc', agent: '1001', password: secret, ...(cookie && { cookie }) },
      });
    const foreign = { origin, 'sec-fetch-site': 'same-site' };
    t.match((await login(foreign, true)).json(), { status: 403, code: 'cross_site' });
    const inPage = await login(foreign, false);
    t.equal(inPage.statusCode, 201, 'with a token it logs in');
    t.notOk(inPage.headers['access-control-allow-credentials']);
    const own = await login({ 'sec-fetch-site': 'same-origin' }, true);
    const cookie = String(own.headers['set-cookie']).split(';')[0] ?? '';
    t.match(cookie, /^star64=s64a_/);
    const written = await web.inject({
      method: 'DELETE',
      url: '/v1/tokens/current',
      headers: { cookie, ...foreign },
    });
    t.match(written.json(), { status: 403, code: 'cross_site' });
    const read = await web.inject({ url: '/v1/me', headers: { cookie, ...foreign } });
    t.notOk(read.headers['access-control-allow-credentials'], 'so browsers keep it from the page');
  },
);

await t.test('a stream of events is read by the page as well', async (t) => {
  const address = await web.listen({ host: '127.0.0.1', port: 0 });
  const headers = { accept: 'text/event-stream', origin, ...bearer(token) };
  const heard = await new Promise<Record<string, unknown>>((resolve, reject) => {
    get(`${address}/v1/teams/astercc/events`, { headers, agent: false }, (response) => {
      response.destroy();
      resolve({ status: response.statusCode, ...response.headers });
    }).once('error', reject);
  });
  t.match(heard, { status: 200, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  t.same(cors(heard), readable);
  t.match(heard['vary'], /Origin/);
});
