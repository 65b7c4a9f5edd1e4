import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { RingGroups } from '../../domain/calls/routing/ring-groups.js';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { pause } from '../../domain/presence/pause.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { addRingGroup, ringGroups } from '../../domain/provisioning/features/ring-group.js';
import { crowd, provision } from '../../lab/provision.js';
import { patient } from '../../lab/patience.js';
import { freshDatabase } from '../support/database.js';
import { defaultNode } from '../support/records.js';

const { db, url } = await freshDatabase(t);
await provision(db, crowd(3));
await provision(db, crowd(1, { team: 'b2', did: '600101' }));
await addRingGroup(db, 'astercc', { number: '701', members: ['5001', 'outside:+49151', '5002'] });
await addRingGroup(db, 'astercc', { number: '702', members: ['agent:1001', 'agent:1002', '5003'] });
await addRingGroup(db, 'astercc', { number: '703', strategy: 'longest-idle', members: ['5001', '5002'] });
await addRingGroup(db, 'astercc', {
  number: '704',
  strategy: 'fewest-calls',
  members: ['5001', 'outside:49151', '5003'],
});
await addRingGroup(db, 'b2', { number: '701', members: ['5001'] });

await t.test('from memory, without a question to the database, and of the team that asks', async (t) => {
  const own = connect(url, patient);
  t.teardown(() => own.destroy());
  const known = new RingGroups(own, defaultNode);
  await known.load();
  const statements: unknown[] = [];
  own.on('query', (query) => statements.push(query));
  t.same(await known.order('astercc', '701', 0), [['5001', 'o49151', '5002']]);
  t.same(await known.order('b2', '701', 0), [['5001']]);
  t.equal(await known.order('b2', '702', 0), undefined);
  t.same(statements, []);
  await ringGroups.set(db, 'astercc', '701', { members: ['5002'] });
  const { id } = await db('teams').where({ identity: 'astercc' }).first<{ id: number }>('id');
  await known.load([id]);
  t.same(await known.order('astercc', '701', 0), [['5002']]);
  t.same(await known.order('b2', '701', 0), [['5001']], 'the other team stays');
});

await t.test(
  'agents where they are signed in, and not in a pause; the records of the last day',
  async (t) => {
    const known = new RingGroups(db, defaultNode, 30_000);
    await known.load();
    t.same(await known.order('astercc', '702', 0), [['5003']]);
    await signIn(db, 'astercc', { agent: '1002', extension: '5001', by: 'test' });
    t.same(await known.order('astercc', '702', 0), [['5001', '5003']]);
    await pause(db, 'astercc', { agent: '1002' }, '0');
    t.same(await known.order('astercc', '702', 0), [['5003']]);

    t.same(await known.order('astercc', '703', 0), [['5001'], ['5002']], 'as they are configured');
    const records = new CallRecords(db, defaultNode);
    const answered = async (
      uniqueid: string,
      by: { extension?: string; outside?: string },
      secondsAgo: number,
    ) => {
      await db.raw(
        `insert into calls (team_id, node, uniqueid, arrived_at)
       select id, ?, ?, clock_timestamp() - interval '2 days' from teams where identity = 'astercc'`,
        [defaultNode, uniqueid],
      );
      await records.pickedUp([{ uniqueid, secondsAgo, ...by }]);
      await records.callsEnded([{ uniqueid }]);
      await db.raw(
        `update calls set ended_at = clock_timestamp() - make_interval(secs => ?) where uniqueid = ?`,
        [secondsAgo - 1, uniqueid],
      );
    };
    await answered('c.1', { extension: '5001' }, 90_000);
    await answered('c.2', { extension: '5002' }, 3000);
    await answered('c.3', { outside: '49151' }, 100);
    t.same(await known.order('astercc', '703', 0), [['5001'], ['5002']], 'a call of yesterday is over');
    await answered('c.4', { extension: '5001' }, 50);
    t.same(await known.order('astercc', '703', 0), [['5002'], ['5001']]);
    t.same(await known.order('astercc', '704', 0), [['5003'], ['5001'], ['o49151']]);
    t.match(await db('calls').where({ uniqueid: 'c.4' }).first(), { outcome: 'answered' });
  },
);

await t.test('a database that does not answer holds nobody: what it said last stands', async (t) => {
  const own = connect(url, patient);
  const known = new RingGroups(own, defaultNode, 50);
  await known.load();
  // Another one has locked what is asked of, for as long as the questions last.
  const locked = await db.transaction();
  await locked.raw('lock table ring_group_members in access exclusive mode');
  t.same(await known.order('astercc', '702', 0), [['5003']], 'never asked: where agents are is not known');
  t.same(
    await known.order('astercc', '704', 0),
    [['5001'], ['o49151'], ['5003']],
    'in the order of the group',
  );
  await locked.rollback();
  await until('an answer from the database', async () =>
    (await known.order('astercc', '703', 0))?.[0]?.[0] === '5002' ? true : undefined,
  );
  await own.destroy();
  t.same(await known.order('astercc', '703', 0), [['5002'], ['5001']], 'and without a database');
});
