import { pino } from 'pino';
import t from 'tap';
import { crowd } from '../../lab/caller.js';
import { until } from '../../domain/machine/processes.js';
import { crowd as team, provision } from '../../lab/provision.js';
import { transition } from '../../domain/presence/agent-state.js';
import { openSignIn } from '../../domain/presence/open-sign-in.js';
import { ready } from '../../domain/presence/pause.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { atWork } from '../support/at-work.js';
import { centreFor, gaps, needLab, waitState } from '../support/centre.js';
import { OfferWatch } from '../support/offers.js';

const wrapUpSeconds = 2;
const agents = Array.from({ length: 20 }, (_, index) => String(1001 + index));
/** The first 12 take support's calls, the last 12 those of sales: four of them both. */
const groupsOf = (agent: string): string[] => [
  ...(Number(agent) <= 1012 ? ['support'] : []),
  ...(Number(agent) >= 1009 ? ['sales'] : []),
];

await needLab(t);

const centre = await centreFor(t, {
  provision: async (db) => {
    const common = { wrapUp: 'answer', wrapUpSeconds, ringSeconds: 3 };
    const fixture = team(agents.length, {
      groups: [
        { name: 'support', strategy: 'rrmemory', ...common },
        { name: 'sales', strategy: 'ringall', ...common },
      ],
    });
    const members = fixture.agents.map((agent) => ({ ...agent, groups: groupsOf(agent.number) }));
    const dids = ['support', 'sales'].map((group, index) => ({ number: `60010${index}`, group }));
    await provision(db, { ...fixture, agents: members, dids });
  },
  asterisk: { extra: { 'manager.conf': '[general](+)\ntimestampevents = yes' } },
});
const { asterisk, db } = centre;

const phones = await Promise.all(agents.map((agent) => centre.phone(`5${agent.slice(1)}`)));
await Promise.all(
  phones.map(async (phone, index) => {
    await phone.dial(`*64${agents[index] ?? ''}`);
    await phone.closed();
    await waitState(centre, agents[index] ?? '', 'idle');
  }),
);
const watch = await OfferWatch.start(
  t,
  centre,
  // The pause begins a few milliseconds before the channel is gone, and so ends before 2 s of its absence are over.
  wrapUpSeconds - 0.5,
);
const membership = new QueueMembership(db, watch.manager, pino({ enabled: false }));
const over = new AbortController();
const working = Promise.all(
  phones.map((phone, index) =>
    atWork(
      phone,
      {
        // Some pick up at once, some after a while; the fourth lets every third call ring until it goes elsewhere.
        answerMs: index === 3 ? [60, 60, Infinity] : [0, 40 * (index % 6), 400 - 40 * (index % 7)],
        talkMs: [1200, 1000, 850, 1300, 1100],
      },
      over.signal,
    ),
  ),
);

/** Lets the agent pause: from idle before any call is there, or out of a wrap-up. */
async function pause(agent: string): Promise<void> {
  await until(
    `agent ${agent} to be free to pause`,
    async () => {
      const signIn = await openSignIn(db, 'astercc', { agent });
      const open = await db('agent_states')
        .where({ sign_in_id: signIn?.id, ended_at: null })
        .first<{ id: number; state: string; offerId: string | null } | undefined>(
          'id',
          'state',
          'offer_id as offerId',
        );
      if (!signIn || open?.state !== (waiting ? 'wrap-up' : 'idle')) return undefined;
      // The pause goes on from the wrap-up's, which names its offer.
      const details = { reason: 'break', ...(open.offerId !== null && { offerId: open.offerId }) };
      if (!(await transition(db, signIn.id, 'pause', details, { id: open.id }))) return undefined;
      await membership.sync(signIn);
      return true;
    },
    30_000,
  );
}

async function back(agent: string): Promise<void> {
  const result = await ready(db, 'astercc', { agent });
  if (result.outcome === 'ready') await membership.sync(result.signIn);
}

const early = ['1001', '1010', '1020'];
let waiting = false;
for (const agent of early) await pause(agent);
waiting = true;

const server = asterisk.sip;
const calls = { support: '600100', sales: '600101' };
const crowds = Promise.all([
  // Those who wait for as long as it takes: the agent ends the call.
  crowd({ to: calls.support, server, from: '551', total: 110, rate: 3, holdMs: 60_000 }),
  crowd({ to: calls.sales, server, from: '552', total: 110, rate: 3, holdMs: 60_000 }),
  // The hurried come while agents are free, and hang up in the call.
  crowd({ to: calls.support, server, from: '553', total: 10, rate: 5, holdMs: 900 }),
  crowd({ to: calls.sales, server, from: '554', total: 10, rate: 5, holdMs: 900 }),
  // The impatient find everybody busy, and give up.
  crowd({ to: calls.support, server, from: '555', total: 30, rate: 1, holdMs: 5000 }),
  crowd({ to: calls.sales, server, from: '556', total: 30, rate: 1, holdMs: 3000 }),
]);
const pauses = (async (): Promise<void> => {
  await until('a third of the calls', () => (watch.connected.size >= 60 ? true : undefined), 60_000);
  await Promise.all(early.map(back));
  const later = ['1002', '1011', '1019'];
  await Promise.all(later.map(pause));
  await until('two thirds of the calls', () => (watch.connected.size >= 150 ? true : undefined), 60_000);
  await Promise.all(later.map(back));
})();
const results = await crowds;
await pauses;
over.abort();
const seen = (await working).map((calls, index) => ({ agent: agents[index] ?? '', calls }));
for (const agent of agents) await waitState(centre, agent, 'idle');
await until('the end of every call', async () => {
  const open = await db('calls').whereNull('ended_at');
  return open.length === 0 ? true : undefined;
});

/** What became of a call, as `answered 1001` or `abandoned`. */
const logged = new Map<string, string>();
const entered: string[] = [];
let endedByCaller = 0;
for (const line of await asterisk.queueLog()) {
  const [, uniqueid = '', , agent = '', event = ''] = line.split('|');
  if (event === 'ENTERQUEUE') entered.push(uniqueid);
  if (event === 'COMPLETECALLER') endedByCaller++;
  if (event === 'CONNECT') logged.set(uniqueid, `answered ${agent}`);
  else if (/^(ABANDON|EXIT|FULL|SYSCOMPAT)/.test(event) && !logged.has(uniqueid))
    logged.set(uniqueid, event === 'ABANDON' ? 'abandoned' : event);
}
const answered = [...logged.values()].filter((outcome) => outcome.startsWith('answered')).length;
const abandoned = logged.size - answered;
t.comment(
  `${watch.offers} offers for ${entered.length} calls: ${answered} answered (${endedByCaller} ended by the caller), ${abandoned} abandoned; ${watch.wrapUps.size} wrap-ups`,
);

await t.test('no agent was offered a call in wrap-up, in a pause or in a call', (t) => {
  t.equal(watch.lost, 0, 'nothing was missed');
  t.equal(watch.connected.size, answered, 'the watch saw every answered call');
  t.ok(watch.offers >= answered, 'and the offers');
  t.same(watch.wrong, []);
  t.end();
});

await t.test('the phones saw the same', async (t) => {
  const rows = await db('calls as c')
    .join('queue_visits as v', 'v.call_id', 'c.id')
    .join('agents as a', 'a.id', 'v.agent_id')
    .select<{ agent: string; caller: string }[]>('a.number as agent', 'c.caller');
  const recorded = new Set(rows.map(({ agent, caller }) => `${agent} with ${caller}`));
  const talks = seen.flatMap(({ agent, calls }) =>
    calls
      .filter(({ talkedAt }) => talkedAt !== undefined)
      .map((call) => ({ ...call, who: `${agent} with ${call.caller}` })),
  );
  const talked = new Set(talks.map(({ who }) => who));
  t.same(
    [...recorded].filter((who) => !talked.has(who)),
    [],
    'those whom the database connected talked',
  );
  // Who picks up in the moment in which a colleague does, or the caller gives up, is cut off at once, and in no wrap-up.
  const cutOff = talks.filter(({ who }) => !recorded.has(who));
  t.same(
    cutOff.filter(({ byAgent }) => byAgent),
    [],
    'and the database has all who talked',
  );
  t.comment(`${talks.length} times a phone was picked up, ${cutOff.length} times too late`);

  const wrong = seen.flatMap(({ agent, calls }) => {
    // A caller may ring more than once at the same phone; he talks the last time.
    const last = new Map(calls.map((call) => [call.caller, call]));
    return calls.flatMap(({ caller, rangAt }, index) =>
      calls.slice(0, index).flatMap((before) => {
        const { closedAt = Infinity } = before;
        const talked = last.get(before.caller) === before && recorded.has(`${agent} with ${before.caller}`);
        // Half of the wrap-up: this process may learn late of the end of a call. An offer that is taken back and the next
        // one may cross on their way; Asterisk's own order is what the watch has looked at.
        const rest = talked ? (wrapUpSeconds * 1000) / 2 : -250;
        return rangAt < closedAt + rest
          ? [`${caller} rang at ${agent} ${rangAt - closedAt} ms after ${before.caller}`]
          : [];
      }),
    );
  });
  t.same(wrong, [], 'no phone rang in a call or after it');
});

await t.test('no call was lost, and queue_log and the database agree on each', async (t) => {
  for (const result of results) t.match(result, { failed: 0, responses: {} });
  t.equal(new Set(entered).size, 300);
  t.ok(answered >= 220, 'everybody who was ready to wait was answered');
  t.ok(abandoned > 0, 'some gave up');
  t.ok(endedByCaller > 0 && endedByCaller < answered, 'and calls were ended from both sides');
  const { rows: peaks } = await db.raw<{ rows: { peak: number }[] }>(
    `select max((select count(*) from calls o where c.arrived_at >= o.arrived_at and c.arrived_at < o.ended_at)) as peak
     from calls c`,
  );
  t.ok((peaks[0]?.peak ?? 0) > agents.length, 'there were more callers than agents at a time');
  const rows = await db('calls as c')
    .leftJoin('queue_visits as v', 'v.call_id', 'c.id')
    .leftJoin('agents as a', 'a.id', 'v.agent_id')
    .select<{ uniqueid: string; outcome: string; agent: string | null }[]>(
      'c.uniqueid',
      'c.outcome',
      'a.number as agent',
    );
  const recorded = rows.map(({ uniqueid, outcome, agent }): [string, string] => [
    uniqueid,
    agent === null ? outcome : `${outcome} ${agent}`,
  ]);
  const sorted = (entries: Iterable<[string, string]>): [string, string][] => [...entries].sort();
  t.same(sorted(recorded), sorted(logged));
  const gaveUp = new Set(
    [...logged].filter(([, outcome]) => outcome === 'abandoned').map(([uniqueid]) => uniqueid),
  );
  const patient = await db('calls')
    .whereIn('uniqueid', [...gaveUp])
    .where((or) => void or.where('caller', 'like', '551%').orWhere('caller', 'like', '552%'));
  t.same(patient, [], 'nobody gave up who would have waited');
});

await t.test('every answered call gave exactly one wrap-up, of its full time', async (t) => {
  t.same([...watch.wrapUps.keys()].sort(), [...watch.connected.keys()].sort(), 'as Asterisk paused them');
  const short = [...watch.wrapUps.values()].filter(
    ({ from, to = 0, intoBreak }) => !intoBreak && to - from < wrapUpSeconds,
  );
  t.same(short, [], 'by the clock of Asterisk');
  const offersIn = async (state: string): Promise<string[]> =>
    (await db('agent_states').where({ state }).pluck<(string | null)[]>('offer_id')).map(String).sort();
  t.same(
    await offersIn('talking'),
    [...watch.connected.keys()].sort(),
    'every conversation is in the database',
  );
  t.same(await offersIn('wrap-up'), [...watch.connected.keys()].sort(), 'and the wrap-up after it');
});

await t.test('the states of every agent follow each other without a gap', async (t) => {
  t.same(await gaps(centre), []);
  t.same(
    (await centre.server.log.lines()).filter((line) => /does not follow|"level":(50|60)/.test(line)),
    [],
    'and in an order that makes sense',
  );
});
