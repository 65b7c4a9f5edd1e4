import type { Test } from 'tap';
import { HoursClock } from '../../../domain/calls/routing/hours.js';
import { rowOf, rulesOf } from '../../../domain/hours-rules.js';
import { until } from '../../../domain/machine/processes.js';
import { addHours } from '../../../domain/provisioning/features/hours.js';
import { addTeam, setTeam } from '../../../domain/provisioning/team.js';
import { LabAsterisk } from '../../../lab/asterisk.js';
import { generate } from '../../../pbx/files/generate.js';
import { freshDatabase } from '../database.js';

/** Each in every team. */
const hours: Record<string, { week: string[]; openOn?: string[]; closedOn?: string[] }> = {
  pub: { week: ['mon-sun 18:00-02:30'] },
  early: { week: ['mon-sun 02:30-12:00,00:10-01:10'] },
  all: { week: ['mon-sun 00:00-24:00'] },
  parts: { week: ['mon-sun 00:00-02:00,02:00-02:20,02:40-03:00,23:15-23:45'] },
  office: {
    week: ['mon-fri 09:00-12:00,13:00-17:30', 'sat 22:00-04:00'],
    closedOn: ['2027-03-29..2027-03-31', '12-24..01-03', '2027-10-30'],
    openOn: ['2027-03-30 10:00-11:00', '12-31 09:00-12:00', '2027-01-02 23:00-01:00'],
  },
};
/** Of which team every minute is looked at, and from when to when. */
export interface Span {
  team: string;
  zone: string;
  from: string;
  to: string;
  /** The names of the hours. Default: all of them. */
  only?: string[];
}

/** The extension is team-hours-from-to; every change is a line in Asterisk's log. */
const minutes = `
[minutes]
exten => _[a-z].,1,MSet(TEAM=\${CUT(EXTEN,-,1)},HOURS=\${CUT(EXTEN,-,2)},STAR64_NOW=\${CUT(EXTEN,-,3)},LAST=closed)
 same => n(next),Gosub(\${TEAM}-open,\${HOURS},1)
 same => n,ExecIf($["\${GOSUB_RETVAL}" != "\${LAST}"]?Log(NOTICE,minutes \${EXTEN}: \${STAR64_NOW} \${GOSUB_RETVAL}.))
 same => n,MSet(LAST=\${GOSUB_RETVAL},STAR64_NOW=$[\${STAR64_NOW} + 60])
 same => n,GotoIf($[\${STAR64_NOW} < \${CUT(EXTEN,-,4)}]?next)
 same => n,Log(NOTICE,minutes \${EXTEN}: over.)
 same => n,Hangup()
`;

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 16);

const seconds = (text: string): number => Date.parse(text) / 1000;

function byServer(name: string, zone: string, from: number, to: number): string[] {
  const { week = [], openOn = [], closedOn = [] } = hours[name] ?? {};
  const rules = rulesOf([
    ...week.map((line) => rowOf('weekly', line)),
    ...openOn.map((line) => rowOf('open', line)),
    ...closedOn.map((line) => rowOf('closed', line)),
  ]);
  const clock = new HoursClock({ ...rules, timeZone: zone, position: 'automatic' });
  const found: string[] = [];
  let last = false;
  for (let at = from; at < to; at += 60) {
    const { open } = clock.stateAt(at * 1000);
    if (open !== last) found.push(`${open ? 'open' : 'closed'} ${iso(at)}`);
    last = open;
  }
  return found;
}

/**
 * The generated dialplan and the server agree on every minute: around the changes of clocks, over a new year. The
 * dialplan goes through the minutes by itself, with STAR64_NOW.
 */
export async function everyMinute(t: Test, spans: readonly Span[]): Promise<void> {
  const { db } = await freshDatabase(t);
  for (const { team, zone } of spans) {
    if (await db('teams').where({ identity: team }).first()) continue;
    await addTeam(db, team);
    await setTeam(db, team, { timeZone: zone });
    for (const [name, values] of Object.entries(hours)) await addHours(db, team, { name, ...values });
  }
  const generated = t.testdir();
  await generate(db, {
    directory: generated,
    servers: ['127.0.0.1:9'],
    token: 'minutes0000000000000000000000000',
    passwordDigest: true,
    node: 'default',
    nobodyAnswers: 'sorry',
  });
  const asterisk = await LabAsterisk.start({
    generated,
    verboseLog: false,
    extra: { 'extensions.conf': minutes },
  });
  t.teardown(() => asterisk.stop());

  /** What the dialplan finds: `open 2027-03-27T17:00`. */
  async function byDialplan(name: string, team: string, from: number, to: number): Promise<string[]> {
    const exten = `${team}-${name}-${from}-${to}`;
    await asterisk.console(`channel originate Local/${exten}@minutes/n application Wait 600`);
    return await until(
      `the minutes of ${exten}`,
      async () => {
        const text = await asterisk.logText();
        if (!text.includes(`minutes ${exten}: over.`)) return undefined;
        const found = text.matchAll(new RegExp(`minutes ${exten}: ([0-9]+) (open|closed)\\.`, 'g'));
        return [...found].map(([, at, state]) => `${state} ${iso(Number(at))}`);
      },
      120_000,
    );
  }

  for (const { team, zone, from, to, only = Object.keys(hours) } of spans)
    await t.test(`every minute from ${from} to ${to} in ${zone}`, async (t) => {
      for (const name of only) {
        const found = await byDialplan(name, team, seconds(from), seconds(to));
        t.same(found, byServer(name, zone, seconds(from), seconds(to)), name);
      }
    });

  await t.test('Europe/Berlin, 18:00-02:30, on the two days of the year 2027', async (t) => {
    const on = (day: string): Promise<string[]> =>
      byDialplan('pub', 'berlin', seconds(`${day}T00:00Z`), seconds(`${day}T03:00Z`));
    t.same(await on('2027-03-28'), ['open 2027-03-28T00:00', 'closed 2027-03-28T01:00']);
    t.same(await on('2027-10-31'), ['open 2027-10-31T00:00', 'closed 2027-10-31T01:30']);
  });
}
