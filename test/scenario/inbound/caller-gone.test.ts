import t, { type Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { announcements } from '../../../domain/provisioning/features/announcement.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { addHours, allHours } from '../../../domain/provisioning/features/hours.js';
import { menus } from '../../../domain/provisioning/features/menu.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, waitWaiting } from '../../support/calls.js';
import { centreOf, waitMembers } from '../../support/centre.js';
import {
  lastCall,
  recordedCalls,
  sameCalls,
  waitNothingLeft,
  waitRecorded,
} from '../../support/phones/recorded-calls.js';

/**
 * A caller hangs up, wherever they are, with star64 there and with a part of it away: nothing is left over of the call, and
 * the database says that they have given up, where a server could see it.
 */
const long = 'demo-instruct';

/** Where callers hang up: when this is played to them, or this phone rings, or they wait in the queue. */
interface Stage {
  to: string;
  at: { plays: string } | { rings: string } | 'waits';
  visits?: string[];
  steps?: string[];
}
const stages: readonly Stage[] = [
  { to: 'group:welcoming', at: { plays: 'demo-instruct' } },
  { to: 'announcement:news', at: { plays: 'demo-instruct' }, steps: ['announcement news'] },
  { to: 'menu:keys', at: { plays: 'demo-instruct' } },
  {
    to: 'hours:never',
    at: { plays: 'demo-instruct' },
    steps: ['hours announcement:news', 'announcement news'],
  },
  { to: 'extension:5001', at: { rings: '5001' } },
  { to: 'ring-group:701', at: { rings: '5002' }, steps: ['ring-group 701'] },
  { to: 'group:support', at: { rings: '5003' }, visits: ['support: abandoned'] },
  { to: 'group:busy', at: 'waits', visits: ['busy: abandoned'] },
  { to: 'menu:on', at: { rings: '5004' }, steps: ['menu timeout'] },
];
const didOf = (stage: Stage): string => String(600200 + stages.indexOf(stage));

const groups = ['support', 'busy'].map((name) => ({ name, wrapUp: 'off', missedLimit: 0 }));
const team = crowd(6, { groups });
const agents = team.agents.map((agent, index) => ({ ...agent, groups: [index === 5 ? 'busy' : 'support'] }));
const centre = await centreOf(
  t,
  { ...team, agents },
  {
    asterisk: { briefPrompts: [long] },
    provision: async (db) => {
      const team = 'astercc';
      await addGroup(db, team, { name: 'welcoming', number: '6009', greeting: long });
      await addRingGroup(db, team, { number: '701', members: ['5002'] });
      await announcements.add(db, team, 'news', { sound: long });
      await menus.add(db, team, 'keys', { sound: long, timeout: 'hangup:normal' });
      await menus.add(db, team, 'on', { sound: 'beep', seconds: 1, tries: 1, timeout: 'extension:5004' });
      await addHours(db, team, { name: 'never', openOn: ['2020-01-01 09:00-10:00'] });
      await allHours.set(db, team, 'never', { open: 'hangup:normal', closed: 'announcement:news' });
      for (const stage of stages) await addDid(db, team, { number: didOf(stage), to: stage.to });
    },
  },
);
const { asterisk, db, postgres, server } = centre;
for (const extension of ['5001', '5002', '5003', '5004', '5006']) await centre.phone(extension);
await signInAgent(db, 'astercc', '1003', { extension: '5003', by: 'test' });
await signInAgent(db, 'astercc', '1006', { extension: '5006', by: 'test' });
await waitMembers(centre, 'astercc-support', ['1003']);
await centre.star64('agent', 'pause', '1006');
await waitMembers(centre, 'astercc-busy', [/^1006 paused/]);

/** A caller comes to this stage, and hangs up there. */
async function hangsUp(stage: Stage): Promise<void> {
  const { at } = stage;
  const phone = at !== 'waits' && 'rings' in at ? await centre.phone(at.rings) : undefined;
  const from = await asterisk.verbose.mark();
  const caller = await callIn(centre, didOf(stage));
  if (at === 'waits') await waitWaiting(centre, 'astercc-busy', 1);
  else if (phone) await phone.incoming();
  else {
    const begun = new RegExp(` Executing \\[${didOf(stage)}@astercc-inbound:1\\] \\w+\\("(PJSIP/[^"]+)"`);
    const channel = begun.exec(await asterisk.verbose.waitFor(begun, from))?.[1] ?? '';
    await asterisk.verbose.waitFor(new RegExp(`<${channel}> Playing '${long}`), from);
  }
  await caller.hangup();
  await phone?.closed();
}

/** What a server that saw everything has recorded. */
const recorded = stages.map((stage) => ({
  ...{ did: didOf(stage), outcome: 'abandoned', by: null, endedBy: null, visits: stage.visits ?? [] },
  steps: [`did ${stage.to}`, ...(stage.steps ?? [])],
}));
const inAsterisk = async (t: Test): Promise<void> => {
  const channels = async (): Promise<string[]> =>
    (await asterisk.console('core show channels concise')).match(/^PJSIP\/\S+?(?=!)/gm) ?? [];
  await until('no channel to be left', async () => ((await channels()).length === 0 ? true : undefined));
  t.same((await asterisk.console('queue show')).match(/ has [1-9]\d* calls/g), null, 'nobody waits');
};

await t.test('with a server: given up, wherever it was', async (t) => {
  const before = await lastCall(centre);
  await Promise.all(stages.map(hangsUp));
  await sameCalls(t, centre, before, recorded);
  await waitNothingLeft(centre);
  const unreturned = await centre.star64('call', 'list', '--unreturned', '--json');
  t.match(JSON.parse(unreturned), { calls: [{ caller: '4930555', outcome: 'abandoned' }] });
});

await t.test('with PostgreSQL away: nothing is left, and they are recorded when it is back', async (t) => {
  const before = await lastCall(centre);
  await postgres.halt();
  await Promise.all(stages.map(hangsUp));
  await inAsterisk(t);
  await postgres.restart();
  await waitRecorded(centre, before, stages.length);
  await waitNothingLeft(centre);
  const calls = await recordedCalls(centre, before);
  for (const [index, { did, steps }] of recorded.entries()) t.match(calls[index], { did, steps: [steps[0]] });
  t.same(
    calls.filter(({ outcome }) => outcome !== 'abandoned' && outcome !== 'unknown'),
    [],
    'nobody is said to have been answered',
  );
});

await t.test('with no server: nothing is left; who still waits at its start is recorded', async (t) => {
  const before = await lastCall(centre);
  const known = await callIn(centre, '600204');
  const phone = await centre.phone('5001');
  await phone.incoming();
  await until('the call to be recorded', async () => ((await lastCall(centre)) > before ? true : undefined));
  await server.kill();
  await known.hangup();
  await phone.closed();
  await Promise.all(stages.map(hangsUp));
  await inAsterisk(t);
  const waiting = await callIn(centre, '600207');
  await waitWaiting(centre, 'astercc-busy', 1);
  await server.start();
  await until('who waits to be known', async () =>
    (await db('queue_visits').whereNull('left_at')).length === 1 ? true : undefined,
  );
  await waiting.hangup();
  await waitNothingLeft(centre);
  const calls = await recordedCalls(centre, before);
  t.match(calls, [
    { did: '600204', outcome: 'unknown' },
    { outcome: 'abandoned', visits: ['busy: abandoned'] },
  ]);
});
