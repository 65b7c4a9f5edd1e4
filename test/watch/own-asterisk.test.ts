import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { Database } from '../../domain/database/pool.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import { until } from '../../domain/machine/processes.js';
import { rememberGeneration } from '../../domain/provisioning/generations.js';
import { registerNode } from '../../domain/provisioning/node.js';
import { OwnAsterisk } from '../../pbx/watch/own-asterisk.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });
const generation = 'g0123456789abcdef';
const entry = 'PRESENCE_STATE(CustomPresence:star64)';

/** An Asterisk, and servers of databases that want to work with it. */
async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await registerNode(db, 'default');
  const manager = new StubManager();
  const server = (at: Database = db, options: { takeOver?: boolean; node?: string } = {}) => {
    const asterisk = new OwnAsterisk(
      at,
      manager,
      { node: 'default', takeOver: false, patienceMs: 10, handOverMs: 1, againMs: 10, ...options },
      log,
    );
    t.teardown(() => asterisk.stop());
    return asterisk;
  };
  /** Starts it as `star64 serve` does. */
  const start = async (asterisk: OwnAsterisk): Promise<OwnAsterisk> => {
    await asterisk.look();
    await asterisk.claim();
    return asterisk;
  };
  const starts = async (at: Database = db): Promise<number> =>
    (await at('nodes').where({ name: 'default' }).first<{ starts: number }>('starts')).starts;
  return { db, manager, server, start, starts };
}

/** A copy of the database as a backup would be; what comes later is only in the original. */
async function backup(t: Test, db: Database): Promise<Database> {
  const copy = await freshDatabase(t);
  const { id } = await db('installation').first<{ id: string }>('id');
  await copy.db('installation').update({ id });
  for (const [table, key] of [
    ['nodes', 'name'],
    ['leader_leases', 'node'],
    ['generations', ['node', 'name']],
  ] as const) {
    const rows = await db(table).select<object[]>();
    if (rows.length > 0)
      await copy
        .db(table)
        .insert(rows)
        .onConflict(key as string)
        .merge();
  }
  return copy.db;
}

/** Actions that would change something; Asterisk was only looked at when there are none. */
const changes = ({ seen }: StubManager): string[] =>
  seen.filter((action) => !/^(Getvar|CoreStatus)\b/.test(action));

void t.test('every start counts in the database and in Asterisk', async (t) => {
  const { db, manager, server, start, starts } = await site(t);
  const { id } = await db('installation').first<{ id: string }>('id');
  for (const count of [1, 2, 3]) {
    const asterisk = await start(server());
    t.ok(asterisk.connected);
    t.equal(await starts(), count);
    t.equal(manager.variables.get(entry), `not_set,installation,${id} ${count} default`);
  }
});

void t.test('another server of the same installation starts again, and the first goes on', async (t) => {
  const { manager, server, start } = await site(t);
  const [first, second] = [await start(server()), await start(server())];
  await start(server());
  for (const one of [first, second]) {
    await one.verify();
    t.ok(one.connected);
    await one.action('Setvar', { Variable: 'X', Value: '1' });
  }
  t.equal(manager.variables.get('X'), '1');
});

void t.test('an older copy of the database changes nothing, and says both counts', async (t) => {
  const { db, manager, server, start, starts } = await site(t);
  await start(server());
  const copy = await backup(t, db);
  await start(server());
  manager.seen.length = 0;
  const late = server(copy);
  await t.rejects(late.look(), { code: 'older_copy', message: /2 times .* 1 times .*serve --take-over/ });
  t.same(changes(manager), []);
  t.equal(await starts(copy), 1, 'nor is the start counted');
  await t.rejects(late.action('QueueRemove', { Queue: 'q', Interface: 'PJSIP/x' }), { code: 'down' });
});

void t.test('a copy that is as old as the last start is known by the promise that is kept', async (t) => {
  const { db, manager, server, start } = await site(t);
  const original = await start(server());
  await takeLeaderLease(db, 'default', 'original', -1, 1010);
  const copy = await backup(t, db);
  // The original goes on: noted first, then promised.
  await takeLeaderLease(db, 'default', 'original', 60, 1_800_000_000);
  await original.action('Setvar', { Variable: 'STAR64_LEASE', Value: '1800000000' });
  manager.seen.length = 0;
  await t.rejects(server(copy).look(), { code: 'older_copy', message: /copy of the one/ });
  t.same(changes(manager), []);
  await t.resolves(start(server()), 'its own restart is not in doubt');
});

void t.test('another installation, and another node of the same one', async (t) => {
  const { db, manager, server, start } = await site(t);
  await start(server());
  const other = await backup(t, db);
  await other('installation').update({ id: '00000000-0000-4000-8000-000000000000' });
  manager.seen.length = 0;
  await t.rejects(server(other).look(), { code: 'foreign_asterisk', message: /00000000-.*--take-over/ });
  await registerNode(db, 'second');
  await t.rejects(server(db, { node: 'second' }).look(), {
    code: 'foreign_asterisk',
    message: /node default .*second/,
  });
  t.same(changes(manager), []);
});

void t.test(
  'files from before: ours if they were made from this database, or if there are none',
  async (t) => {
    const { db, manager, server, start } = await site(t);
    manager.generation = generation;
    await t.rejects(server().look(), { code: 'foreign_asterisk', message: new RegExp(generation) });
    t.same(changes(manager), []);
    await rememberGeneration(db, 'default', generation);
    t.ok((await start(server())).connected);
  },
);

void t.test('the last hundred generations of a node are remembered', async (t) => {
  const { db } = await site(t);
  for (let index = 0; index < 105; index++)
    await rememberGeneration(db, 'default', `g${String(index).padStart(16, '0')}`);
  const kept = await db('generations').orderBy('name').pluck<string[]>('name');
  t.equal(kept.length, 100);
  t.equal(kept[0], 'g0000000000000005');
});

for (const who of ['an older copy', 'another installation'] as const) {
  void t.test(`--take-over: ${who} has it from then on, and the server before ends`, async (t) => {
    const { db, manager, server, start, starts } = await site(t);
    const copy = await backup(t, db);
    if (who === 'another installation')
      await copy('installation').update({ id: '00000000-0000-4000-8000-000000000000' });
    const before = await start(await start(server()));
    const after = await start(server(copy, { takeOver: true }));
    t.ok(after.connected);
    await t.rejects(before.verify(), { message: /--take-over/ });
    t.match(await before.lost, { kind: 'conflict', exitCode: 5 });
    t.notOk(before.connected);
    manager.seen.length = 0;
    await t.rejects(before.action('Setvar', { Variable: 'STAR64_LEASE', Value: '1' }), { code: 'down' });
    t.same(changes(manager), []);
    await t.rejects(server().look(), { message: /--take-over/ }, 'nor does it come back');
    await t.resolves(start(server(copy)), 'the new one is started again without the option');
    if (who === 'an older copy') t.ok((await starts(copy)) > (await starts()));
  });
}

void t.test('Asterisk is looked at anew whenever the connection is', async (t) => {
  const { db, manager, server, start } = await site(t);
  const copy = await backup(t, db);
  const asterisk = await start(server());
  let ups = 0;
  asterisk.on('up', () => ups++);
  const info = { since: 'blip', uptimeS: 1, lastReloadS: 1 } as const;
  const reconnect = (): void => {
    manager.emit('down', 'test');
    t.notOk(asterisk.connected);
    manager.emit('up', info);
  };
  reconnect();
  // What comes before that is known waits for it.
  await asterisk.action('Setvar', { Variable: 'X', Value: '1' });
  t.equal(ups, 1);
  t.ok(asterisk.connected);
  manager.emit('down', 'test');
  await start(server(copy, { takeOver: true }));
  manager.emit('up', info);
  t.match(await asterisk.lost, { kind: 'conflict' });
  t.equal(ups, 1);
});

void t.test('an Asterisk that comes later is looked at before anything is changed there', async (t) => {
  const { db, manager, server, start } = await site(t);
  const copy = await backup(t, db);
  await start(server());
  manager.connected = false;
  const late = await start(server(copy));
  manager.connected = true;
  manager.seen.length = 0;
  manager.emit('up', { since: 'start', uptimeS: 1, lastReloadS: 1 });
  t.match(await late.lost, { code: 'older_copy' });
  t.same(changes(manager), []);
});

void t.test('a claim that is gone from Asterisk is written again', async (t) => {
  const { manager, server, start } = await site(t);
  const asterisk = await start(server());
  const claim = manager.variables.get(entry);
  manager.variables.delete(entry);
  await asterisk.verify();
  t.equal(manager.variables.get(entry), claim);
  await until('it to be ours', () => (asterisk.connected ? true : undefined));
});
