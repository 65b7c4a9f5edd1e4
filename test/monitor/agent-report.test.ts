import t from 'tap';
import { reportAgents, reportAllAgents, type AgentReport } from '../../domain/monitor/agent-report.js';
import { momentIn } from '../../domain/provisioning/values/time.js';
import { pauseAgent } from '../../domain/provisioning/people/admin-action.js';
import { addAgent, removeAgent } from '../../domain/provisioning/people/agent.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import {
  addPauseReason,
  removePauseReason,
  setPauseReason,
} from '../../domain/provisioning/people/pause-reason.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { plansOf } from '../support/plans.js';
import { pastShift, type Past } from '../support/states.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(4));
await setTeam(db, 'astercc', { timeZone: 'Europe/Berlin' });

/** The report from one moment to another, in the zone of the team. */
const report = async (from: string, to: string, more: { agent?: string; group?: string } = {}) =>
  reportAllAgents(db, 'astercc', {
    since: await momentIn(db, 'astercc', { at: from }),
    until: await momentIn(db, 'astercc', { at: to }),
    ...more,
  });
const none: Omit<AgentReport, 'agent' | 'name'> = {
  signedInSeconds: 0,
  idleSeconds: 0,
  ringingSeconds: 0,
  talkingSeconds: 0,
  wrapUpSeconds: 0,
  pausedSeconds: 0,
  pauses: [],
};
const day: Past[] = [
  ['idle', '2025-11-24T08:00:00Z', '2025-11-24T08:10:00Z'],
  ['ringing', '2025-11-24T08:10:00Z', '2025-11-24T08:10:05.4Z'],
  ['talking', '2025-11-24T08:10:05.4Z', '2025-11-24T08:15:00Z'],
  ['wrap-up', '2025-11-24T08:15:00Z', '2025-11-24T08:15:30Z'],
  ['paused', '2025-11-24T08:15:30Z', '2025-11-24T08:45:30Z', 'Lunch'],
  ['paused', '2025-11-24T08:45:30Z', '2025-11-24T08:46:30Z'],
  ['paused', '2025-11-24T08:46:30Z', '2025-11-24T08:48:30Z', 'Lunch'],
];

await t.test(
  'a line for each agent who was signed in: their states, and their pauses by reason',
  async (t) => {
    await pastShift(db, '1001', day);
    await pastShift(db, '1002', [['idle', '2025-11-25T08:00:00Z', '2025-11-25T09:00:00Z']]);
    t.match(await report('2025-11-24', '2025-11-25'), [
      {
        ...none,
        agent: '1001',
        signedInSeconds: 2910,
        idleSeconds: 600,
        ringingSeconds: 5,
        talkingSeconds: 295,
        wrapUpSeconds: 30,
        pausedSeconds: 1980,
        pauses: [
          { reason: 'Lunch', seconds: 1920 },
          { reason: 'no reason', seconds: 60 },
        ],
      },
    ]);
    t.match(
      (await report('2025-11-24', '2025-11-26')).map(({ agent }) => agent),
      ['1001', '1002'],
    );
    t.same(await report('2025-11-23', '2025-11-24'), [], 'nobody was there');
    t.same(await report('2025-11-24T10:48:30', '2025-11-25'), [], 'who has left by then was not there');
  },
);

await t.test('an interval over the edge of a period counts with its part inside', async (t) => {
  // From 9:20 to 9:30 in Berlin: within the first pause.
  t.match(await report('2025-11-24T09:20', '2025-11-24T09:30'), [
    { ...none, signedInSeconds: 600, pausedSeconds: 600, pauses: [{ reason: 'Lunch', seconds: 600 }] },
  ]);
  const [before] = await report('2025-11-24', '2025-11-24T09:20');
  const [after] = await report('2025-11-24T09:20', '2025-11-25');
  t.match(before, { talkingSeconds: 295, pauses: [{ reason: 'Lunch', seconds: 270 }] });
  t.match(after, {
    ...none,
    signedInSeconds: 1710,
    pausedSeconds: 1710,
    pauses: [
      { reason: 'Lunch', seconds: 1650 },
      { reason: 'no reason', seconds: 60 },
    ],
  });
});

await t.test(
  'a shift over midnight is in both days; the day on which clocks go back has 25 hours',
  async (t) => {
    await pastShift(db, '1003', [
      ['idle', '2025-10-25T20:00:00Z', '2025-10-26T23:30:00Z'],
      ['paused', '2025-10-26T23:30:00Z', '2025-10-27T01:00:00Z', 'Night'],
    ]);
    t.match(await report('2025-10-25', '2025-10-26'), [
      { ...none, signedInSeconds: 7200, idleSeconds: 7200 },
    ]);
    t.match(await report('2025-10-26', '2025-10-27'), [
      { ...none, signedInSeconds: 90_000, idleSeconds: 90_000 },
    ]);
    t.match(await report('2025-10-27', '2025-10-28'), [
      {
        ...none,
        signedInSeconds: 7200,
        idleSeconds: 1800,
        pausedSeconds: 5400,
        pauses: [{ reason: 'Night', seconds: 5400 }],
      },
    ]);
    // October in Berlin is an hour longer than 31 days.
    t.match(await report('2025-10-01', '2025-11-01'), [{ signedInSeconds: 29 * 3600 }]);
  },
);

await t.test('an open pause counts to the moment of the report, and not into the future', async (t) => {
  const hourAgo = await momentIn(db, 'astercc', { secondsAgo: 3600 });
  const since = new Date(hourAgo.getTime() - 3_600_000);
  await pastShift(db, '1004', [
    ['idle', new Date(hourAgo.getTime() - 86_400_000).toISOString(), hourAgo.toISOString()],
    ['paused', hourAgo.toISOString(), null, 'Lunch'],
  ]);
  for (const until of [undefined, await momentIn(db, 'astercc', { secondsAgo: -86_400 })]) {
    const page = await reportAgents(db, 'astercc', { since, ...(until && { until }) });
    const soFar = Math.round((page.until.getTime() - hourAgo.getTime()) / 1000);
    t.ok(soFar >= 3600, 'up to now');
    t.match(page.agents, [
      {
        agent: '1004',
        idleSeconds: 3600,
        pausedSeconds: soFar,
        pauses: [{ reason: 'Lunch', seconds: soFar }],
      },
    ]);
  }
});

await t.test('a reason keeps the name that it had, an agent who was removed their line', async (t) => {
  await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
  await addAgent(db, 'astercc', { number: '1090', user: 'crowd', groups: ['support'] });
  const since = await momentIn(db, 'astercc', { secondsAgo: 60 });
  t.equal(
    (await signIn(db, 'astercc', { agent: '1090', extension: '5002', by: 'test' })).outcome,
    'signed-in',
  );
  await pauseAgent(db, 'astercc', '1090', '1');
  await setPauseReason(db, 'astercc', '1', { name: 'Break' });
  await pauseAgent(db, 'astercc', '1090', '0');
  await pauseAgent(db, 'astercc', '1090', '1');
  await removePauseReason(db, 'astercc', '1');
  await signOut(db, 'astercc', { agent: '1090' }, 'test');
  await removeAgent(db, 'astercc', '1090');
  const { agents } = await reportAgents(db, 'astercc', { since, agent: '1090' });
  t.match(
    agents.map(({ agent, pauses }) => [agent, pauses.map(({ reason }) => reason)]),
    [['1090', ['Break', 'Lunch', 'no reason']]],
  );
});

await t.test('of a group, of an agent, a page at a time, and nothing that there is not', async (t) => {
  await addGroup(db, 'astercc', { name: 'back' });
  await db.raw(`insert into agent_group_members (team_id, group_id, agent_id)
    select g.team_id, g.id, a.id from agent_groups g join agents a on a.team_id = g.team_id and a.number = '1002'
    where g.name = 'back'`);
  const numbers = async (more: object) =>
    (await report('2025-11-24', '2025-11-26', more)).map(({ agent }) => agent);
  t.same(await numbers({ group: 'back' }), ['1002']);
  t.same(await numbers({ agent: '1001' }), ['1001']);
  const period = { since: new Date('2025-11-24T00:00:00Z'), until: new Date('2025-11-26T00:00:00Z') };
  const first = await reportAgents(db, 'astercc', { ...period, limit: 1 });
  t.match(first.agents, [{ agent: '1001' }]);
  const second = await reportAgents(db, 'astercc', { ...period, limit: 1, after: first.next ?? 0 });
  t.match(second, { agents: [{ agent: '1002' }], next: null });
  for (const [more, code] of [
    [{ group: 'nobody' }, 'unknown'],
    [{ agent: '1999' }, 'unknown'],
  ] as const)
    await t.rejects(reportAgents(db, 'astercc', { ...period, ...more }), { code });
  const { since, until } = period;
  await t.rejects(reportAgents(db, 'astercc', { since: until, until: since }), /later than its beginning/);
  await t.rejects(reportAgents(db, 'astercc', { since: new Date('2025-10-01'), until }), /31 days at most/);
});

await t.test('of months of history a day is read, by index', async (t) => {
  await db.raw('alter table agent_states disable trigger user');
  // 100 intervals a day of four agents for 100 days; with 500 the plans are the same.
  for (let day = 0; day < 100; day += 10)
    await db.raw(
      `insert into agent_states (team_id, agent_id, sign_in_id, state, started_at, ended_at)
       select i.team_id, i.agent_id, i.id, (array['idle', 'talking'])[1 + n % 2]::agent_state,
         '2025-01-01'::timestamptz + :day * interval '1 day' + n * interval '14 minutes 24 seconds',
         '2025-01-01'::timestamptz + :day * interval '1 day' + (n + 1) * interval '14 minutes 24 seconds'
       from generate_series(0, 999) as n, (select distinct on (agent_id) * from sign_ins
         where agent_id in (select id from agents where number in ('1001', '1002', '1003', '1004')) order by agent_id, id) i`,
      { day },
    );
  await db.raw('analyze agent_states');
  const period = { since: new Date('2025-02-10T00:00:00Z'), until: new Date('2025-02-11T00:00:00Z') };
  const plans = await plansOf(
    db,
    'from agent_states',
    async () => {
      const { agents } = await reportAgents(db, 'astercc', period);
      t.match(agents[0], { signedInSeconds: 86_400 });
      t.equal(agents.length, 4);
    },
    'analyze, timing off, buffers',
  );
  t.equal(plans.length, 2);
  for (const plan of plans) {
    t.notMatch(plan, /Seq Scan on agent_states/, plan);
    for (const [, rows, loops] of plan.matchAll(
      /Scan .*on agent_states.*\(actual rows=([0-9.]+) loops=(\d+)\)/g,
    ))
      t.ok(Number(rows) * Number(loops) <= 4 * 102, plan);
    t.notMatch(plan, /Rows Removed by Filter: \d{2}/, plan);
  }
});
