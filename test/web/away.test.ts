import { pino } from 'pino';
import t from 'tap';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { pauseAgent, readyAgent } from '../../domain/provisioning/people/admin-action.js';
import { patient } from '../../lab/patience.js';
import { crowd, provision } from '../../lab/provision.js';
import { createWeb } from '../../web/server.js';
import { freshDatabase } from '../support/database.js';
import { allReadable, enter } from '../support/doors/event-feed.js';
import { Listener } from '../support/doors/event-stream.js';
import { Link } from '../support/link.js';
import { bodyFor, pathOf, routesOf, type Route } from '../support/doors/routes.js';
import { bearer, metricsToken, tokenOf } from '../support/doors/web.js';
import { eventStreamsDefaults } from '../../web/event-streams.js';

/** The API while its way to PostgreSQL is cut. */
const { db, url } = await freshDatabase(t);
await provision(db, crowd(2));
await enter(db, 1);
const token = await tokenOf(db, 'astercc', 'administrator');
const { hostname, port } = new URL(url);
const link = await Link.to({ host: hostname, port: Number(port) });
const behind = new URL(url);
behind.port = String(link.near.port);
const own = connect(behind.href, patient);
const routes: Route[] = [];
const lines: string[] = [];
const web = await createWeb(own, pino({}, { write: (line: string) => void lines.push(line) }), {
  version: '0',
  requestsPerMinute: 1_000_000,
  streams: { ...eventStreamsDefaults, everyMs: 20, retryMs: 20 },
  metrics: { forMs: 0, token: metricsToken },
  onRoute: routesOf(routes),
});
t.teardown(async () => {
  await web.close();
  await own.destroy();
  await link.close();
});
const address = await web.listen({ host: '127.0.0.1', port: 0 });
const events = `${address}/v1/teams/astercc/events`;
const values = { team: 'astercc', agent: '1001', group: 'support' };
/** What is answered without a database: what is of the process, and what is the same for everybody. */
const isWithout = ({ path }: Route): boolean =>
  ['/livez', '/metrics', '/v1/openapi.json', '/agent', '/board'].includes(path) || path.startsWith('/pages/');

async function ask(route: Route) {
  // Wants one of two names, which its schema does not say.
  const body =
    route.path === '/v1/tokens' ? { team: 'astercc', agent: '1001', password: 'any' } : bodyFor(route);
  return web.inject({
    method: route.method as 'GET',
    url: pathOf(route, values),
    headers: {
      ...bearer(route.path === '/metrics' ? metricsToken : token),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  });
}

await t.test('every route says so and when to come back, streams say so and go on', async (t) => {
  // Else the stream would be told of the sign-in, too, while another test's transaction holds it back.
  await allReadable(db);
  const listener = await Listener.open(events, token);
  await pauseAgent(db, 'astercc', '1001', undefined);
  await listener.has(1);
  link.cut();
  await until('the word of it', () => (listener.heard.at(-1)?.event === 'away' ? true : undefined));
  const wanted = (route: Route): string => (isWithout(route) ? '200' : '503 database_unreachable, after 5 s');
  const answers = await Promise.all(
    routes.map(async (route) => {
      const { statusCode, headers, body } = await ask(route);
      const says =
        statusCode === 503
          ? `503 ${(JSON.parse(body) as { code: string }).code}, after ${String(headers['retry-after'])} s`
          : String(statusCode);
      return `${route.name}: ${says}`;
    }),
  );
  t.same(
    answers,
    routes.map((route) => `${route.name}: ${wanted(route)}`),
  );
  t.match((await web.inject({ url: '/metrics', headers: bearer(metricsToken) })).body, /^star64_db_up 0$/m);
  const stream = await fetch(events, { headers: { ...bearer(token), accept: 'text/event-stream' } });
  t.same([stream.status, stream.headers.get('retry-after')], [503, '5'], 'no stream is opened');
  await readyAgent(db, 'astercc', '1001');
  t.equal(listener.events.length, 1);
  link.mend();
  const [, back] = await listener.has(2);
  t.match(JSON.parse(back?.data ?? ''), { state: 'idle' }, 'what has happened meanwhile');
  t.same(
    listener.heard.map(({ event }) => event),
    ['hello', 'agent.state', 'away', 'back', 'agent.state'],
  );
  t.notOk(listener.ended, 'on the same connection');
  const again = await web.inject({ url: '/v1/teams/astercc/agents', headers: bearer(token) });
  t.equal(again.statusCode, 200);
  listener.close();
});

await t.test('a mistake of ours in a statement is none of the database, and is logged', async (t) => {
  await db.raw('alter table webhook_deliveries rename column made_at to made');
  t.match((await web.inject({ url: '/metrics', headers: bearer(metricsToken) })).body, /^star64_db_up 1$/m);
  await until('the line', () => lines.find((line) => /"level":50.*a fault of star64/.test(line)));
  await db.raw('alter table webhook_deliveries rename column made to made_at');
  const text = await until('the figures', async () => {
    const { body } = await web.inject({ url: '/metrics', headers: bearer(metricsToken) });
    return body.includes('star64_agents{') ? body : undefined;
  });
  t.match(text, /^star64_db_up 1$/m);
});
