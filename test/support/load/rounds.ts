import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { gaps } from '../centre.js';
import { play, type Round, type Size } from './round.js';
import type { SeenCall } from './at-work.js';
import { agents, LoadSite } from './site.js';

/** Sizes of the three rounds. */
export interface Sizes {
  calm: Size;
  careless: Size;
  pulses: Size;
}

/**
 * One phone, one call, and the wrap-up after it, on the wire, in three rounds: a calm one; one in which app_queue offers
 * calls to phones that talk, so that nothing but the guard of the dialplan stands between; and one in which Asterisk,
 * the server and PostgreSQL stand still for moments, so that all news is late.
 */
export async function threeRounds(t: Test, sizes: Sizes): Promise<void> {
  const site = await LoadSite.start(t);
  const { centre } = site;

  await t.test('calm', async (t) => {
    const early = ['1001', '1010', '1020'];
    for (const agent of early) await site.pause(agent, 'idle');
    const of = 2 * (sizes.calm.patient + sizes.calm.hurried + sizes.calm.impatient);
    let hasty = 0;
    const begun = site.connected;
    const answered = (share: number): Promise<true> =>
      until(`${share} of the calls`, () => (site.connected - begun >= share * of ? true : undefined), 60_000);
    const round = await play(site, '551', sizes.calm, async () => {
      await answered(0.2);
      await Promise.all(early.map((agent) => site.back(agent)));
      const later = ['1002', '1011', '1019'];
      await Promise.all(later.map((agent) => site.pause(agent, 'wrap-up')));
      await answered(0.5);
      await Promise.all(later.map((agent) => site.back(agent)));
      // The hurried may all have given up before somebody was there for them.
      hasty = await site.hasty('5519');
    });
    await promised(t, round);
    await recorded(t, site, round);
    for (const crowd of round.crowds) t.match(crowd, { failed: 0, responses: {} }, 'no call was lost');
    t.equal(new Set(round.entered).size, of + hasty);
    const ends = [...round.outcomes.values()];
    t.ok(
      round.joined.length >= of - 2 * (sizes.calm.impatient + 10),
      'everybody who was ready to wait was answered',
    );
    t.ok(ends.includes('abandoned'), 'some gave up');
    t.ok(
      round.endedByCaller > 0 && round.endedByCaller < round.joined.length,
      'calls were ended from both sides',
    );
    const { rows: peaks } = await centre.db.raw<{ rows: { peak: number }[] }>(
      `select max((select count(*) from calls o where c.arrived_at >= o.arrived_at and c.arrived_at < o.ended_at)) as peak
       from calls c`,
    );
    t.ok((peaks[0]?.peak ?? 0) > agents.length, 'there were more callers than agents at a time');
  });

  await t.test('app_queue does not look whether a phone is in use', async (t) => {
    await site.careless(true);
    const isTaken = / app_stack\.c: .* Abnormal 'Gosub\(star64-/;
    const takenBack = async (): Promise<number> =>
      (await centre.asterisk.logText()).split('\n').filter((line) => isTaken.test(line)).length;
    const before = await takenBack();
    const round = await play(site, '552', sizes.careless);
    await site.careless(false);
    await promised(t, round);
    await recorded(t, site, round);
    const taken = (await takenBack()) - before;
    t.ok(taken > round.joined.length / 2, `${taken} attempts were ended before the INVITE`);
  });

  await t.test('Asterisk, the server and PostgreSQL stand still for moments', async (t) => {
    const round = await play(site, '553', sizes.pulses, async (over) => {
      const [asterisk, server, postgres] = [centre.asterisk, centre.server, centre.postgres];
      await Promise.all([
        pulse(asterisk, 1200, 1300, over),
        pulse(server, 700, 2900, over),
        pulse(postgres, 500, 4100, over),
      ]);
    });
    await promised(t, round);
  });

  await t.test('who was joined to whom, as the phones saw it', async (t) => {
    const seen = await site.stop();
    t.equal(site.lost, 0, 'nothing was missed');
    const rows = await centre
      .db('calls as c')
      .join('queue_visits as v', 'v.call_id', 'c.id')
      .join('agents as a', 'a.id', 'v.agent_id')
      .select<{ agent: string; caller: string }[]>('a.number as agent', 'c.caller');
    const between = (agent: string, caller: string): SeenCall[] =>
      seen.find((one) => one.agent === agent)?.calls.filter((call) => call.caller === caller) ?? [];
    const log = await centre.asterisk.queueLog();
    const unseen = rows.flatMap(({ agent, caller }) => {
      const calls = between(agent, caller);
      if (calls.some(({ talkedAt }) => talkedAt !== undefined)) return [];
      const entered = log.find((line) => line.includes('|ENTERQUEUE|') && line.split('|')[6] === caller);
      const told = log.filter((line) => line.split('|')[1] === entered?.split('|')[1]);
      return [`${agent} with ${caller}, where the phone saw ${JSON.stringify(calls)}: ${told.join(' ; ')}`];
    });
    t.same(unseen, []);
  });

  await t.test('the states of every agent follow each other without a gap', async (t) => {
    t.same(await gaps(centre), []);
    t.same(
      (await centre.server.log.lines()).filter((line) => /"level":(50|60)/.test(line)),
      [],
    );
  });

  /** What holds in every round, whatever the machine does. */
  async function promised(t: Test, round: Round): Promise<void> {
    const { verdict, joined, wrapUps } = round;
    t.comment(
      `${verdict.invites} calls to phones for ${round.entered.length} callers: ${joined.length} conversations; ${verdict.withdrawn.length} sent while the one before could not be cancelled yet; shortest rest ${verdict.shortestRest.toFixed(3)} s`,
    );
    t.ok(joined.length > 0 && verdict.invites >= joined.length, 'there was something to judge');
    t.same(verdict.breaches, [], 'no phone was sent a call while it had one');
    t.same(verdict.shortRests, [], 'none was cut short of its wrap-up');
    t.same(verdict.inPause, [], 'or sent a call in a pause');
    const talks = new Set(joined);
    t.same(
      wrapUps.filter((offer) => !talks.has(offer)),
      [],
      'no wrap-up without a conversation',
    );
    t.same(site.wrapUpsAgain, [], 'nor twice after the same');
    const recorded = await offersIn('wrap-up', round);
    t.same(
      recorded.filter((offer, index) => !talks.has(offer) || recorded.indexOf(offer) !== index),
      [],
      'nor does the database have such a one',
    );
  }

  /** The offers of all intervals in a state since a round began. */
  async function offersIn(state: string, { since }: Round): Promise<string[]> {
    const rows = centre.db('agent_states').where({ state }).where('id', '>', since.state);
    return (await rows.pluck<(string | null)[]>('offer_id')).map(String);
  }

  /** The database has every wrap-up once, and none but those. */
  async function recorded(t: Test, site: LoadSite, round: Round): Promise<void> {
    const { db } = site.centre;
    t.same(round.wrapUps.sort(), [...round.joined].sort(), 'one wrap-up after every conversation');
    for (const state of ['talking', 'wrap-up']) {
      const offers = await offersIn(state, round);
      t.same(offers.sort(), [...round.joined].sort(), `${state}, in the database`);
    }
    const rows = await db('calls as c')
      .leftJoin('queue_visits as v', 'v.call_id', 'c.id')
      .leftJoin('agents as a', 'a.id', 'v.agent_id')
      .where('c.id', '>', round.since.call)
      .select<{ uniqueid: string; outcome: string; agent: string | null }[]>(
        'c.uniqueid',
        'c.outcome',
        'a.number as agent',
      );
    const ends = rows.map(({ uniqueid, outcome, agent }): [string, string] => [
      uniqueid,
      agent === null ? outcome : `${outcome} ${agent}`,
    ]);
    const sorted = (entries: Iterable<[string, string]>): [string, string][] => [...entries].sort();
    t.same(sorted(ends), sorted(round.outcomes), 'queue_log and the database agree on each call');
  }
}

/** Stops something for a while, and lets it go on for another, again and again. */
async function pulse(
  what: { freeze(): void; thaw(): void },
  stillMs: number,
  runningMs: number,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    what.freeze();
    await sleep(stillMs);
    what.thaw();
    await sleep(runningMs, undefined, { signal: over }).catch(() => undefined);
  }
}
