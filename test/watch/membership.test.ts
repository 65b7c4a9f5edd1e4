import { pino } from 'pino';
import t, { type Test } from 'tap';
import { connect, type Database } from '../../domain/database/pool.js';
import { until } from '../../domain/machine/processes.js';
import { openSignIn, type SignIn } from '../../domain/presence/open-sign-in.js';
import { pause, ready } from '../../domain/presence/pause.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { beginWrapUp } from '../../domain/presence/wrap-up.js';
import { crowd, provision } from '../../lab/provision.js';
import type { ManagerActions } from '../../pbx/ami/manager.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';
import { patient } from '../../lab/patience.js';

const log = pino({ enabled: false });
/** Whoever asks waits for as long as it takes on a machine that is slow for other reasons. */
const patienceMs = 60_000;

/** Lets the clock of this process stand still, so that no lease runs out by itself; it can be put forward, or go on. */
function stillClock(t: Test) {
  const clock = performance.now.bind(performance);
  const goOn = (): void => void (performance.now = clock);
  let now = clock();
  performance.now = () => now;
  t.teardown(goOn);
  return { forward: (ms: number): void => void (now += ms), goOn };
}

/** Connections of a pool that somebody holds. */
const held = (db: Database): number => (db.client as { pool: { numUsed: () => number } }).pool.numUsed();

async function team(t: Test, agents: number): Promise<{ db: Database; url: string; manager: StubManager }> {
  const { db, url } = await freshDatabase(t);
  await provision(db, crowd(agents));
  return { db, url, manager: new StubManager('astercc-support') };
}

async function enter(db: Database, number: number): Promise<SignIn> {
  const agent = String(1000 + number);
  const extension = String(5000 + number);
  const result = await signIn(db, 'astercc', { agent, extension, by: 'test' });
  if (result.outcome !== 'signed-in') throw new Error(result.outcome);
  return result.signIn;
}

void t.test('sixty agents sign in while Asterisk is slow: nobody is refused, all are told', async (t) => {
  const { db, manager } = await team(t, 60);
  const membership = new QueueMembership(db, manager, log, patienceMs);
  let open: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => (open = resolve));
  manager.gate = () => slow;
  const signIns = await Promise.all(Array.from({ length: 60 }, (_, index) => enter(db, index + 1)));
  const { goOn } = stillClock(t);
  const syncs = signIns.map((one) => membership.sync(one, { thorough: true }));
  // Each of them asks first for the member in its queue; nobody gets further.
  await until('all of them to wait for Asterisk', async () => {
    const { rows } = await db.raw<{ rows: { count: number }[] }>('select count(*) from phone_leases');
    return rows[0]?.count === 60 ? true : undefined;
  });
  await until('the pool to be free', () => (held(db) === 0 ? true : undefined));
  t.equal((await db('teams')).length, 1, 'while others get a connection at once');
  open();
  const told = await Promise.all(syncs);
  goOn();
  t.same(new Set(told), new Set([true]));
  t.equal(manager.members('astercc-support').length, 60);
  t.same(await db('phone_leases'), [], 'and no lease is left');
});

void t.test('two servers never tell Asterisk about one phone at the same time', async (t) => {
  const { db, url, manager } = await team(t, 1);
  const other = connect(url, patient);
  t.teardown(() => other.destroy());
  let inside: string | undefined;
  const mixed: string[] = [];
  /** The manager as one server has it: notes when another one acts between two of its actions for a phone. */
  const seenBy = (server: string): ManagerActions => ({
    connected: true,
    list: manager.list,
    action: async (name, headers) => {
      if (inside !== undefined && inside !== server) mixed.push(`${server} in ${inside}`);
      inside = server;
      await new Promise((resolve) => setImmediate(resolve));
      const result = await manager.action(name, headers);
      // The lamp is what a sync tells last.
      if (name === 'Setvar' && String((headers as { Variable?: string }).Variable).includes('DEVICE_STATE'))
        inside = undefined;
      return result;
    },
  });
  const servers = [
    new QueueMembership(db, seenBy('a'), log, patienceMs),
    new QueueMembership(other, seenBy('b'), log, patienceMs),
  ] as const;
  const phone = await enter(db, 1);
  await servers[0].sync(phone, { thorough: true });
  for (let round = 0; round < 10; round++) {
    const who = { agent: '1001' };
    const change = round % 2 === 0 ? pause(db, 'astercc', who, '0') : ready(db, 'astercc', who);
    await Promise.all([
      servers[0].sync(phone),
      change.then(() => Promise.all([servers[1].sync(phone), servers[0].sync(phone, { thorough: true })])),
    ]);
    t.same(manager.members('astercc-support'), [round % 2 === 0 ? '1001 paused:pause:0' : '1001']);
  }
  t.same(mixed, []);
});

void t.test('a server that hung for longer than its lease tells Asterisk nothing more', async (t) => {
  const { db, url, manager } = await team(t, 1);
  const other = connect(url, patient);
  t.teardown(() => other.destroy());
  const phone = await enter(db, 1);
  const server = (of: Database) => new QueueMembership(of, manager, log, patienceMs);
  const [hung, living] = [server(db), server(other)];
  const { forward } = stillClock(t);
  await living.sync(phone, { thorough: true });
  let wake: () => void = () => undefined;
  let hanging = false;
  manager.gate = (action) => {
    if (hanging || action !== 'QueueStatus') return Promise.resolve();
    hanging = true;
    return new Promise((resolve) => (wake = resolve));
  };
  await pause(db, 'astercc', { agent: '1001' }, '0');
  const late = hung.sync(phone, { alone: true });
  await until('the first to hang', () => (hanging ? true : undefined));
  await ready(db, 'astercc', { agent: '1001' });
  // Its five seconds are over: by the database's clock, and by its own.
  await db('phone_leases').update({ expires_at: db.raw(`clock_timestamp() - interval '1 s'`) });
  t.ok(await living.sync(phone));
  forward(6000);
  const before = manager.seen.length;
  wake();
  t.notOk(await late, 'it says that it failed');
  t.same(manager.seen.slice(before), [], 'and does nothing');
  t.same(manager.members('astercc-support'), ['1001']);
  t.equal((await openSignIn(db, 'astercc', { agent: '1001' }))?.extension, '5001');
});

void t.test(
  'what ends for many at once is told with a few statements, also beside a busy phone',
  async (t) => {
    const { db, manager } = await team(t, 20);
    const membership = new QueueMembership(db, manager, log, patienceMs);
    const phones = await Promise.all(Array.from({ length: 20 }, (_, index) => enter(db, index + 1)));
    await Promise.all(phones.map((phone) => membership.sync(phone, { thorough: true })));
    await Promise.all(phones.map(({ agent }) => pause(db, 'astercc', { agent }, '0')));
    let statements = 0;
    db.on('query', () => statements++);
    // A lease that has grown old would be renewed.
    const { goOn } = stillClock(t);
    await membership.syncAll(phones);
    goOn();
    t.equal(statements, 3, 'leases, what is wanted, and giving the leases back');
    t.ok(manager.members('astercc-support').every((member) => member.endsWith('paused:pause:0')));

    // One is being told about by somebody else: the others do not wait for it.
    await db('phone_leases').insert({
      phone: 'PJSIP/astercc-5001',
      holder: 'somebody else',
      expires_at: db.raw(`clock_timestamp() + interval '1 hour'`),
    });
    await Promise.all(phones.map(({ agent }) => ready(db, 'astercc', { agent })));
    const all = membership.syncAll(phones);
    await until('the others to be free', () =>
      manager.members('astercc-support').filter((member) => !member.includes('paused')).length === 19
        ? true
        : undefined,
    );
    await db('phone_leases').delete();
    await all;
    t.notMatch(manager.members('astercc-support').join(' '), 'paused');
    await signOut(db, 'astercc', { agent: '1001' }, 'test');
  },
);

for (const [asterisk, knowsReason] of [
  ['Asterisk 22', true],
  ['Asterisk 16', false],
] as const)
  void t.test(
    `a wrap-up that comes to a phone with its agent is marked there until it is over, on ${asterisk}`,
    async (t) => {
      const { db, manager } = await team(t, 2);
      manager.knowsReason = knowsReason;
      const membership = new QueueMembership(db, manager, log, patienceMs);
      const left = await enter(db, 1);
      await membership.sync(left, { thorough: true });
      await manager.wrapUp('PJSIP/astercc-5001', 'offer.1');
      await beginWrapUp(db, left.id, 'offer.1', undefined);
      await membership.sync(left, { thorough: true });
      const marks = (): string[] => [...manager.astdb.keys()].filter((key) => key.includes('star64-wrapup'));
      t.same(
        marks(),
        ['star64-wrapup/astercc-5001'],
        'where a hangup handler has marked it nothing is added',
      );
      await db('sign_ins').update({ signed_in_at: db.raw(`signed_in_at - interval '1 minute'`) });
      const moved = await signIn(db, 'astercc', { agent: '1001', extension: '5002', by: 'test' });
      if (moved.outcome !== 'moved') throw new Error(moved.outcome);
      await membership.sync(moved.left, { thorough: true });
      await membership.sync(moved.signIn, { thorough: true });
      t.same(manager.members('astercc-support'), ['1001 paused:wrapup']);
      t.same(marks(), ['CustomPresence/star64-wrapup/astercc-5002']);
      await ready(db, 'astercc', { agent: '1001' });
      await membership.sync(moved.signIn);
      t.same(manager.members('astercc-support'), ['1001']);
      t.same(marks(), []);
    },
  );

void t.test('while Asterisk takes nothing that is a few lines, not one for each phone', async (t) => {
  const { db, manager } = await team(t, 6);
  const said: string[] = [];
  const heard = pino(
    { level: 'info' },
    { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const membership = new QueueMembership(db, manager, heard);
  const phones = await Promise.all(Array.from({ length: 6 }, (_, index) => enter(db, index + 1)));
  manager.gate = () => Promise.reject(new Error('the connection is lost'));
  for (let round = 0; round < 3; round++) {
    await membership.syncAll(phones);
    for (const phone of phones) t.notOk(await membership.sync(phone), 'each caller is told');
    await membership.cancelOffer('offer.1');
  }
  t.same(said, ['queues not told yet: the reconciliation will', 'an offer rings on']);
});
