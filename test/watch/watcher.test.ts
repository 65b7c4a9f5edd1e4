import { pino } from 'pino';
import t, { type Test } from 'tap';
import { connect } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import type { Reconciled } from '../../pbx/watch/compare/reconciliation.js';
import { Watcher, watcherDefaults } from '../../pbx/watch/watcher.js';
import { leaseVariable } from '../../pbx/queue/names.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const said: string[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => void said.push(line) });

/** A watcher whose reconciliation is what the test says. */
async function site(t: Test, reconcile: () => Promise<Reconciled>) {
  const { url, db } = await freshDatabase(t);
  const manager = new StubManager();
  const make = (holder: string, settings = {}, at = db) => {
    const observer = new Observer(at, 'default', log, {
      deadlineSet: () => undefined,
      missed: () => undefined,
    });
    const watcher = new Watcher(
      // Nobody leads for having been held up: a lease is over when it is given back.
      { ...watcherDefaults, node: 'default', holder, tickMs: 10, leaderSeconds: 3600, ...settings },
      at,
      manager,
      observer,
      { run: reconcile },
      log,
    );
    t.teardown(() => watcher.stop());
    return watcher;
  };
  return { url, db, manager, make };
}

const nothing = (): Promise<Reconciled> => Promise.resolve({ mended: 0, failed: [] });

void t.test('one server leads; the next one does when it stops', async (t) => {
  let runs = 0;
  const { db, manager, make } = await site(t, () => {
    runs++;
    return nothing();
  });
  const [first, second] = [make('a'), make('b')];
  first.start();
  await until('the first to lead', () => (first.leading ? true : undefined));
  second.start();
  await until('the lease to be renewed', () =>
    Number(manager.variables.get(leaseVariable)) > 1000 ? true : undefined,
  );
  t.notOk(second.leading);
  await until('it to have reconciled', () => (runs > 0 ? true : undefined));
  await first.stop();
  const before = runs;
  await until('the second to lead', () => (second.leading ? true : undefined));
  await until('it to reconcile at once', () => (runs > before ? true : undefined));
  t.equal((await db('leader_leases').first<{ holder: string }>('holder')).holder, 'b');
});

void t.test('after a reconciliation of which a step failed the next one comes early', async (t) => {
  let runs = 0;
  const { manager, make } = await site(t, () => {
    runs++;
    return Promise.resolve({ mended: 0, failed: runs === 1 ? ['removed groups'] : [] });
  });
  const watcher = make('a', { reconcileMs: 3_600_000, reconcileAgainMs: 20 });
  watcher.start();
  await until('the second', () => (runs === 2 ? true : undefined));
  const at = manager.seen.length;
  // Two actions in each tick.
  await until('a few more ticks', () => (manager.seen.length > at + 40 ? true : undefined));
  t.equal(runs, 2, 'and the one after that in its time');
});

void t.test(
  'a slow statement is not a PostgreSQL that is away: the lease is kept while it lasts',
  async (t) => {
    const errors = [Object.assign(new Error('too slow'), { name: 'KnexTimeoutError' })];
    let runs = 0;
    const { make } = await site(t, () => {
      runs++;
      const error = errors.pop();
      return error ? Promise.reject(error) : nothing();
    });
    const watcher = make('a');
    watcher.start();
    await until('it to lead', () => (watcher.leading ? true : undefined));
    await until('the reconciliation to be tried again', () => (runs >= 2 ? true : undefined));
    t.ok(watcher.leading);
  },
);

void t.test('lease and promise to Asterisk are renewed while a reconciliation takes long', async (t) => {
  let finish: () => void = () => undefined;
  let running = false;
  const { db, manager, make } = await site(t, async () => {
    running = true;
    await new Promise<void>((resolve) => (finish = resolve));
    return { mended: 0, failed: [] };
  });
  const watcher = make('a');
  watcher.start();
  await until('it to reconcile', () => (running ? true : undefined));
  const seen = new Set<string>();
  const leases = new Set<string>();
  await until('both to be renewed meanwhile', async () => {
    seen.add(manager.variables.get(leaseVariable) ?? '');
    const row = await db('leader_leases').first<{ expires_at: Date }>('expires_at');
    leases.add(String(row.expires_at.getTime()));
    return seen.size >= 3 && leases.size >= 3 ? true : undefined;
  });
  t.ok(watcher.leading);
  finish();
});

void t.test('without PostgreSQL nobody leads, and Asterisk is promised nothing', async (t) => {
  const { manager, make } = await site(t, nothing);
  const away = connect('postgres://127.0.0.1:1/none', { deadlineMs: 500 });
  t.teardown(() => away.destroy());
  const watcher = make('a', {}, away);
  watcher.start();
  await until('it to have tried', () =>
    said.some((line) => line.includes('PostgreSQL is away')) ? true : undefined,
  );
  await watcher.stop();
  t.notOk(watcher.leading);
  t.equal(manager.variables.get(leaseVariable), undefined);
});

void t.test(
  'the manager connection may be up long before the start: nothing is done until then',
  async (t) => {
    let runs = 0;
    const { db, manager, make } = await site(t, () => {
      runs++;
      return nothing();
    });
    const watcher = make('a');
    manager.emit('up', { since: 'start', uptimeS: 1, lastReloadS: 1 });
    watcher.reconcileSoon();
    // What would have been begun by it would be under way by now: a second one, started after it, has led and reconciled.
    const other = make('b');
    other.start();
    await until('another one to lead', () => (other.leading && runs > 0 ? true : undefined));
    await other.stop();
    t.same(await db('leader_leases').pluck<string[]>('holder'), ['b'], 'the first has not even asked');
    t.notOk(watcher.leading);
  },
);

void t.test('an Asterisk that has just started is told several times to ask its phones', async (t) => {
  const { manager, make } = await site(t, nothing);
  const add = (device: string) =>
    manager.action('QueueAdd', { Queue: 'astercc-support', Interface: device, MemberName: '1001' });
  manager.queues.set('astercc-support', new Map());
  await Promise.all(['PJSIP/astercc-5001', 'PJSIP/astercc-5002', 'PJSIP/of-the-operator'].map(add));
  manager.unavailable.add('PJSIP/astercc-5001').add('PJSIP/of-the-operator');
  const endpoints: string[] = [];
  manager.gate = (action, { Endpoint = '' }) => {
    if (action === 'PJSIPQualify') endpoints.push(Endpoint);
    return Promise.resolve();
  };
  const watcher = make('a', { askAgainMs: 1 });
  watcher.start();
  manager.emit('up', { since: 'start', uptimeS: 1, lastReloadS: 1 });
  await until('it to have been told so again and again', () => (endpoints.length === 7 ? true : undefined));
  t.same([...new Set(endpoints)], ['astercc-5001'], 'to ask the one that it does not know to be there');
});

void t.test('thousands of phones are asked in portions, between which the lease is renewed', async (t) => {
  const { manager, make } = await site(t, nothing);
  const devices = Array.from({ length: 45 }, (_, n) => `PJSIP/astercc-${5000 + n}`);
  manager.queues.set('astercc-support', new Map());
  for (const Interface of devices) {
    await manager.action('QueueAdd', { Queue: 'astercc-support', Interface, MemberName: '1001' });
    manager.unavailable.add(Interface);
  }
  const seen: string[] = [];
  manager.gate = (action, { Endpoint, Variable }) => {
    if (action === 'PJSIPQualify') seen.push(Endpoint ?? '');
    else if (action === 'Setvar' && Variable === leaseVariable) seen.push('lease');
    return Promise.resolve();
  };
  const watcher = make('a', { askAgainMs: 3_600_000, askForMs: 0 });
  watcher.start();
  manager.emit('up', { since: 'start', uptimeS: 1, lastReloadS: 1 });
  const asked = (): string[] => seen.filter((one) => one !== 'lease');
  await until('all to be asked', () => (asked().length >= 45 ? true : undefined));
  t.equal(new Set(asked()).size, 45);
  const lots = seen
    .join()
    .split('lease')
    .map((lot) => lot.split(',').filter(Boolean).length);
  t.same(
    lots.filter((lot) => lot > 0),
    [20, 20, 5],
  );
});

void t.test('a reload of Asterisk, and globals that it has forgotten, are compared at once', async (t) => {
  let runs = 0;
  const { manager, make } = await site(t, () => {
    runs++;
    return nothing();
  });
  const watcher = make('a', { reconcileMs: 3_600_000 });
  watcher.start();
  // The second since a reload may have come in the same second as the question for the last one.
  await until('the first reconciliation, and one more', () => (runs === 2 ? true : undefined));
  manager.reloaded = '09:00:01';
  await until('two after a reload', () => (runs === 4 ? true : undefined));
  manager.variables.delete(leaseVariable);
  await until('one after clearglobalvars', () => (runs === 5 ? true : undefined));
  t.ok(Number(manager.variables.get(leaseVariable)) > 1000, 'and the lease is back');
  const at = manager.seen.length;
  await until('a few more ticks', () => (manager.seen.length > at + 40 ? true : undefined));
  t.equal(runs, 5, 'and then no more');
});

void t.test('an Asterisk that is no longer ours is promised nothing, and not watched', async (t) => {
  const { manager, make } = await site(t, nothing);
  const watcher = make('a');
  watcher.start();
  await until('it to lead', () => (watcher.leading ? true : undefined));
  manager.verify = () => {
    manager.connected = false;
    return Promise.reject(new Error('another installation has it'));
  };
  await until('it to have noticed', () =>
    said.some((line) => line.includes('another installation has it')) ? true : undefined,
  );
  await watcher.stop();
  const promised = manager.variables.get(leaseVariable);
  await make('b').stop();
  t.equal(manager.variables.get(leaseVariable), promised);
});
