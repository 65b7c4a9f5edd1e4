import { pino } from 'pino';
import t, { type Test } from 'tap';
import { until } from '../../domain/machine/processes.js';
import { transition } from '../../domain/presence/agent-state.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { AutomaticSignOut } from '../../pbx/watch/loops/automatic-sign-out.js';
import { Deadlines } from '../../pbx/watch/loops/deadlines.js';
import { Follower } from '../../pbx/watch/loops/follower.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });

/** Two Asterisks on one database: team astercc lives on `west`, team other on `east`, each with an agent at work. */
async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  await provision(db, crowd(1, { team: 'other', did: '600200' }));
  await db('nodes').insert([{ name: 'west' }, { name: 'east' }]);
  await db('teams').where({ identity: 'astercc' }).update({ node: 'west' });
  await db('teams').where({ identity: 'other' }).update({ node: 'east' });
  const enter = async (team: string) => {
    const entered = await signIn(db, team, { agent: '1001', extension: '5001', by: 'test' });
    if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
    return entered.signIn;
  };
  const nodes = { west: await enter('astercc'), east: await enter('other') };
  const server = (node: keyof typeof nodes) => {
    // Whatever has been generated there: both Asterisks have all queues.
    const manager = new StubManager('astercc-support', 'other-support');
    const membership = new QueueMembership(db, manager, log, 60_000);
    const observer = new Observer(db, node, log, {
      deadlineSet: () => undefined,
      missed: () => t.fail('missed'),
    });
    const reconciliation = new Reconciliation(db, node, manager, membership, log);
    return { node, manager, membership, observer, reconciliation };
  };
  return { db, phones: nodes, west: server('west'), east: server('east') };
}

const event = (name: string, headers: Record<string, string>): AmiMessage => ({
  name,
  headers: new Map(Object.entries(headers)),
  repeated: new Map(),
});
const joined = (queue: string): AmiMessage =>
  event('QueueCallerJoin', { queue, uniqueid: '1700000000.1', linkedid: '1700000000.1', calleridnum: queue });

void t.test('what lives on one Asterisk is nothing of the other', async (t) => {
  const { db, west, east } = await site(t);
  // The same uniqueid on both: Asterisk makes it of the time and a counter.
  west.observer.take(joined('astercc-support'));
  east.observer.take(joined('other-support'));
  await west.observer.settled();
  await east.observer.settled();
  const calls = () => db('calls').orderBy('node').select('node', 'caller', 'ended_at');
  const both = [
    { node: 'east', caller: 'other-support', ended_at: null },
    { node: 'west', caller: 'astercc-support', ended_at: null },
  ];
  t.same(await calls(), both);

  // Only west's call lives; east's is over.
  west.manager.channels = [{ channel: 'PJSIP/trunk-1', uniqueid: '1700000000.1', linkedid: '1700000000.1' }];
  west.manager.waiting = [{ queue: 'astercc-support', uniqueid: '1700000000.1', caller: '1' }];
  await west.reconciliation.run();
  t.same(await calls(), both, 'west ends nothing of east');
  t.same(west.manager.members('astercc-support'), ['1001']);
  t.same(west.manager.members('other-support'), [], 'and adds nobody of east');
  await east.reconciliation.run();
  t.match(await calls(), [
    { node: 'east', ended_at: Date },
    { node: 'west', ended_at: null },
  ]);
  t.same(east.manager.members('other-support'), ['1001']);
  t.same(east.manager.members('astercc-support'), []);

  // A queue of the same name as one that lives elsewhere is the operator's own.
  const stranger = { name: 'theirs', penalty: '0', paused: false, reason: '', stateInterface: '' };
  east.manager.queues.get('astercc-support')?.set('PJSIP/astercc-5009', stranger);
  await east.reconciliation.run();
  t.same(east.manager.members('astercc-support'), ['theirs']);
});

void t.test('an event of the wrong Asterisk changes nobody', async (t) => {
  const { db, phones, east } = await site(t);
  const offer = {
    queue: 'astercc-support',
    interface: 'PJSIP/astercc-5001',
    destuniqueid: '2',
    uniqueid: '1',
  };
  east.observer.take(event('AgentCalled', offer));
  east.observer.take(event('AgentConnect', offer));
  east.observer.take(joined('astercc-support'));
  await east.observer.settled();
  const states = await db('agent_states').where({ sign_in_id: phones.west.id }).pluck<string[]>('state');
  t.same(states, ['idle']);
  t.same(await db('calls'), []);
});

void t.test('deadlines and commands are carried out where the team lives', async (t) => {
  const { db, phones, west, east } = await site(t);
  for (const { id } of Object.values(phones))
    await transition(db, id, 'wrap-up', { offerId: 'offer', deadlineSeconds: 0 });
  const deadlines = new Deadlines(db, west.node, west.membership, log);
  const shift = new AutomaticSignOut(db, west.node, west.membership, log);
  await db('agent_groups').update({ idle_sign_out_seconds: 60 });
  deadlines.start();
  const open = (id: number) =>
    db('agent_states')
      .where({ sign_in_id: id, ended_at: null })
      .first<{ state: string } | undefined>('state');
  await until('the wrap-up of west to end', async () =>
    (await open(phones.west.id))?.state === 'idle' ? true : undefined,
  );
  await db('sign_ins').update({ acted_at: db.raw(`acted_at - interval '1 hour'`) });
  shift.start();
  await until('who idles in west to be signed out', async () =>
    (await open(phones.west.id)) === undefined ? true : undefined,
  );
  await deadlines.stop();
  await shift.stop();
  t.match(await open(phones.east.id), { state: 'wrap-up' }, 'whose deadline is for the servers of east');

  for (const { node, manager, membership } of [west, east]) {
    const follower = new Follower(db, node, membership, log, () => t.fail('missed'));
    manager.seen.length = 0;
    follower.take(`${phones.west.id},${phones.east.id}`);
    await follower.stop();
    const told = manager.seen.filter((action) => action.startsWith('Queue'));
    t.ok(told.length > 0);
    const theirs = node === 'west' ? 'other' : 'astercc';
    t.notOk(
      told.some((action) => action.includes(theirs)),
      node,
    );
  }
});
