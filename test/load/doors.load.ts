import { performance } from 'node:perf_hooks';
import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { quantiles, short } from '../bench/numbers.js';
import { freshDatabase } from '../support/database.js';
import { Listener } from '../support/doors/event-stream.js';
import { bearer, metricsToken, tokenOf } from '../support/doors/web.js';
import { WebProcess } from '../support/processes/web-process.js';

/**
 * 200 clients of the stream of a real `star64 web`, 20 of which read nothing: the others are told each event, the process keeps
 * little for the frozen ones and cuts them off, and they miss nothing when they come back. The small form, with causes and no times, is
 * test/web/streams.test.ts.
 */
const { db, url } = await freshDatabase(t);
await provision(db, crowd(2));
const web = await WebProcess.start(t, url);
const events = `${web.url}/v1/teams/astercc/events`;
// A token has 20 streams at most.
const tokens = await Promise.all(
  Array.from({ length: 10 }, (_, at) => tokenOf(db, 'astercc', 'reader', `load_${'abcdefghij'.charAt(at)}`)),
);
const listeners = await Promise.all(
  Array.from({ length: 200 }, (_, at) => Listener.open(events, tokens[at % 10] ?? '')),
);
const frozen = listeners.filter((_, at) => at % 10 === 0);
const awake = listeners.filter((_, at) => at % 10 > 0);
const figure = async (name: string): Promise<number> => {
  const text = await (await fetch(`${web.url}/metrics`, { headers: bearer(metricsToken) })).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
};

let written = 0;
/** So many events, one each `everyMs`, each with the moment at which it is written. */
async function write(count: number, everyMs: number, size: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await db.raw(
      `select write_event(t.id, 'numbered', 'call.arrived', now(), json_build_object('id', 'n-' || ?::text, 'team', t.identity,
         'call', ?::text, 'caller', ?::text, 'group', null, 'outcome', null, 'told', ?::double precision))
       from teams t where t.identity = 'astercc'`,
      [String(++written), String(written), 'x'.repeat(size), performance.now()],
    );
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
const numbers = (heard: readonly { data: string }[]): number[] =>
  heard.map(({ data }) => Number((JSON.parse(data) as { call: string }).call));
const wanted = (): number[] => Array.from({ length: written }, (_, at) => at + 1);

await t.test('20 frozen among 200: each event to the others, in order', async (t) => {
  for (const listener of frozen) listener.freeze();
  const delays: number[] = [];
  for (const listener of awake)
    listener.onEvent = ({ data }) => {
      const { told } = JSON.parse(data) as { told: number };
      delays.push(performance.now() - told);
    };
  await write(300, 50, 200);
  await Promise.all(awake.map((listener) => listener.has(300)));
  for (const listener of awake) t.same(numbers(listener.events), wanted());
  const { p50, p99, max } = quantiles(delays);
  t.comment(
    `from the write to 180 clients: p50 ${short(p50)} ms, p99 ${short(p99)} ms, longest ${short(max)} ms`,
  );
});

await t.test(
  'what is kept for the frozen ones is little, and they are cut off; then they miss nothing',
  async (t) => {
    for (const listener of awake) listener.onEvent = undefined;
    for (const listener of awake.slice(1)) listener.close();
    const before = await figure('process_resident_memory_bytes');
    // 20 of them with more than the kernel keeps: without a bound the process would hold hundreds of megabytes.
    await write(400, 0, 60_000);
    await awake[0]?.has(written);
    // Figures are five seconds old at most.
    const unread = await until('what is unread to be told', async () => {
      const bytes = await figure('star64_event_streams_unread_bytes');
      return bytes > 0 ? bytes : undefined;
    });
    const grown = (await figure('process_resident_memory_bytes')) - before;
    t.comment(`${short(unread / 1e6)} MB unread, the process has grown by ${short(grown / 1e6)} MB`);
    // A megabyte, and the piece of a hundred events at most that is sent before it is looked at again.
    t.ok(unread < frozen.length * 7_100_000, `${unread} bytes unread`);
    awake[0]?.close();
    await until(
      'the frozen ones to be cut off',
      async () => ((await figure('star64_event_streams')) === 0 ? true : undefined),
      150_000,
    );
    for (const [at, listener] of frozen.entries()) {
      listener.thaw();
      await until('the end of what the kernel kept', () => (listener.ended ? true : undefined), 120_000);
      const { events: first } = listener;
      const again = await Listener.open(events, tokens[at % 10] ?? '', listener.lastId);
      const rest = await again.has(written - first.length);
      t.same(numbers([...first, ...rest]), wanted());
      again.close();
    }
  },
);
