import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { crowd } from '../../../lab/caller.js';
import { freePort } from '../../../domain/machine/ports.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd as team } from '../../../lab/provision.js';
import { LabServer } from '../../../lab/server.js';
import { Conversation, waitCall } from '../../support/calls.js';
import { centreOf, dialAndHear, serversSay, statesOf, waitMembers, waitState } from '../../support/centre.js';
import { FaultyServer } from '../../support/processes/faulty-server.js';

/** The calls of a second, if the machine carries more than twice as many. */
const mostRate = 50;
const shareOfCarried = 0.4;
const seconds = 15;
const killEveryMs = 4000;

const groups = ['support', 'sales'].map((name) => ({ name, wrapUp: 'answer', wrapUpSeconds: 0 }));
const centre = await centreOf(t, team(2, { groups }), {
  servers: 2,
});
const { asterisk, db, servers } = centre;
const [first, second] = servers as [LabServer, LabServer];

/** A call shows who sent it there: the servers say sales, the generated files support. */
await serversSay(centre, '600100', 'sales');

function port(server: LabServer): number {
  return Number(server.address.split(':')[1]);
}

/** Kills one server after the other, and starts it again, until the signal; resolves with how often. */
async function killInTurn(signal: AbortSignal): Promise<number> {
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  let pause = sleep(killEveryMs);
  for (let kills = 0; ; kills++) {
    await Promise.race([pause, aborted]);
    const victim = servers[kills % servers.length];
    if (signal.aborted || !victim) return kills;
    pause = sleep(killEveryMs);
    await victim.kill();
    await victim.start();
  }
}

/** How many calls per second this machine carries at this moment, with both servers well: more come at once than it can. */
async function carried(): Promise<number> {
  const total = 150;
  const burst = await crowd({
    to: '600100',
    server: asterisk.sip,
    from: '556',
    rate: 2 * total,
    total,
    holdMs: 1,
  });
  return total / burst.seconds;
}

await t.test(`calls come in while one of two servers is killed every 4 s: none fails`, async (t) => {
  const most = await carried();
  const rate = Math.max(1, Math.min(mostRate, Math.floor(most * shareOfCarried)));
  t.comment(`${Math.round(most)} calls per second are carried, ${rate} come`);
  const mark = await asterisk.verbose.mark();
  const over = new AbortController();
  const killing = killInTurn(over.signal);
  const total = rate * seconds;
  const result = await crowd({
    to: '600100',
    server: asterisk.sip,
    rate,
    total,
    // The groups are empty, so that Asterisk ends each call after a second: sipp stumbles when both hang up in one instant.
    holdMs: 30_000,
    patienceMs: 60_000,
  });
  over.abort();
  const kills = await killing;
  t.match(result, { successful: total, failed: 0, timedOut: 0, responses: {} }, 'none failed');
  t.ok(kills >= servers.length, `${kills} times a server was killed`);

  // Callers have numbers of sipp's: those of the burst another one.
  const entered = (await asterisk.queueLog())
    .map((line) => line.split('|'))
    .filter(([, , , , event, , caller = '']) => event === 'ENTERQUEUE' && caller.startsWith('555'));
  t.equal(new Set(entered.map(([, uniqueid]) => uniqueid)).size, total, 'every call reached a queue');
  const fallback = entered.filter(([, , queue]) => queue === 'astercc-support').length;
  const sentOn = (await asterisk.verbose.lines())
    .slice(mark)
    .filter((line) => / AGI\(/.test(line) && line.includes(`${second.address}/`)).length;
  t.comment(
    `${sentOn} calls were sent on to the second server, ${fallback} needed the fallback; ${JSON.stringify(result)}`,
  );
  t.ok(fallback <= sentOn / 2, 'and whom the first did not answer, the second did');

  await until(
    'the end of every call in the database',
    async () => ((await db('calls').whereNull('ended_at')).length === 0 ? true : undefined),
    90_000,
  );
  const rows = await db('calls').select<{ did: string | null; uniqueid: string }[]>('did', 'uniqueid');
  t.comment(
    `${rows.length} in the database, ${rows.filter(({ did }) => did === null).length} without their DID`,
  );
});

for (const who of ['another server', 'the same server'] as const) {
  await t.test(`asked again because the answer was lost, ${who} does nothing twice`, async (t) => {
    await first.stop();
    const listener = { env: centre.env, dir: dirname(first.log.path), agiPort: await freePort() };
    const behind = who === 'the same server' ? second : new LabServer(listener);
    if (behind !== second) {
      t.teardown(() => behind.stop());
      await behind.start();
    }
    const faulty = new FaultyServer(port(first));
    t.teardown(() => faulty.stop());
    await faulty.loseAnswersOf({ host: '127.0.0.1', port: port(behind) });

    const phone = await centre.phone('5001');
    const [signIns, states] = [await db('sign_ins'), await statesOf(centre, '1001')];
    const mark = await asterisk.verbose.mark();
    await dialAndHear(centre, phone, '*641001', 'agent-loginok');
    t.equal((await db('sign_ins')).length, signIns.length + 1, 'one sign-in');
    await waitMembers(centre, 'astercc-sales', ['1001']);

    const calls = await db('calls');
    const talk = await Conversation.begin(centre, phone);
    await waitState(centre, '1001', 'talking');
    await talk.end();
    await waitState(centre, '1001', 'wrap-up');
    await waitCall(centre, talk.call, { did: '600100', outcome: 'answered', agent: '1001', open: false });
    t.equal((await db('calls')).length, calls.length + 1, 'one call');

    await dialAndHear(centre, phone, '*67', 'activated');
    await waitMembers(centre, 'astercc-sales', ['1001']);
    await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
    await waitMembers(centre, 'astercc-sales', []);
    t.same(
      await asterisk.played(phone.user, mark),
      ['agent-loginok', 'activated', 'agent-loggedoff'],
      'heard',
    );
    // The server that has just taken over may see the call when it is answered already.
    const since = (await statesOf(centre, '1001')).slice(states.length);
    t.same(
      since.filter((state) => state !== 'ringing'),
      ['idle', 'talking', 'wrap-up', 'idle'],
      'each state once',
    );
    t.ok(since.filter((state) => state === 'ringing').length <= 1, 'ringing, too');
    t.equal(faulty.asked, 4, 'every answer was lost once');
    const said = [...(await second.log.lines()), ...(await behind.log.lines())];
    t.notOk(
      said.some((line) => line.includes('could not be recorded')),
      'and every call recorded',
    );
  });
}
