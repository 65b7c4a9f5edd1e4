import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import type { Phone } from '../../../lab/phone.js';
import { gaps, waitState } from '../centre.js';
import { atTheKeys, Chance } from '../phones/keying-phone.js';
import { Hearing } from './random-hearing.js';
import { aroundCaller } from './random-silence.js';
import { RandomSite } from './random-site.js';
import { judge } from '../wire/judge.js';
import { logWire, phonesOnWire } from '../wire/log.js';
import { noWarnings } from '../warnings.js';

export interface RandomSize {
  /** Calls in all: of customers, and of phones that call by themselves. */
  calls: number;
  /** How many customers there are, who call again and again. */
  customers: number;
  /** How often a server is killed, and started again. */
  kills: number;
  /** Without one, or with `STAR64_KEYS_SEED`, it is that: what is keyed is the same then, but never when. */
  seed?: number;
}

/** Where customers call. */
const dids = ['600100', '600100', '600101', '600200', '600500', '600700'];

/** A server that is dead, and numbers that nobody may be sent to. */
const expected =
  / res_agi\.c: (Connecting to|Couldn't connect)| res_pjsip_refer\.c: .* target does not exist/;

/** For how many looks, 0.4 s each, a customer may hear nothing: somebody is called, a word is over, two change places. */
const mostSilentLooks = 20;

/**
 * Calls of every kind in which everybody keys what they like, while servers are killed: nobody is offered a call who talks or
 * is in wrap-up, no customer is left in silence, and nothing is left over.
 */
export async function randomKeys(t: Test, { calls, customers, kills, ...given }: RandomSize): Promise<void> {
  const seed = Number(process.env['STAR64_KEYS_SEED'] ?? given.seed ?? Date.now() % 1_000_000);
  t.comment(`STAR64_KEYS_SEED=${seed}`);
  const site = await RandomSite.start(t, customers);
  const { centre } = site;
  const { asterisk, db } = centre;
  const phones = await phonesOnWire(asterisk);
  phones.set(site.mobilePlace, 'Local/7000@astercc-telephones');
  const wire = await logWire(asterisk, 'random');
  const over = new AbortController();
  let begun = 0;
  const alone: { from: number; to: number }[] = [];
  /** Whether somebody may still begin a call. */
  const next = (): boolean => begun < calls && ++begun > 0;

  const working = site.keying.map(({ name, phone, keys }, index) =>
    atTheKeys(phone, keys, new Chance(seed, index), next, over.signal).catch((error: unknown) => {
      throw new Error(`${name}: ${String(error)}`, { cause: error });
    }),
  );
  const heard: string[] = [];
  const calling = site.customers.map((phone, index) =>
    callAgain(phone, new Chance(seed, 100 + index), `customer ${index}`),
  );
  const killing = killServers();
  const called = await Promise.allSettled([...calling, killing]);
  over.abort();
  const results = [...called, ...(await Promise.allSettled(working))];
  t.same(
    results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
    [],
    'everybody could do what they wanted',
  );

  t.same(heard, [], 'no customer is left in silence');
  await until(
    'no channel to be left',
    async () => ((await channels()).length === 0 ? true : undefined),
    40_000,
  ).catch(() => undefined);
  t.same(await channels(), [], 'no channel is left over');
  for (const agent of site.agents) await waitState(centre, agent, 'idle', 40_000);
  for (const [table, open] of Object.entries({
    calls: 'ended_at',
    queue_visits: 'left_at',
    offers: 'ended_at',
    holds: 'ended_at',
    supervisions: 'ended_at',
  }))
    await until(
      `no row of ${table} to be open`,
      async () => ((await db(table).whereNull(open)).length === 0 ? true : undefined),
      40_000,
    ).catch(async () => t.same(await db(table).whereNull(open), [], `no row of ${table} is left open`));
  t.same(await gaps(centre), [], 'the states of every agent follow each other without a gap');

  const offers = await site.offers();
  const log = (await asterisk.queueLog()).map((line) => line.split('|'));
  const callers = new Map(
    log.flatMap(([, id = '', , , event, , caller = '']) => (event === 'ENTERQUEUE' ? [[id, caller]] : [])),
  );
  const joined = new Set(
    log.flatMap(([, id = '', , agent = '', event]) =>
      event === 'CONNECT' ? [`${site.phoneOf(agent)} ${callers.get(id) ?? ''}`] : [],
    ),
  );
  const verdict = judge(await wire(), { phones, joined, restSeconds: 2, offers, alone });
  t.comment(
    `${begun} calls, ${verdict.invites} to phones, ${offers.length} of them offers, ${joined.size} pairs joined by a queue`,
  );
  t.ok(joined.size > 0, 'there was something to judge');
  t.same(verdict.breaches, [], 'no phone was sent a call while it had one');
  t.same(verdict.shortRests, [], 'nobody was offered one in their wrap-up');
  await noWarnings(t, asterisk, expected);

  /** A customer calls again and again, and listens all the time. */
  async function callAgain(phone: Phone, chance: Chance, name: string): Promise<void> {
    while (next()) {
      const from = phone.events.length;
      const to = chance.of(dids);
      await phone.dial(to);
      const event = async (type: RegExp): Promise<boolean> =>
        await Promise.resolve(phone.events.slice(from).some((one) => type.test(one.type)));
      await until(`${name} to be answered`, async () =>
        (await event(/^CALL_(ESTABLISHED|CLOSED)$/)) ? true : undefined,
      );
      const hearing = new Hearing(phone);
      let around: Promise<string> | undefined;
      const looks = chance.between(12, 45);
      for (let look = 0; look < looks && !(await event(/^CALL_CLOSED$/)); look++) {
        await sleep(400);
        await hearing.look();
        if (hearing.row > mostSilentLooks) around ??= aroundCaller(asterisk, phone.user).catch(String);
      }
      if (hearing.longest > mostSilentLooks) {
        heard.push(`${name}, who called ${to}, heard nothing for ${hearing.longest} looks`);
        t.comment(`${heard.at(-1) ?? ''}: ${hearing.looks}\n${(await around) ?? ''}`);
      }
      if (!(await event(/^CALL_CLOSED$/))) await phone.hangup().catch(() => undefined);
      await until(`${name} to be out of the call`, async () =>
        (await event(/^CALL_CLOSED$/)) ? true : undefined,
      );
    }
  }

  async function killServers(): Promise<void> {
    for (let kill = 1; kill <= kills; kill++) {
      await until('enough calls', () => (begun >= (kill * calls) / (kills + 1) ? true : undefined), 600_000);
      const time = { from: Date.now() / 1000, to: Infinity };
      alone.push(time);
      await centre.server.kill();
      await sleep(1500);
      const mark = await centre.server.log.mark();
      await centre.server.start();
      await centre.server.log.waitFor(/watching Asterisk/, mark);
      time.to = Date.now() / 1000;
    }
  }

  async function channels(): Promise<string[]> {
    const text = await asterisk.console('core show channels concise');
    return text.split('\n').filter((line) => /^(PJSIP|Local)\/(?!watch@)/.test(line));
  }
}
