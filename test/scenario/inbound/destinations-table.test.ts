import t, { type Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { parseDestination, destinationKinds } from '../../../domain/destination.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { announcements } from '../../../domain/provisioning/features/announcement.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { features } from '../../../domain/provisioning/features/feature-code.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { addHours, allHours } from '../../../domain/provisioning/features/hours.js';
import { menus } from '../../../domain/provisioning/features/menu.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { addRoom } from '../../../domain/provisioning/features/room.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, waitMembers } from '../../support/centre.js';
import {
  lastCall,
  recordedCalls,
  sameCalls,
  waitRecorded,
  waitNothingLeft,
  type RecordedCall,
} from '../../support/phones/recorded-calls.js';
import { trunkSection } from '../../support/phones/telephone.js';

/**
 * Every kind of destination by each way in which star64 can be away: where a caller ends and what they hear, which is never
 * silence, and what is recorded of it.
 */
const faults = ['none', 'server hangs', 'PostgreSQL dead', 'server dead'] as const;
type Fault = (typeof faults)[number];

/** What a caller gets: a phone that answers, sounds, or the end of the call by a SIP answer. */
interface Gets {
  rings?: string;
  hears?: readonly string[];
  ends?: RegExp;
}
interface Row extends Gets {
  to: string;
  /** What it is instead, by what is away. */
  when?: Partial<Record<Fault, Gets>>;
  /** What a server that answers records, beside that the DID led there; null: it is no call of a customer. */
  records: Partial<Omit<RecordedCall, 'did'>> | null;
  /** The test that has the cells of a dead server. */
  elsewhere?: 'destinations' | 'call-agent';
}

const outside = '+4915112345678';
const away = { hears: ['vm-theperson', 'digits/5', 'digits/0', 'digits/0', 'digits/9'] };
const nobody = { hears: ['vm-nobodyavail'] };
const sorry = { hears: ['sorry', 'please-try-call-later'] };
const answeredBy = (by: string, more: Partial<RecordedCall> = {}) => ({ outcome: 'answered', by, ...more });
/** Nobody was to be called: the way of the call ended there. */
const letGo = (...steps: string[]) => ({ outcome: 'unknown', endedBy: 'system', steps });
const table: readonly Row[] = [
  { to: 'extension:5001', rings: '5001', records: answeredBy('5001') },
  { to: 'extension:5009', ...away, records: { outcome: 'unreachable' } },
  {
    to: 'agent:1002',
    rings: '5002',
    when: { 'server hangs': nobody, 'PostgreSQL dead': nobody },
    records: answeredBy('1002'),
    elsewhere: 'destinations',
  },
  { to: 'agent:1005', ...nobody, records: { outcome: 'nobody' } },
  { to: 'agent:2001', rings: '5003', records: answeredBy('2001'), elsewhere: 'destinations' },
  { to: 'ring-group:701', rings: '5004', records: answeredBy('5004', { steps: ['ring-group 701'] }) },
  {
    to: 'group:support',
    rings: '5005',
    records: answeredBy('2002', { visits: ['support: answered'] }),
    elsewhere: 'destinations',
  },
  { to: 'hours:always', rings: '5006', records: answeredBy('5006', { steps: ['hours extension:5006'] }) },
  {
    to: 'hours:never',
    hears: ['vm-sorry'],
    records: letGo('hours announcement:sorry', 'announcement sorry'),
  },
  {
    to: 'announcement:closed',
    hears: ['vm-goodbye', 'vm-goodbye'],
    records: letGo('announcement closed'),
    elsewhere: 'destinations',
  },
  {
    to: 'menu:welcome',
    hears: ['beep', 'vm-sorry'],
    records: letGo('menu timeout', 'announcement sorry'),
    elsewhere: 'destinations',
  },
  {
    to: `outside:${outside}`,
    rings: outside,
    records: { outcome: 'answered' },
    elsewhere: 'destinations',
  },
  // Who is alone there is told so.
  { to: 'room:801', hears: ['conf-onlyperson'], records: { outcome: 'unknown', steps: ['room'] } },
  { to: 'hangup:busy', ends: /^486/, records: letGo(), elsewhere: 'destinations' },
  {
    to: 'feature:sign-in',
    ...sorry,
    when: { none: { hears: ['beeperr', 'privacy-unident'] } },
    records: null,
  },
  {
    to: 'feature:call-agent',
    hears: ['vm-enter-num-to-call', 'astcc-followed-by-the-pound-key'],
    records: { outcome: 'abandoned' },
    elsewhere: 'call-agent',
  },
];
const didOf = (row: Row): string => String(600200 + table.indexOf(row));

const address = '127.0.0.89';
const ports = await PortBlock.reserve('phone');
t.teardown(() => ports.release());
const groups = [{ name: 'support', number: '6000', wrapUp: 'off', missedLimit: 0 }];
const centre = await centreOf(t, crowd(6, { groups }), {
  asterisk: { extra: { 'pjsip.conf': trunkSection('provider.1', address, ports.first) } },
  provision: async (db) => {
    const team = 'astercc';
    await addTrunk(db, team, { name: 'provider', endpoint: 'provider.1' });
    await setTeam(db, team, { trunk: 'provider' });
    await addExtension(db, team, { number: '5009', user: 'crowd' });
    await addGroup(db, team, { name: 'others', number: '6001' });
    const fixed = { user: 'crowd', kind: 'fixed' };
    await addAgent(db, team, { number: '2001', groups: ['others'], extension: '5003', ...fixed });
    await addAgent(db, team, { number: '2002', groups: ['support'], extension: '5005', ...fixed });
    await addRingGroup(db, team, { number: '701', members: ['5004'] });
    await announcements.add(db, team, 'closed', { sound: 'vm-goodbye', times: 2 });
    await announcements.add(db, team, 'sorry', { sound: 'vm-sorry' });
    const sorry = 'announcement:sorry';
    await menus.add(db, team, 'welcome', { sound: 'beep', seconds: 1, tries: 1, timeout: sorry });
    await addHours(db, team, { name: 'always', week: ['mon-sun 00:00-24:00'] });
    await addHours(db, team, { name: 'never', openOn: ['2020-01-01 09:00-10:00'] });
    for (const [name, open, closed] of [
      ['always', 'extension:5006', sorry],
      ['never', 'extension:5006', sorry],
    ] as const)
      await allHours.set(db, team, name, { open, closed });
    await addRoom(db, team, { number: '801', tones: true });
    for (const row of table) await addDid(db, team, { number: didOf(row), to: row.to });
  },
});
const { asterisk, db, postgres, server } = centre;
const phones = new Map<string, Phone>();
for (const extension of ['5001', '5002', '5003', '5004', '5005', '5006'])
  phones.set(extension, await centre.phone(extension, { mode: 'auto' }));
const mobile = await Phone.start({ user: outside, address, ports, server: asterisk.sip, mode: 'auto' });
t.teardown(() => mobile.stop());
phones.set(outside, mobile);
await signInAgent(db, 'astercc', '1002', { extension: '5002', by: 'test' });
await waitMembers(centre, 'astercc-support', ['1002', '2002']);
await centre.star64('agent', 'pause', '1002');
await waitMembers(centre, 'astercc-support', [/^1002 paused/, '2002']);

/** What is played to the caller of a DID, from a place in Asterisk's log on. */
async function heard(did: string, from: number): Promise<string[]> {
  const lines = (await asterisk.verbose.lines()).slice(from);
  const begun = new RegExp(` Executing \\[${did}@astercc-inbound:1\\] \\w+\\("(PJSIP/lab-trunk-[0-9a-f]+)"`);
  const channel = lines.flatMap((line) => begun.exec(line)?.[1] ?? [])[0];
  if (channel === undefined) return [];
  const playing = new RegExp(`<${channel}> Playing '([^']+?)(?:\\.[a-z0-9]+)?' `);
  return lines.flatMap((line) => playing.exec(line)?.[1] ?? []);
}

async function cell(t: Test, row: Row, fault: Fault): Promise<void> {
  const { rings, hears, ends } = row.when?.[fault] ?? row;
  const phone = phones.get(rings ?? '');
  const seen = phone?.events.length ?? 0;
  const from = await asterisk.verbose.mark();
  const caller = await callIn(centre, didOf(row));
  if (phone) {
    await phone.event(/^CALL_ESTABLISHED$/, { from: seen, deadlineMs: 40_000 });
    await caller.hangup();
    await phone.event(/^CALL_CLOSED$/, { from: seen });
    t.pass(`${row.to}, ${fault}: ${rings} answers`);
  } else if (hears) {
    const sounds = await until(
      `what the caller of ${row.to} hears (${fault})`,
      async () => {
        const all = await heard(didOf(row), from);
        return all.length >= hears.length ? all : undefined;
      },
      40_000,
    );
    t.same(sounds.slice(0, hears.length), hears, `${row.to}, ${fault}: heard`);
    // Whoever is let go hears everything, and hangs up no sooner.
    await (row.records?.endedBy === 'system' ? caller.ended() : caller.hangup());
  } else {
    t.match(await caller.ended(), ends, `${row.to}, ${fault}: the answer`);
  }
}

const begin: Record<Fault, () => Promise<void> | void> = {
  none: () => undefined,
  'server hangs': () => server.freeze(),
  'PostgreSQL dead': () => postgres.halt(),
  'server dead': () => server.kill(),
};
const end: Record<Fault, () => Promise<void> | void> = {
  none: () => undefined,
  'server hangs': () => server.thaw(),
  'PostgreSQL dead': () => postgres.restart(),
  'server dead': () => server.start(),
};

/** What is recorded of the whole table by a server that answers. */
const recorded = table.flatMap((row) =>
  row.records === null
    ? []
    : {
        ...{ did: didOf(row), outcome: null, by: null, endedBy: null, visits: [], ...row.records },
        steps: [`did ${row.to}`, ...(row.records.steps ?? [])],
      },
);

await t.test('there is a row for each kind of destination', (t) => {
  const kinds = table.map(({ to }) => parseDestination('destination', to, features).kind);
  t.same([...new Set(kinds)].sort(), [...destinationKinds].sort());
  t.end();
});

for (const fault of faults) {
  await t.test(`what callers get, and what is recorded: ${fault}`, async (t) => {
    const before = await lastCall(centre);
    await begin[fault]();
    const rows = table.filter(({ elsewhere }) => elsewhere === undefined || fault !== 'server dead');
    await Promise.all(rows.map((row) => cell(t, row, fault)));
    await end[fault]();
    // Of what came and went with no server alive nothing says by which DID it came.
    if (fault !== 'server dead') await waitRecorded(centre, before, recorded.length);
    await waitNothingLeft(centre);
    if (fault === 'none') return sameCalls(t, centre, before, recorded);
    // Where they went is known; what became of them, nobody may have seen. But nothing false is said of it.
    for (const { did, outcome, steps } of await recordedCalls(centre, before)) {
      const [row, usual] = [table.find((row) => didOf(row) === did), recorded.find((one) => one.did === did)];
      t.ok(steps.includes(`did ${row?.to}`), `${row?.to}, ${fault}: leads there`);
      const truth = [
        usual?.outcome,
        'unknown',
        'nobody',
        ...(usual?.outcome === 'answered' ? [] : ['abandoned']),
      ];
      t.ok(truth.includes(outcome), `${row?.to}, ${fault}: ${outcome}`);
    }
  });
}
