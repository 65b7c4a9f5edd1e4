import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { gone, observed, offer, rings, sales, support } from '../support/observed.js';

void t.test(
  'a call, from the queue to the wrap-up, takes few statements, all of them prepared',
  async (t) => {
    const { db, observer, take, group } = await observed(t);
    const seen: { sql: string; options?: { name?: string } }[] = [];
    db.on('query', (query: { sql: string; options?: { name?: string } }) => void seen.push(query));
    take('QueueCallerJoin', { ...support, position: '1' });
    take('AgentCalled', { ...support, ...offer(1) });
    take('DialState', rings(1));
    take('QueueCallerLeave', support);
    take('AgentConnect', { ...support, ...offer(1) });
    const end = { queue: 'astercc-support', member: 'PJSIP/astercc-5001', offer: 'offer.1', wrapup: 'yes' };
    take('UserEvent', { userevent: 'Star64OfferEnd', ...end });
    take('Hangup', gone('offer.1', { channelstatedesc: 'Up', cause: '16' }));
    take('Hangup', gone('call.1', { channelstatedesc: 'Up', cause: '16' }));
    await observer.settled();
    db.removeAllListeners('query');
    // On a busy machine the ends are written in one batch more.
    t.ok(seen.length <= 15, `${seen.length} statements`);
    t.same(
      seen.filter(({ options }) => options?.name === undefined).map(({ sql }) => sql),
      [],
      'not one is parsed anew',
    );
    t.match(await group('support'), { waiting: 0, talking: 0, answered: 1 });
    t.match(await db('agent_states').orderBy('id').pluck<string[]>('state'), [
      'idle',
      'idle',
      'ringing',
      'talking',
      'wrap-up',
    ]);
    t.match(await db('agent_states').where({ state: 'talking' }).select(), [{ call_uniqueid: 'call.1' }]);
    t.match(await db('offers').select(), [{ result: 'answered', ended_at: Date, visit_id: Number }]);
  },
);

void t.test('what came of an offer is told by the end of its channel', async (t) => {
  const { db, observer, take } = await observed(t);
  const cases: [string, { gaveUp: boolean; state: string; cause: string; reply?: string }][] = [
    ['missed', { gaveUp: true, state: 'Ringing', cause: '0' }],
    ['rejected', { gaveUp: true, state: 'Ringing', cause: '17' }],
    ['rejected', { gaveUp: true, state: 'Ringing', cause: '21' }],
    ['refused', { gaveUp: true, state: 'Down', cause: '17' }],
    ['refused', { gaveUp: true, state: 'Down', cause: '0' }],
    // The caller has hung up, or a colleague was faster.
    ['cancelled', { gaveUp: false, state: 'Ringing', cause: '0' }],
    ['cancelled', { gaveUp: false, state: 'Down', cause: '26' }],
    ['cancelled', { gaveUp: false, state: 'Ringing', cause: '0', reply: '180' }],
    // It sends its calls on: app_queue gives no such offer up.
    ['refused', { gaveUp: false, state: 'Down', cause: '0', reply: '302' }],
    ['rejected', { gaveUp: false, state: 'Ringing', cause: '23', reply: '302' }],
    // Picked up too late.
    ['cancelled', { gaveUp: false, state: 'Up', cause: '16' }],
    ['cancelled', { gaveUp: true, state: 'Up', cause: '16' }],
  ];
  take('QueueCallerJoin', support);
  for (const [index, [, { gaveUp, state, cause, reply }]] of cases.entries()) {
    const attempt = { ...offer(1), destuniqueid: `offer.${index}` };
    take('AgentCalled', { ...support, ...attempt });
    if (gaveUp) take('AgentRingNoAnswer', { ...support, ...attempt });
    if (reply !== undefined) {
      const end = { queue: 'astercc-support', member: 'PJSIP/astercc-5001', offer: `offer.${index}` };
      take('UserEvent', { userevent: 'Star64OfferEnd', ...end, wrapup: 'no', reply });
    }
    take('Hangup', gone(`offer.${index}`, { channelstatedesc: state, cause }));
  }
  await observer.settled();
  t.same(
    await db('offers').orderBy('id').pluck<string[]>('result'),
    cases.map(([result]) => result),
  );
  t.same(await db('offers').whereNull('ended_at'), []);
});

void t.test(
  'a phone that refuses at once never rings, and its agent is said to have missed it',
  async (t) => {
    const unanswered: string[] = [];
    const { db, observer, take } = await observed(t, (offerIds) => unanswered.push(...offerIds));
    take('QueueCallerJoin', support);
    take('AgentCalled', { ...support, ...offer(1) });
    take('AgentRingNoAnswer', { ...support, ...offer(1) });
    const end = { queue: 'astercc-support', member: 'PJSIP/astercc-5001', offer: 'offer.1', wrapup: 'no' };
    take('UserEvent', { userevent: 'Star64OfferEnd', ...end });
    take('Hangup', gone('offer.1', { channelstatedesc: 'Down', cause: '17' }));
    take('AgentCalled', { ...support, ...offer(2) });
    take('DialState', rings(2));
    take('Hangup', gone('offer.2', { channelstatedesc: 'Ringing', cause: '0' }));
    await observer.settled();
    t.same(await db('agent_states').orderBy('id').pluck<string[]>('state'), ['idle', 'idle', 'ringing']);
    t.same(await db('offers').orderBy('id').pluck<string[]>('result'), ['refused', 'cancelled']);
    t.same(unanswered, ['offer.1']);
  },
);

void t.test('who leaves a queue while their joining is still being written waits no longer', async (t) => {
  const { db, observer, take, group } = await observed(t);
  const other = { ...sales, uniqueid: 'call.2', linkedid: 'call.2' };
  take('QueueCallerJoin', other);
  await observer.settled();
  const slow = await db.transaction();
  await slow.raw("insert into calls (team_id, node, uniqueid) select id, 'default', 'call.1' from teams");
  take('QueueCallerJoin', support);
  take('QueueCallerLeave', support);
  // What is over is written together: with this one, all that could be written before.
  take('Hangup', { uniqueid: 'call.2', linkedid: 'call.2' });
  await until('the end of the other call', async () =>
    (await db('calls').where({ uniqueid: 'call.2' }).whereNotNull('ended_at')).length > 0 ? true : undefined,
  );
  await slow.rollback();
  await observer.settled();
  t.equal((await db('queue_visits')).length, 2);
  t.match(await group('support'), { waiting: 0 });
});

void t.test('a consultation in a queue becomes the visit of the customer who is left there', async (t) => {
  const { db, observer, take, group } = await observed(t);
  take('QueueCallerJoin', support);
  take('AgentCalled', { ...support, ...offer(1) });
  take('QueueCallerLeave', support);
  take('AgentConnect', { ...support, ...offer(1) });
  // The agent's own call into sales, which waits.
  const asked = { uniqueid: 'ask.1', linkedid: 'ask.1', calleridnum: '5001', queue: 'astercc-sales' };
  take('QueueCallerJoin', asked);
  await observer.settled();
  t.match(await group('sales'), { waiting: 1 });
  take('AttendedTransfer', {
    origtransfereruniqueid: 'offer.1',
    secondtransfereruniqueid: 'ask.1',
    transfereeuniqueid: 'call.1',
    transfereelinkedid: 'call.1',
    desttype: 'App',
    destapp: 'Queue',
  });
  take('Hangup', { uniqueid: 'ask.1', linkedid: 'ask.1' });
  take('Hangup', gone('offer.1', { channelstatedesc: 'Up' }));
  await observer.settled();
  t.match(await group('sales'), { waiting: 1 }, 'the place is kept');
  t.match(await group('support'), { talking: 0, answered: 1 });
  t.match(
    await db('queue_visits').whereNull('left_at').select('uniqueid'),
    [{ uniqueid: 'call.1' }],
    'by the channel that stands there now',
  );
  // It may also be another channel that takes its place, of the customer's linkedid.
  const there = { ...sales, uniqueid: 'local.2' };
  take('AgentCalled', { ...there, ...offer(2) });
  take('QueueCallerLeave', there);
  take('AgentConnect', { ...there, ...offer(2) });
  await observer.settled();
  t.match(await group('sales'), { waiting: 0, talking: 1, answered: 1 });
  t.match(await db('agent_states').whereNull('ended_at').where({ state: 'talking' }).orderBy('id'), [
    { call_uniqueid: 'call.1' },
    { call_uniqueid: 'call.1' },
  ]);
  take('Hangup', gone('call.1'));
  await observer.settled();
  t.match(await group('sales'), { waiting: 0, talking: 0, answered: 1 });
});
