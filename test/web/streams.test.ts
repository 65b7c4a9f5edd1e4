import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { removeApiToken } from '../../domain/provisioning/people/api-token.js';
import { pauseAgent, readyAgent } from '../../domain/provisioning/people/admin-action.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { allReadable, enter, feedMs } from '../support/doors/event-feed.js';
import { Listener, type Heard } from '../support/doors/event-stream.js';
import { apiOf, bearer, metricsToken, tokenOf } from '../support/doors/web.js';
import { patient } from '../../lab/patience.js';

const { db, url: databaseUrl } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(2, { team: 'other', did: '600200' }));
const token = await tokenOf(db, 'astercc', 'reader');
const stranger = await tokenOf(db, 'other', 'reader');
const streams = {
  everyMs: 20,
  retryMs: 20,
  beatMs: 60_000,
  mostBytes: 20_000,
  stallMs: 2000,
  tokensMs: 60_000,
  mostPerToken: 100,
  piece: 5,
};
await enter(db, 1);

/** So many changes of the agent's state. */
async function happen(count: number): Promise<void> {
  for (let at = 0; at < count; at += 2) {
    await pauseAgent(db, 'astercc', '1001', undefined);
    await readyAgent(db, 'astercc', '1001');
  }
}

/** What was before is read: a stream from now on would be told of it if somebody else still wrote what began before it. */
async function serve(t: Test, settings = streams) {
  await allReadable(db);
  const web = await apiOf(t, db, { streams: settings, metrics: { token: metricsToken } });
  const address = await web.listen({ host: '127.0.0.1', port: 0 });
  const at = (team: string): string => `${address}/v1/teams/${team}/events`;
  return { web, at };
}

/** Events with these numbers: each tenth is small, and of a type of its own. */
const write = (from: number, to: number) =>
  db.raw(
    `select write_event(t.id, 'numbered', case when n % 10 = 0 then 'call.ended' else 'call.arrived' end, now(),
       json_build_object('id', 'n-' || n, 'team', t.identity, 'call', n::text,
         'caller', case when n % 10 > 0 then ?::text end, 'group', null, 'outcome', null))
     from teams t, generate_series(${from}, ${to}) n where t.identity = 'astercc'`,
    ['x'.repeat(80_000)],
  );
const numbers = (heard: readonly Heard[]): number[] =>
  heard.map(({ data }) => Number((JSON.parse(data) as { call: string }).call));

/** How many bytes wait for those who do not read, and how many may wait for each of them. */
async function unread(web: FastifyInstance): Promise<number> {
  const { body } = await web.inject({ url: '/metrics', headers: bearer(metricsToken) });
  return Number(/^star64_event_streams_unread_bytes (.*)$/m.exec(body)?.[1]);
}
const mostUnread = streams.mostBytes + streams.piece * 81_000;

await t.test('what happens is told as it happens, to the team alone', async (t) => {
  const { at } = await serve(t);
  const [one, two, other] = await Promise.all([
    Listener.open(at('astercc'), token),
    Listener.open(`${at('astercc')}?types=call.arrived`, token),
    Listener.open(at('other'), stranger),
  ]);
  await happen(2);
  const events = await one.has(2);
  t.same(
    events.map(({ data }) => (JSON.parse(data) as { state: string }).state),
    ['paused', 'idle'],
  );
  t.match(JSON.parse(events[0]?.data ?? ''), {
    team: 'astercc',
    agent: '1001',
    previous_state: 'idle',
    cursor: events[0]?.id,
  });
  t.same([...two.events, ...other.events], []);
  for (const listener of [one, two, other]) listener.close();
});

await t.test('who comes back with the last cursor has missed nothing, also of another process', async (t) => {
  const first = await serve(t);
  const listener = await Listener.open(first.at('astercc'), token);
  await happen(6);
  const before = await listener.has(6);
  await first.web.close();
  await until('the end of the stream', () => (listener.ended ? true : undefined));
  await happen(4);
  const second = await serve(t);
  const again = await Listener.open(second.at('astercc'), token, listener.lastId);
  await happen(4);
  const after = await again.has(8);
  const ids = [...before, ...after].map(({ id }) => id);
  t.equal(new Set(ids).size, 14, 'each once');
  const page = await second.web.inject({
    url: `/v1/teams/astercc/events?after=${ids[0] ?? ''}&limit=13`,
    headers: bearer(token),
  });
  const { items, next_cursor: next } = page.json<{ items: { cursor: string }[]; next_cursor: string }>();
  t.same(
    items.map(({ cursor }) => cursor),
    ids.slice(1),
    'the same, read page by page',
  );
  t.equal(next, ids.at(-1));
  again.close();
});

await t.test(
  'listeners that do not read delay nobody, cost little, and miss nothing when they come back',
  async (t) => {
    // One that waits long for who does not read, and one that does not.
    const { at, web } = await serve(t, { ...streams, stallMs: 600_000 });
    const strict = await serve(t);
    const frozen = await Promise.all(
      [at, at, strict.at, strict.at].map((each) => Listener.open(each('astercc'), token)),
    );
    const awake = await Promise.all(
      Array.from({ length: 15 }, () => Listener.open(`${at('astercc')}?types=call.ended`, token)),
    );
    const all = await Listener.open(at('astercc'), token);
    // Of what is large more than the kernel keeps for a connection and we for a listener together.
    const count = 251;
    // Who has heard of the first, a small one, is told the others as they happen.
    await write(0, 0);
    await Promise.all([...frozen, ...awake, all].map((listener) => listener.has(1)));
    const began = all.lastId;
    for (const listener of frozen) listener.freeze();
    await write(1, count - 1);
    const wanted = Array.from({ length: count }, (_, at) => at);
    t.same(numbers(await all.has(count)), wanted, 'each once, in order');
    for (const listener of awake)
      t.same(
        numbers(await listener.has(Math.ceil(count / 10))),
        wanted.filter((n) => n % 10 === 0),
      );
    const held = await unread(web);
    t.ok(held > 0 && held <= 2 * mostUnread, `${held} bytes wait for those who do not read`);
    const [first, second, ...others] = frozen;
    first?.thaw();
    t.same(numbers((await first?.has(count)) ?? []), wanted, 'to who reads again');
    for (const listener of [...awake, all, first, second]) listener?.close();
    const connections = (): Promise<number> =>
      new Promise((resolve) => {
        strict.web.server.getConnections((_error, count) => resolve(count));
      });
    await until(
      `${others.length} connections to be cut off`,
      async () => ((await connections()) === 0 ? true : undefined),
      30_000,
    );
    const [late] = others;
    late?.thaw();
    await until('the end of what the kernel had kept', () => (late?.ended ? true : undefined));
    const before = late?.events ?? [];
    t.ok(before.length < count, `who never read has ${before.length}`);
    const again = await Listener.open(at('astercc'), token, late?.lastId);
    const after = await again.has(count - before.length);
    t.same(numbers([...before, ...after]), wanted, 'and the rest when they come back');
    again.close();

    // All of it takes some seconds: several times as long as somebody may read nothing.
    const slow = await serve(t, { ...streams, stallMs: 1000 });
    const standing = monitorEventLoopDelay();
    const sip = async (): Promise<number | undefined> => {
      standing.reset();
      const sipping = await Listener.open(slow.at('astercc'), token, began);
      sipping.sip(10);
      const all = (): boolean => sipping.events.length >= count - 1;
      await until('all events, or the end', () => (sipping.ended || all() ? true : undefined), feedMs);
      sipping.close();
      // Of a process that stood still meanwhile, this one, nobody has read anything: that says nothing.
      return all() || standing.max < 200e6 ? sipping.events.length : undefined;
    };
    standing.enable();
    t.equal(await until('a slow reader', sip, 2 * feedMs), count - 1, 'who reads slowly is not cut off');
    standing.disable();
  },
);

await t.test('what happens while somebody catches up comes no faster than they read, either', async (t) => {
  const { at, web } = await serve(t, { ...streams, stallMs: 600_000 });
  let [looked, told] = [false, 0];
  let goOn = (): void => undefined;
  const going = new Promise<void>((resolve) => (goOn = resolve));
  const next = Reflect.get(EventFeed.prototype, 'next');
  // The one reader reads on, and who catches up has their answer late.
  t.capture(EventFeed.prototype, 'next', async function (this: EventFeed) {
    const look = await next.call(this);
    const isOfAll = Reflect.get(this, 'teamId') === null;
    if (isOfAll) told += look.events.length;
    else {
      looked = true;
      await going;
    }
    return look;
  });
  const listener = await Listener.open(at('astercc'), token);
  listener.freeze();
  await until('their look', () => (looked ? true : undefined));
  await write(1, 250);
  await until('the one reader to tell', () => (told >= 250 ? true : undefined), feedMs);
  goOn();
  const held = await until('what does not fit any more', async () => (await unread(web)) || undefined);
  t.ok(held <= mostUnread, `${held} bytes wait`);
  listener.thaw();
  t.same(
    numbers(await listener.has(250)),
    Array.from({ length: 250 }, (_, at) => at + 1),
    'each once, in order',
  );
  listener.close();
});

await t.test('however many listen, one asks the database', async (t) => {
  await allReadable(db);
  const own = connect(databaseUrl, { ...patient, max: 3 });
  t.teardown(() => own.destroy());
  const web = await apiOf(t, own, { streams: { ...streams, tokensMs: 600_000 } });
  const address = await web.listen({ host: '127.0.0.1', port: 0 });
  const listeners = await Promise.all(
    Array.from({ length: 100 }, () => Listener.open(`${address}/v1/teams/astercc/events`, token)),
  );
  await happen(2);
  await Promise.all(listeners.map((listener) => listener.has(2)));
  type Query = { sql: string; __knexQueryUid: string };
  let [looks, most, others] = [0, 0, 0];
  // By name: the look that is on its way already is answered too.
  const onTheWay = new Set<string>();
  own.on('query', ({ sql, __knexQueryUid: id }: Query) => {
    if (!sql.includes('from events e')) others++;
    else {
      looks++;
      most = Math.max(most, onTheWay.add(id).size);
    }
  });
  own.on('query-response', (_answer, { __knexQueryUid: id }: Query) => onTheWay.delete(id));
  await until('ten looks', () => (looks >= 10 ? true : undefined));
  t.equal(others, 0, 'nothing else is asked meanwhile');
  await happen(2);
  await Promise.all(listeners.map((listener) => listener.has(4)));
  // However long another test holds the events back.
  t.equal(most, 1, 'one look at a time for 100 listeners');
  for (const listener of listeners) listener.close();
});

await t.test('cursors that are none', async (t) => {
  const { web } = await serve(t);
  const ask = (cursor: string) =>
    web.inject({ url: `/v1/teams/astercc/events?after=${cursor}`, headers: bearer(token) });
  t.match((await ask('x')).json(), { status: 422 });
  await db.raw('update event_log set removed_era = era, removed_xid = 1, removed_id = 1');
  t.match((await ask('0-1-0')).json(), { status: 410, code: 'cursor_too_old' });
});

await t.test('a stream ends with its token, and the others go on', async (t) => {
  const { at } = await serve(t, { ...streams, tokensMs: 20 });
  const [taken, ending] = await Promise.all(
    ['taken', 'ending'].map((name) => tokenOf(db, 'astercc', 'reader', name)),
  );
  const [one, two, lasting] = await Promise.all(
    [taken, ending, token].map((each) => Listener.open(at('astercc'), each ?? '')),
  );
  await removeApiToken(db, 'astercc', 'taken');
  await until('the end of its stream', () => (one?.ended ? true : undefined));
  t.notOk(two?.ended);
  await db('api_tokens')
    .where({ name: 'ending' })
    .update({ expires_at: db.raw('now()') });
  await until('the end of the other', () => (two?.ended ? true : undefined));
  await happen(2);
  await lasting?.has(2);
  lasting?.close();
});

await t.test('a token has so many streams and no more, another its own', async (t) => {
  const { at } = await serve(t, { ...streams, mostPerToken: 2 });
  const open = await Promise.all([1, 2].map(() => Listener.open(at('astercc'), token)));
  const answer = await fetch(at('astercc'), { headers: { ...bearer(token), accept: 'text/event-stream' } });
  t.match(await answer.json(), { status: 429, code: 'too_many_streams' });
  open.push(await Listener.open(at('other'), stranger));
  open[0]?.close();
  const again = await until('a place', () => Listener.open(at('astercc'), token).catch(() => undefined));
  for (const listener of [...open, again]) listener.close();
});

await t.test('a HEAD opens no stream, and types that there are not are named', async (t) => {
  const { web } = await serve(t);
  const headers = { ...bearer(token), accept: 'text/event-stream' };
  const head = await web.inject({ method: 'HEAD', url: '/v1/teams/astercc/events', headers });
  t.equal(head.statusCode, 404);
  for (const types of ['call.arrive', 'call.arrived,', '']) {
    const url = `/v1/teams/astercc/events?types=${types}`;
    t.match((await web.inject({ url, headers })).json(), {
      status: 422,
      detail: /agent\.state, .*call\.arrived/,
    });
  }
});
