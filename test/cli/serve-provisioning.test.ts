import { pino } from 'pino';
import t, { type Test } from 'tap';
import { ProvisioningChanges } from '../../cli/serve/provisioning.js';
import { Routing } from '../../domain/calls/routing/routing.js';
import { ChangeListener } from '../../domain/database/listen.js';
import { connect, type Database } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { patient } from '../../lab/patience.js';

const log = pino({ enabled: false });
const everyMs = 200;

const { db, url } = await freshDatabase(t);
await provision(db, crowd(2, { groups: [{ name: 'support' }, { name: 'sales' }] }));
await provision(db, crowd(1, { team: 'other', did: '600200' }));

/** A server's routing that follows what is provisioned, and how often it has asked whom. */
async function following(
  t: Test,
): Promise<{ routing: Routing; statements: string[]; reconciled: () => number }> {
  const own = connect(url, patient);
  const statements: string[] = [];
  own.on('query', ({ sql, bindings }: { sql: string; bindings?: unknown[] }) => {
    if (/from dids d/.test(sql))
      statements.push((bindings ?? []).some((one) => Array.isArray(one)) ? 'of some' : 'of all');
  });
  let reconciled = 0;
  const routing = new Routing(own, 'default');
  const changes = new ProvisioningChanges([routing], () => (reconciled += 1), log, everyMs);
  const listener = new ChangeListener(
    url,
    { provisioning: (payload) => changes.take(payload), agents: () => undefined, calls: () => undefined },
    log,
  );
  await listener.start();
  await changes.start();
  t.teardown(async () => {
    await changes.stop();
    await listener.stop();
    await own.destroy();
  });
  t.same(statements.splice(0), ['of all'], 'all is read once at the start');
  return { routing, statements, reconciled: () => reconciled };
}

/** Sends the calls of 600100 to another group of its team. */
async function send(on: Database, group: string): Promise<void> {
  await on.raw(
    `update destinations p set to_group_id = g.id from agent_groups g, dids d
     where d.id = p.from_did_id and g.team_id = d.team_id and g.name = ? and d.number = '600100'`,
    [group],
  );
}

await t.test(
  'sixty changes: one reload and one reconciliation in each while, of the team that changed',
  async (t) => {
    const { routing, statements, reconciled } = await following(t);
    const begun = performance.now();
    for (let change = 0; change < 59; change++) await send(db, change % 2 ? 'support' : 'sales');
    await db.raw("update dids set number = '600201' where number = '600200'");
    await until('both changes to be known', () =>
      routing.find('other', '600201') && routing.find('astercc', '600100')?.name === 'sales'
        ? true
        : undefined,
    );
    // The first at once, the last after the while of the one before: however long the machine took for the changes.
    const most = 2 + Math.floor((performance.now() - begun) / everyMs);
    t.ok(statements.length <= most, `${statements.length} reads`);
    t.ok(reconciled() <= most, `${reconciled()} reconciliations`);
    t.notOk(statements.includes('of all'), 'only of what changed');
    t.equal(routing.find('other', '600200'), undefined);
    t.equal(routing.find('other', '600201')?.name, 'support', 'and the other team has not lost its own');
  },
);

await t.test('who takes which calls is a matter of the queues: no routing is read', async (t) => {
  const { statements, reconciled } = await following(t);
  const before = reconciled();
  await db.raw('update agents set number = number');
  await until('the reconciliation', () => (reconciled() > before ? true : undefined));
  t.same(statements, []);
});

await t.test('a team that is renamed, and one that is told without its team', async (t) => {
  const { routing, statements } = await following(t);
  await db.raw("update teams set identity = 'renamed' where identity = 'other'");
  await until('the new identity', () => routing.find('renamed', '600201') ?? undefined);
  t.equal(routing.find('other', '600201'), undefined, 'the old one has nothing');
  t.same(statements.splice(0), ['of some']);
  await db.raw('notify star64_provisioning');
  await until('everything to be read', () => (statements.includes('of all') ? true : undefined));
  t.equal(routing.find('renamed', '600201')?.name, 'support');
});

await t.test('a read that fails leaves the last answers, and is made again', async (t) => {
  let fails = 2;
  const asked: (readonly number[] | undefined)[] = [];
  const load = (teams?: readonly number[]): Promise<void> => {
    asked.push(teams);
    return asked.length > 1 && fails-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve();
  };
  let reconciled = 0;
  const changes = new ProvisioningChanges([{ load }], () => (reconciled += 1), log, 1);
  t.teardown(() => changes.stop());
  await changes.start();
  changes.take('dids 7');
  changes.take('dids 8');
  await until('the reconciliation', () => (reconciled === 1 ? true : undefined));
  t.same(asked, [undefined, [7], [8, 7], [8, 7]], 'what came meanwhile with it');
});
