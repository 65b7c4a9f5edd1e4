/** In a process of its own: 200 listeners to the streams of `star64 web`, a scrape a second, and ten events a second, while told to. */
import { connect } from '../../domain/database/pool.js';
import { Listener } from '../support/doors/event-stream.js';
import { bearer, metricsToken, tokenOf } from '../support/doors/web.js';

const [, , databaseUrl = '', webUrl = ''] = process.argv;
const streams = 200;
/** As many as a token may have. */
const ofOne = 20;
const db = connect(databaseUrl, { max: 1 });
const tokens: string[] = [];
let open: Listener[] = [];
let timers: NodeJS.Timeout[] = [];
let events = 0;

/** A statement of knex is sent to who waits for it. */
async function happen(): Promise<void> {
  await db.raw(
    `select write_event(id, 'bench', 'call.arrived', now(),
       '{"id":"x","team":"t1","call":"c","caller":null,"group":null,"outcome":null}') from teams where identity = 't1'`,
  );
}

async function begin(): Promise<void> {
  if (tokens.length === 0)
    for (let at = 0; at < streams / ofOne; at++)
      tokens.push(await tokenOf(db, 't1', 'reader', `bench_${'abcdefghij'.charAt(at)}`));
  open = await Promise.all(
    Array.from({ length: streams }, (_, at) =>
      Listener.open(`${webUrl}/v1/teams/t1/events`, tokens[at % tokens.length] ?? ''),
    ),
  );
  for (const listener of open) listener.onEvent = () => events++;
  timers = [
    setInterval(
      () =>
        void fetch(`${webUrl}/metrics`, { headers: bearer(metricsToken) }).then((answer) => answer.text()),
      1000,
    ),
    setInterval(() => void happen(), 100),
  ];
}

function rest(): void {
  timers.forEach(clearInterval);
  for (const listener of open) listener.close();
  open = [];
}

process.on('message', (word) => {
  void (async () => {
    if (word === 'begin') await begin();
    else rest();
    process.send?.({ events });
  })();
});
process.on('disconnect', () => {
  rest();
  void db.destroy();
});
process.send?.('here');
