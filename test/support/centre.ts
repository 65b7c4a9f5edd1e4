import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import { Centre, type CentreOptions } from '../../lab/centre.js';
import type { PhoneEvent } from '../../lab/baresip.js';
import type { Phone } from '../../lab/phone.js';
import { provision, type TeamFixture } from '../../lab/provision.js';
import { until } from '../../domain/machine/processes.js';
import { requireLab } from './lab.js';
import { copiedPostgres } from './migrated-postgres.js';
import { troublesOf } from './warnings.js';

/** Ends the test file as skipped, with the reason, where the lab cannot be had; see `requireLab`. */
export async function needLab(t: Test): Promise<void> {
  const skipped = await requireLab();
  if (skipped === false) return;
  t.plan(0, skipped);
  process.exit(0);
}

/**
 * A running call centre for a test file, ended with it. What went wrong inside is shown when the test fails. Its prompts are
 * brief, so that nobody waits for their end; a test that listens to them says otherwise.
 */
export async function centreFor(t: Test, options: CentreOptions): Promise<Centre> {
  const centre = await Centre.start({
    postgres: copiedPostgres,
    ...options,
    asterisk: { briefPrompts: true, ...options.asterisk },
  });
  t.teardown(async () => {
    if (!t.passing()) {
      for (const server of centre.servers) {
        t.comment(
          `log of the server ${server.address}:\n${(await server.log.lines()).slice(-40).join('\n')}`,
        );
      }
      t.comment(`log of Asterisk:\n${(await centre.asterisk.logText()).slice(-4000)}`);
    }
    await centre.stop();
  });
  return centre;
}

/**
 * As `centreFor`, with this team in it; the file ends as skipped where the lab cannot be had. `provision` adds what else
 * is wanted.
 */
export async function centreOf(
  t: Test,
  team: TeamFixture,
  { provision: more, ...options }: Partial<CentreOptions> = {},
): Promise<Centre> {
  await needLab(t);
  return centreFor(t, {
    ...options,
    provision: async (db) => {
      await provision(db, team);
      await more?.(db);
    },
  });
}

/** The phone of an agent of `crowd`, who has signed in at it: agent 1001 at 5001. */
export async function signedInPhone(centre: Centre, agent: string): Promise<Phone> {
  const phone = await centre.phone(`5${agent.slice(1)}`);
  await dialAndHear(centre, phone, `*64${agent}`, 'agent-loginok');
  return phone;
}

/** Dials, waits until each prompt has been played to the phone, in this order, and until this call has ended. */
export async function dialAndHear(
  centre: Centre,
  phone: Phone,
  number: string,
  ...prompts: string[]
): Promise<void> {
  let from = await centre.asterisk.verbose.mark();
  await phone.dial(number);
  for (const prompt of prompts) from = await centre.asterisk.waitPlayed(phone.user, prompt, from);
  // The end of an earlier call, which nobody has waited for, is another one.
  while (!(await phone.closed()).peeruri?.startsWith(peerOf(number)));
}

/** What the address of a number begins with in the events of a phone that has dialled it. */
const peerOf = (number: string): string => `sip:${number.replaceAll('#', '%23')}@`;

/**
 * Dials, keys digits each time when their prompt plays, waits until the call has ended by itself, and returns all that
 * was played to the phone in it.
 */
export async function dialled(
  centre: Centre,
  phone: Phone,
  number: string,
  ...keyed: (readonly [prompt: string, keys: string])[]
): Promise<string[]> {
  const start = await centre.asterisk.verbose.mark();
  const events = phone.events.length;
  await phone.dial(number);
  // What is told of another call at that phone may come in between.
  const peer = peerOf(number);
  const ownEvents = (): PhoneEvent[] =>
    phone.events.slice(events).filter((event) => event.peeruri?.startsWith(peer));
  await until(`${phone.user} to be answered at ${number}`, () =>
    ownEvents().find(({ type }) => /^CALL_(ESTABLISHED|CLOSED)$/.test(type)),
  );
  let from = start;
  for (const [prompt, keys] of keyed) {
    from = await centre.asterisk.waitPlayed(phone.user, prompt, from);
    await phone.digits(keys);
  }
  await until(
    `the end of the call to ${number} from ${phone.user}`,
    () => ownEvents().find((event) => event.type === 'CALL_CLOSED'),
    30_000,
  );
  await logged(centre);
  return centre.asterisk.played(phone.user, start);
}

/** Waits until Asterisk's log has all that was said up to now: its lines are written one after the other, a moment later. */
export async function logged({ asterisk }: Centre): Promise<void> {
  const from = await asterisk.verbose.mark();
  await asterisk.console('dialplan set global LAB_LOGGED 1');
  await asterisk.verbose.waitFor(/Setting global variable 'LAB_LOGGED'/, from);
}

/** Stops the server that leads (SIGSTOP) while it does nothing: what it waited for meanwhile would be late. */
export async function freezeAtRest({ asterisk, server }: Centre): Promise<void> {
  const tick = /Setting global variable 'STAR64_LEASE' to '[1-9]/;
  for (;;) {
    const from = await asterisk.verbose.mark();
    const renewed = await asterisk.verbose.waitFor(tick, from);
    // The rest of a tick is a matter of milliseconds, and the next one begins a second after it.
    await sleep(400);
    server.freeze();
    const since = (await asterisk.verbose.lines()).slice(from).filter((line) => tick.test(line));
    if (since.at(-1) === renewed) return;
    server.thaw();
  }
}

/** Sends a DID to another group, without `generate`: the servers say so, the generated files still what was before. */
export async function serversSay(centre: Centre, did: string, group: string): Promise<void> {
  await centre.star64('did', 'set', did, '--to', `group:${group}`);
  await Promise.all(centre.servers.map((server) => server.stop()));
  await Promise.all(centre.servers.map((server) => server.start()));
}

/** What the guard of the dialplan did, from a place in Asterisk's log on. */
export interface Guarded {
  /** The seconds that it gave each server that it asked. */
  given: number[];
  /** How many of them it left because their time was over: what somebody waited at most is known by that. */
  left: number;
}

export async function guarded(centre: Centre, from: number): Promise<Guarded> {
  const steps = (await centre.asterisk.verbose.lines()).slice(from);
  const given = steps.flatMap(
    (line) => / Executing \[s@star64-ask:\d+\] .*next.*TIMEOUT\(absolute\)=(\d+)/.exec(line)?.[1] ?? [],
  );
  const left = steps.filter((line) => / Executing \[T@star64-ask:1\] /.test(line)).length;
  return { given: given.map(Number), left };
}

/** The states of an agent's intervals, oldest first. */
export async function statesOf(centre: Centre, agent: string, team = 'astercc'): Promise<string[]> {
  const { rows } = await centre.db.raw<{ rows: { state: string }[] }>(
    `select s.state from agent_states s join agents a on a.id = s.agent_id join teams t on t.id = s.team_id
     where t.identity = ? and a.number = ? order by s.id`,
    [team, agent],
  );
  return rows.map(({ state }) => state);
}

/** The state of an agent now; `signed-out` without an open sign-in. */
export async function stateOf(centre: Centre, agent: string, team = 'astercc'): Promise<string> {
  const { rows } = await centre.db.raw<{ rows: { state: string }[] }>(
    `select s.state from agent_states s join agents a on a.id = s.agent_id join teams t on t.id = s.team_id
     where t.identity = ? and a.number = ? and s.ended_at is null`,
    [team, agent],
  );
  return rows[0]?.state ?? 'signed-out';
}

/** Fails unless the states of an agent behind the first `from` come to be these: each is written a moment after its event. */
export async function sameStates(
  t: Test,
  centre: Centre,
  agent: string,
  from: number,
  wanted: readonly string[],
  message = 'the states',
): Promise<void> {
  const since = async (): Promise<string[]> => (await statesOf(centre, agent)).slice(from);
  await until(`${agent} to have been ${wanted.join(', ')}`, async () =>
    isDeepStrictEqual(await since(), wanted) ? true : undefined,
  ).catch(() => undefined);
  const is = await since();
  const why = isDeepStrictEqual(is, wanted) ? '' : await troublesOf(centre.servers);
  t.same(is, wanted, `${message}${why}`);
}

/** Waits until the database says that the agent is in this state. */
export async function waitState(
  centre: Centre,
  agent: string,
  state: string,
  deadlineMs = 30_000,
  team = 'astercc',
): Promise<void> {
  await until(
    `agent ${agent} to be ${state}`,
    async () => ((await stateOf(centre, agent, team)) === state ? true : undefined),
    deadlineMs,
  );
}

/** Names and pauses of the members of a queue as Asterisk has them: `1001`, or `1001 paused:wrapup`. */
export async function membersOf(centre: Centre, queue: string): Promise<string[]> {
  const text = await centre.asterisk.console(`queue show ${queue}`);
  return [...text.matchAll(/^ +(\S+) \((?:PJSIP|Local)\/[^)]+\)(.*)$/gm)]
    .map(([, name = '', rest = '']) => {
      const paused = /\(paused(?::(.*?))? was /.exec(rest);
      return paused ? `${name} paused:${paused[1] ?? ''}` : name;
    })
    .sort();
}

/** Waits until the queue has exactly these members; each is a name, or a pattern for name and pause. */
export async function waitMembers(
  centre: Centre,
  queue: string,
  wanted: readonly (string | RegExp)[],
  deadlineMs = 30_000,
): Promise<void> {
  await until(
    `the members ${wanted.join(', ')} of ${queue}`,
    async () => {
      const members = await membersOf(centre, queue);
      const fits = (member: string, pattern: string | RegExp | undefined): boolean =>
        typeof pattern === 'string' ? member === pattern : (pattern?.test(member) ?? false);
      return members.length === wanted.length && members.every((member, index) => fits(member, wanted[index]))
        ? true
        : undefined;
    },
    deadlineMs,
  );
}

/** Waits until Asterisk knows that an agent is free at a SIP phone: a call that it makes before is nobody's. */
export async function waitKnown({ asterisk }: Centre, extension: string, team = 'astercc'): Promise<void> {
  const phone = `${team}-${extension}`;
  await until(`Asterisk to know who is at ${phone}`, async () => {
    const lamps = await asterisk.console('devstate list');
    const mark = await asterisk.console(`database get CustomPresence star64-direct-${phone}`);
    return new RegExp(`'Custom:star64-${phone}' +State: 'NOT_INUSE'`).test(lamps) && /^Value:/m.test(mark)
      ? true
      : undefined;
  });
}

/** Makes every sign-in older than the seconds in which it cannot be moved. */
export async function ageSignIns({ db }: Centre): Promise<void> {
  await db.raw(`with i as (update sign_ins set signed_in_at = signed_in_at - interval '1 minute' where signed_out_at is null
    returning id) update agent_states s set started_at = started_at - interval '1 minute' from i where s.sign_in_id = i.id
    and s.id = (select min(id) from agent_states f where f.sign_in_id = i.id)`);
}

/** Every hole, overlap or open end in the intervals of the sign-ins: none, if the database is right. */
export async function gaps(centre: Centre): Promise<unknown[]> {
  const { rows } = await centre.db.raw<{ rows: unknown[] }>(`
    with s as (
      select sign_in_id, id, state, started_at, ended_at,
        lag(ended_at) over w as before, lead(id) over w as next
      from agent_states window w as (partition by sign_in_id order by id))
    select s.*, i.signed_in_at, i.signed_out_at from s join sign_ins i on i.id = s.sign_in_id
    where (before is null and started_at <> signed_in_at) or before <> started_at
      or (next is not null and ended_at is null)
      or (next is null and ended_at is distinct from signed_out_at)`);
  return rows;
}
