import { pino } from 'pino';
import t, { type Test } from 'tap';
import { until } from '../../domain/machine/processes.js';
import { transition } from '../../domain/presence/agent-state.js';
import { signIn, type SignInOutcome } from '../../domain/presence/sign-in.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { crowd, provision } from '../../lab/provision.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { AutomaticSignOut } from '../../pbx/watch/loops/automatic-sign-out.js';
import { Deadlines } from '../../pbx/watch/loops/deadlines.js';
import { EmptyQueues } from '../../pbx/watch/loops/empty-queues.js';
import { Follower } from '../../pbx/watch/loops/follower.js';
import { Loop } from '../../pbx/watch/loops/loop.js';
import { OrderedWork } from '../../pbx/watch/events/ordered-work.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });

async function site(t: Test, agents: number) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(agents));
  const manager = new StubManager('astercc-support');
  const membership = new QueueMembership(db, manager, log, 60_000);
  const enter = async (number: number) => {
    const request = { agent: String(1000 + number), extension: String(5000 + number), by: 'test' };
    const result: SignInOutcome = await signIn(db, 'astercc', request);
    if (result.outcome !== 'signed-in') throw new Error(result.outcome);
    await membership.sync(result.signIn, { thorough: true });
    return result.signIn;
  };
  return { db, manager, membership, enter };
}

void t.test(
  'a wrap-up ends while a whole shift is being signed out and Asterisk is slow with it',
  async (t) => {
    const { db, manager, membership, enter } = await site(t, 12);
    const phones = await Promise.all(Array.from({ length: 12 }, (_, index) => enter(index + 1)));
    const [first, ...others] = phones;
    if (!first) throw new Error('nobody');
    // Everybody but the first belongs to a shift that is over.
    await addGroup(db, 'astercc', { name: 'night', idleSignOutSeconds: 60 });
    await db('sign_ins')
      .whereIn(
        'id',
        others.map(({ id }) => id),
      )
      .update({ current_group_id: db('agent_groups').where({ name: 'night' }).select('id') });
    await db('sign_ins').update({ acted_at: db.raw(`acted_at - interval '1 hour'`) });
    await transition(db, first.id, 'wrap-up', { offerId: 'offer.1', deadlineSeconds: 3600 });
    await membership.sync(first);
    await manager.wrapUp('PJSIP/astercc-5001', 'offer.1');

    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    manager.gate = (action, { Interface = '' }) =>
      action === 'QueueRemove' && Interface !== 'PJSIP/astercc-5001' ? held : Promise.resolve();
    const shift = new AutomaticSignOut(db, 'default', membership, log);
    const late: number[] = [];
    const deadlines = new Deadlines(db, 'default', membership, log, (seconds) => late.push(seconds));
    shift.start();
    await until('the first to be signed out, while Asterisk is not told yet', async () => {
      const open = await db('sign_ins').whereNull('signed_out_at');
      return open.length === 1 && manager.seen.some((action) => action === 'QueueRemove PJSIP/astercc-5002')
        ? true
        : undefined;
    });
    await db('agent_states')
      .whereNull('ended_at')
      .update({ deadline_at: db.raw(`clock_timestamp() - interval '7 seconds'`) });
    deadlines.start();
    await until('the wrap-up to be over in Asterisk', () =>
      manager.members('astercc-support').includes('1001') ? true : undefined,
    );
    t.equal(manager.members('astercc-support').length, 12, 'none of the others has left the queue yet');
    go();
    await until('the others to have left', () =>
      manager.members('astercc-support').length === 1 ? true : undefined,
    );
    await shift.stop();
    await deadlines.stop();
    t.equal(late.length, 1, 'one wrap-up');
    t.ok((late[0] ?? 0) >= 7, `${late[0]} s late`);
    const why = await db('sign_ins')
      .whereNotNull('signed_out_by')
      .distinct()
      .pluck<string[]>('signed_out_by');
    t.same(why, ['idle']);
  },
);

void t.test('an agent in a call or a fixed one is not signed out; of two servers one does it', async (t) => {
  const { db, membership, enter } = await site(t, 2);
  const [talking, idle] = [await enter(1), await enter(2)];
  await db('agent_groups').update({ idle_sign_out_seconds: 60 });
  await transition(db, talking.id, 'offer', { offerId: 'offer.1' });
  await db('sign_ins').update({ acted_at: db.raw(`acted_at - interval '1 hour'`) });
  const servers = [
    new AutomaticSignOut(db, 'default', membership, log),
    new AutomaticSignOut(db, 'default', membership, log),
  ];
  for (const server of servers) server.start();
  await until('the idle one to be signed out', async () =>
    (await db('sign_ins').where({ id: idle.id }).whereNotNull('signed_out_at')).length === 1
      ? true
      : undefined,
  );
  for (const server of servers) await server.stop();
  t.same(await db('sign_ins').whereNull('signed_out_at').pluck('id'), [talking.id]);
});

void t.test('a loop works once at a time, and once more for whatever came meanwhile', async (t) => {
  let running = 0;
  let runs = 0;
  let most = 0;
  let finish: () => void = () => undefined;
  const loop = new Loop(async () => {
    runs++;
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => (finish = resolve));
    running--;
    return 60_000;
  });
  loop.start();
  loop.poke();
  loop.poke();
  finish();
  await until('the second run', () => (runs === 2 && running === 1 ? true : undefined));
  const stopped = loop.stop();
  loop.poke();
  finish();
  await stopped;
  t.same({ runs, most, running }, { runs: 2, most: 1, running: 0 }, 'nothing begins after its end');
});

void t.test(
  'what a command has changed is told, a few phones at a time, and said when it cannot be',
  async (t) => {
    const { db, manager, membership, enter } = await site(t, 9);
    const phones = await Promise.all(Array.from({ length: 9 }, (_, index) => enter(index + 1)));
    let missed = 0;
    const follower = new Follower(db, 'default', membership, log, () => missed++);
    let most = 0;
    let now = 0;
    let open: () => void = () => undefined;
    const four = new Promise<void>((resolve) => (open = resolve));
    manager.gate = async (action) => {
      if (action !== 'QueueStatus') return;
      most = Math.max(most, ++now);
      if (now === 4) open();
      await four;
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    };
    for (const { id } of phones) await transition(db, id, 'pause', { pauseDigit: '0' });
    follower.take('not one of ours; drop table');
    follower.take(phones.map(({ id }) => id).join(','));
    await until('all to be paused', () =>
      manager.members('astercc-support').every((member) => member.includes('paused:pause:0'))
        ? true
        : undefined,
    );
    await follower.stop();
    t.equal(missed, 0);
    t.equal(most, 4, 'four at a time');
    manager.gate = () => Promise.reject(new Error('Asterisk is away'));
    follower.take(String(phones[0]?.id));
    await until('it to be said', () => (missed > 0 ? true : undefined));
    await follower.stop();
  },
);

void t.test(
  'a fault that lasts is no line for each look: it is said when it begins and when it is over',
  async (t) => {
    const { db, manager, membership } = await site(t, 1);
    let [broken, looks] = [false, 0];
    const asked = new Proxy(db, {
      get: (target, name) => {
        if (name !== 'raw' && name !== 'transaction') return Reflect.get(target, name) as unknown;
        looks++;
        if (broken) throw new Error('a table is gone');
        return target[name].bind(target);
      },
    });
    const said: string[] = [];
    const heard = pino(
      { level: 'info' },
      { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) },
    );
    for (const [loop, fault, over] of [
      [
        new AutomaticSignOut(asked, 'default', membership, heard),
        'nobody could be signed out automatically',
        'agents are signed out automatically again',
      ],
      [
        new EmptyQueues(asked, 'default', manager, () => true, heard),
        'queues could not be looked at',
        'queues are looked at again',
      ],
    ] as const) {
      const look = async (): Promise<void> => {
        const before = looks;
        loop.poke();
        await until('a look', () => (looks > before ? true : undefined));
      };
      broken = true;
      loop.start();
      for (let index = 0; index < 10; index++) await look();
      broken = false;
      await look();
      await until('the end to be said', () => (said.includes(over) ? true : undefined));
      await loop.stop();
      t.same(said.splice(0), [fault, over]);
    }
  },
);

void t.test('what PostgreSQL gave up is tried once more before it counts as missed', async (t) => {
  const { db } = await freshDatabase(t);
  const slowly = (): Promise<void> =>
    db.transaction(async (trx) => {
      await trx.raw('set local statement_timeout = 1');
      await trx.raw('select pg_sleep(60)');
    });
  const away = (): Promise<void> => Promise.reject(new Error('Query read timeout'));
  const wrong = async (): Promise<void> => {
    await db.raw('select 1 / 0');
  };
  for (const [fails, times, tries, missed] of [
    [slowly, 1, 2, 0],
    [away, 1, 2, 0],
    [slowly, 2, 2, 1],
    [wrong, 1, 1, 1],
  ] as const) {
    const seen = { tries: 0, missed: 0 };
    const work = new OrderedWork(log, () => seen.missed++);
    work.add({ key: 'call', run: () => (++seen.tries > times ? Promise.resolve() : fails()) });
    await work.settled();
    t.same(seen, { tries, missed }, fails.name);
  }
});

void t.test(
  'nor is it one for each event: each is missed, and the reconciliation is asked for',
  async (t) => {
    const said: string[] = [];
    const heard = pino(
      { level: 'info' },
      { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) },
    );
    let missed = 0;
    const work = new OrderedWork(heard, () => missed++);
    for (let index = 0; index < 20; index++)
      work.add({ key: `call.${index % 4}`, run: () => Promise.reject(new Error('a table is gone')) });
    await work.settled();
    t.equal(missed, 20);
    t.same(said, ['events could not be recorded']);
  },
);
