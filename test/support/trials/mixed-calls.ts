import type { Test } from 'tap';
import type { Database } from '../../../domain/database/pool.js';
import { until } from '../../../domain/machine/processes.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { announcements } from '../../../domain/provisioning/features/announcement.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { addRingGroup } from '../../../domain/provisioning/features/ring-group.js';
import { AnsweringPhones } from '../../../lab/answering.js';
import { crowd } from '../../../lab/caller.js';
import { crowd as team, provision } from '../../../lab/provision.js';
import { centreFor, waitMembers } from '../centre.js';

const common = { wrapUp: 'answer', wrapUpSeconds: 1, ringSeconds: 3, missedLimit: 0 };
const groups = [
  { name: 'support', ...common },
  // Its only agent never picks up.
  { name: 'silent', ...common, maxWaitSeconds: 10 },
  { name: 'deserted', ...common },
];

/** Where the calls lead, by the number that is called. */
const places = {
  600100: 'group:support',
  600101: 'group:silent',
  600102: 'group:deserted',
  600103: 'extension:5010',
  600104: 'extension:5011',
  600105: 'ring-group:7000',
  600106: 'announcement:closed',
  600107: 'hangup:busy',
};
const numbers = Object.keys(places);

/** What the numbers of callers begin with. */
const [patientOnes, hurriedOnes] = ['49301', '49302'];
const hurried = (caller: string): boolean => caller.startsWith(hurriedOnes);

const answering = ['5001', '5002', '5003', '5004', '5005', '5010', '5012', '5013'];

/**
 * Calls of every kind at once, `perNumber` for each of eight numbers, by callers with and without patience. What the
 * database then says is held against two others who counted: sipp the calls, app_queue (queue_log) the rest.
 */
export async function mixedCalls(t: Test, perNumber: number, callsPerSecond: number): Promise<void> {
  const centre = await centreFor(t, {
    // Of one that has no time for two seconds the other does the work.
    servers: 2,
    provision: async (db) => {
      const fixture = team(13, { groups });
      const of: Record<string, string[]> = { '1007': ['silent'] };
      await provision(db, {
        ...fixture,
        agents: fixture.agents
          .slice(0, 7)
          .map((agent) => ({ ...agent, groups: of[agent.number] ?? ['support'] })),
        dids: [],
      });
      await addRingGroup(db, 'astercc', { number: '7000', members: ['5012', '5013'], ringSeconds: 3 });
      await announcements.add(db, 'astercc', 'closed', { sound: 'vm-goodbye' });
      await provision(db, {
        ...{ team: 'astercc', users: [], extensions: [], groups: [], agents: [] },
        dids: Object.entries(places).map(([number, to]) => ({ number, to })),
      });
    },
  });
  const { asterisk, db } = centre;
  const logins = await Promise.all(
    answering.map(async (extension) => {
      const { secret } = await showExtensionSecret(db, 'astercc', extension);
      return { user: `astercc-${extension}`, secret: secret ?? '' };
    }),
  );
  const phones = await AnsweringPhones.start({ logins, server: asterisk.sip, talkMs: 700 });
  t.teardown(() => phones.stop());
  await centre.phone('5007');
  for (const number of ['1001', '1002', '1003', '1004', '1005', '1007'])
    await signInAgent(db, 'astercc', number, { extension: `5${number.slice(1)}`, by: 'test' });
  await waitMembers(centre, 'astercc-support', ['1001', '1002', '1003', '1004', '1005']);
  await waitMembers(centre, 'astercc-silent', ['1007']);

  const half = (perNumber / 2) * numbers.length;
  const calling = { to: numbers, server: asterisk.sip, rate: callsPerSecond / 2, total: half };
  const crowds = await Promise.all([
    crowd({ ...calling, from: patientOnes, holdMs: 30_000, patienceMs: 60_000 }),
    // These hang up two seconds after somebody or something has answered: most of them while they wait.
    crowd({ ...calling, from: hurriedOnes, holdMs: 2000, patienceMs: 60_000 }),
  ]);
  for (const { successful, failed, responses } of crowds)
    t.comment(`sipp: ${successful} answered, ${failed} not: ${JSON.stringify(responses)}`);
  await until(
    'all calls to be over, and to be recorded so',
    async () => {
      const [row] = await db('calls').select<{ calls: string; open: string }[]>(
        db.raw('count(*) as calls, count(*) filter (where ended_at is null or outcome is null) as open'),
      );
      return Number(row?.calls) >= half * 2 && Number(row?.open) === 0 ? true : undefined;
    },
    60_000,
  );

  // Places in queues and offers end by events of their own.
  for (const [table, end] of [
    ['queue_visits', 'left_at'],
    ['offers', 'ended_at'],
  ] as const)
    await until(
      `no row of ${table} to be open`,
      async () => ((await db(table).whereNull(end)).length === 0 ? true : undefined),
      60_000,
    );

  t.same(
    await db('calls').select('did', db.raw('count(*)::integer as calls')).groupBy('did').orderBy('did'),
    numbers.map((did) => ({ did, calls: perNumber })),
    'each call once, by the number that it was for',
  );
  const log = (await asterisk.queueLog()).map((line) => line.split('|'));
  const logged = (group: string, what: string): number =>
    log.filter(([, , queue, , event]) => queue === `astercc-${group}` && event === what).length;
  for (const { name } of groups) {
    const visits = await countBy(db, 'queue_visits', 'outcome', name);
    const sum = Object.values(visits).reduce((all, one) => all + one, 0);
    const entered = logged(name, 'ENTERQUEUE');
    t.equal(sum, entered, `${name}: each visit once`);
    t.equal(visits['answered'] ?? 0, logged(name, 'CONNECT'), `${name}: answered`);
    t.equal(visits['abandoned'] ?? 0, logged(name, 'ABANDON'), `${name}: given up`);
    t.equal(visits['timeout'] ?? 0, logged(name, 'EXITWITHTIMEOUT'), `${name}: waited for too long`);
    const offers = await countBy(db, 'offers', 'result', name);
    t.equal(offers['answered'] ?? 0, logged(name, 'CONNECT'), `${name}: offers that were answered`);
    t.equal(
      (offers['missed'] ?? 0) + (offers['rejected'] ?? 0) + (offers['refused'] ?? 0),
      logged(name, 'RINGNOANSWER'),
      `${name}: offers that were not`,
    );
    t.comment(
      `${name}: ${entered} entered; visits ${JSON.stringify(visits)}; offers ${JSON.stringify(offers)}`,
    );
  }
  const outcomes = await db('calls')
    .select<{ did: string; outcome: string; calls: number }[]>(
      'did',
      'outcome',
      db.raw('count(*)::integer as calls'),
    )
    .groupBy('did', 'outcome')
    .orderBy(['did', 'outcome']);
  const of = (did: string): Record<string, number> =>
    Object.fromEntries(
      outcomes.filter((one) => one.did === did).map(({ outcome, calls }) => [outcome, calls]),
    );
  for (const did of numbers) t.comment(`${did}: ${JSON.stringify(of(did))}`);
  t.ok((of('600100')['answered'] ?? 0) > 0, 'a queue with agents');
  const deserted = await db('calls')
    .where({ did: '600102' })
    .select<{ caller: string; outcome: string }[]>('caller', 'outcome');
  t.same(
    deserted.filter(
      ({ caller, outcome }) => outcome !== 'nobody' && !(hurried(caller) && outcome === 'abandoned'),
    ),
    [],
    'a queue without agents',
  );
  t.ok((of('600102')['nobody'] ?? 0) >= perNumber / 2, 'whoever has waited for its answer had it');
  t.same(of('600104'), { unreachable: perNumber }, 'a phone that is not there');
  t.same(
    Object.keys(of('600103')).filter((outcome) => !['answered', 'busy'].includes(outcome)),
    [],
  );
}

/** How many rows of a group have each value of a column. */
async function countBy(
  db: Database,
  table: 'queue_visits' | 'offers',
  column: 'outcome' | 'result',
  group: string,
): Promise<Record<string, number>> {
  const rows = await db(`${table} as r`)
    .join('agent_groups as g', 'g.id', 'r.group_id')
    .where('g.name', group)
    .groupBy(`r.${column}`)
    .select<{ what: string | null; rows: number }[]>(
      `r.${column} as what`,
      db.raw('count(*)::integer as rows'),
    );
  return Object.fromEntries(rows.map(({ what, rows }) => [what ?? 'null', rows]));
}
