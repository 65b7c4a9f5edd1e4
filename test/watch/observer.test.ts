import { pino } from 'pino';
import t, { type Test } from 'tap';
import { signIn } from '../../domain/presence/sign-in.js';
import { CallJournal } from '../../domain/calls/journal.js';
import { until } from '../../domain/machine/processes.js';
import { readStatus } from '../../domain/monitor/status.js';
import { addRingGroup } from '../../domain/provisioning/ring-group.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { Observer } from '../../pbx/watch/observer.js';
import { freshDatabase } from '../support/database.js';

const log = pino({ enabled: false });

async function site(t: Test, unanswered: (offerIds: readonly string[]) => void = () => undefined) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2, { groups: [{ name: 'support' }, { name: 'sales' }] }));
  for (const n of [1, 2]) await signIn(db, 'astercc', { agent: `100${n}`, extension: `500${n}`, by: 'test' });
  const observer = new Observer(db, 'default', log, {
    deadlineSet: () => undefined,
    missed: () => t.fail('missed'),
    unanswered,
  });
  const take = (name: string, headers: Record<string, string>): void => {
    const message: AmiMessage = { name, headers: new Map(Object.entries(headers)), repeated: new Map() };
    observer.take(message);
  };
  const group = async (name: string) =>
    (await readStatus(db, 'astercc')).groups.find((one) => one.name === name);
  return { db, observer, take, group };
}

const caller = { uniqueid: 'call.1', linkedid: 'call.1', calleridnum: '+4930' };
const support = { ...caller, queue: 'astercc-support' };
const sales = { ...caller, queue: 'astercc-sales' };
const offer = (n: number) => ({
  interface: `PJSIP/astercc-500${n}`,
  membername: `100${n}`,
  destuniqueid: `offer.${n}`,
});
/** app_dial's and app_queue's word for a phone that rings. */
const rings = (n: number) => ({ uniqueid: 'call.1', destuniqueid: `offer.${n}`, dialstatus: 'RINGING' });
const gone = (uniqueid: string, more: Record<string, string> = {}) => ({
  uniqueid,
  linkedid: 'call.1',
  ...more,
});

void t.test(
  'a call, from the queue to the wrap-up, takes few statements, all of them prepared',
  async (t) => {
    const { db, observer, take, group } = await site(t);
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
  const { db, observer, take } = await site(t);
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
    const { db, observer, take } = await site(t, (offerIds) => unanswered.push(...offerIds));
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

void t.test('a caller whom the queue lets go is not one who gives up', async (t) => {
  const { db, observer, take, group } = await site(t);
  const left = (outcome: string) => ({ ...support, userevent: 'Star64Left', outcome });
  const outcomes = async () => db('queue_visits').orderBy('id').pluck<(string | null)[]>('outcome');
  for (const outcome of ['again', 'nobody']) {
    take('QueueCallerJoin', support);
    take('QueueCallerAbandon', support);
    take('QueueCallerLeave', support);
    take('UserEvent', left(outcome));
    await observer.settled();
  }
  t.same(await outcomes(), ['again', 'nobody'], 'once the caller went on waiting');
  t.same(await db('calls').pluck<string[]>('outcome'), ['nobody']);
  t.match(await group('support'), { waiting: 0, abandoned: 1 }, 'left without an answer');
  const told = () => db('events').where({ type: 'call.abandoned' }).pluck<string[]>('type');
  t.same(await told(), [], 'nobody is told that they gave up');
  const other = { ...support, uniqueid: 'call.2', linkedid: 'call.2' };
  for (const event of ['QueueCallerJoin', 'QueueCallerAbandon', 'QueueCallerLeave', 'Hangup'])
    take(event, other);
  await observer.settled();
  t.same(await outcomes(), ['again', 'nobody', 'abandoned']);
  t.same(await told(), ['call.abandoned']);
});

void t.test(
  'who leaves by a key, or finds the queue full, is on record, and where they go then counts',
  async (t) => {
    const { db, observer, take, group } = await site(t);
    const left = (outcome: string) => ({ ...support, userevent: 'Star64Left', outcome });
    const visits = async () => db('queue_visits').orderBy('id').pluck<(string | null)[]>('outcome');
    const call = async () => db('calls').pluck<(string | null)[]>('outcome');
    take('QueueCallerJoin', support);
    take('QueueCallerLeave', support);
    take('UserEvent', left('key'));
    await observer.settled();
    t.same([await visits(), await call()], [['key'], [null]], 'the call goes on');
    t.match(await group('support'), { waiting: 0, abandoned: 0 }, 'they chose to');
    // A full queue tells nothing itself.
    take('UserEvent', left('full'));
    await observer.settled();
    t.same([await visits(), await call()], [['key', 'full'], ['full']]);
    t.match(await group('support'), { waiting: 0, abandoned: 1 });
    for (const event of ['QueueCallerJoin', 'QueueCallerAbandon', 'QueueCallerLeave', 'Hangup'])
      take(event, support);
    await observer.settled();
    t.same(
      [await visits(), await call()],
      [['key', 'full', 'abandoned'], ['abandoned']],
      'where they were sent they gave up',
    );
  },
);

void t.test('what became of a call to an extension is what the dialplan has told', async (t) => {
  const { db, observer, take } = await site(t);
  const extension = await db('extensions').where({ number: '5001' }).first<{ id: number; team_id: number }>();
  const cases: [string, { status?: string; cause?: string; state?: string; answered?: true }][] = [
    ['busy', { status: 'BUSY', cause: '17' }],
    ['no-answer', { status: 'NOANSWER', cause: '0' }],
    ['refused', { status: 'CHANUNAVAIL', cause: '21' }],
    ['refused', { status: 'CONGESTION', cause: '34' }],
    ['unreachable', { status: 'CHANUNAVAIL', cause: '20' }],
    // Hung up while it rang.
    ['abandoned', {}],
    ['answered', { answered: true, state: 'Up' }],
    // Whatever answered it, that somebody picked up was not seen.
    ['unknown', { state: 'Up' }],
    ['unknown', { status: 'INVALIDARGS', state: 'Down' }],
  ];
  for (const [index, [, { status, cause = '', state = 'Ring', answered }]] of cases.entries()) {
    const uniqueid = `call.${index}`;
    // The arrival is recorded later than the rest.
    if (status !== undefined) take('UserEvent', { userevent: 'Star64Dialled', uniqueid, status, cause });
    if (answered) take('UserEvent', { userevent: 'Star64PickedUp', uniqueid: 'phone.1', call: uniqueid });
    take('Hangup', { uniqueid, linkedid: uniqueid, channelstatedesc: state });
    const row = { team_id: extension.team_id, node: 'default', uniqueid, extension_id: extension.id };
    await db('calls').insert(row);
  }
  await observer.settled();
  t.same(
    await db('calls').orderBy('id').pluck<string[]>('outcome'),
    cases.map(([outcome]) => outcome),
  );
  t.same(await db('calls').whereNull('ended_at'), []);
  t.match(await db('calls').whereNotNull('answered_at').select(), [
    { outcome: 'answered', answered_at: Date },
  ]);
});

void t.test(
  'who hangs up in a menu, an announcement or a greeting has given up, if all of it was seen',
  async (t) => {
    const { db, observer, take } = await site(t);
    const team = await db('teams').where({ identity: 'astercc' }).first<{ id: number }>();
    // The time that a statement takes counts as not seen.
    const arrives = (uniqueid: string, did: string | null, after: string) => {
      const arrived_at = db.raw('clock_timestamp() + ?::interval', [after]);
      return db('calls').insert({ team_id: team.id, node: 'default', uniqueid, did, arrived_at });
    };
    const over = (uniqueid: string, linkedid = uniqueid) =>
      take('Hangup', { uniqueid, linkedid, channelstatedesc: 'Up' });
    await arrives('before', '600100', '-1 min');
    observer.watches();
    for (const uniqueid of ['menu', 'told', 'nobody', 'talked', 'agent-first'])
      await arrives(uniqueid, '600100', '1 min');
    await arrives('operators', null, '1 min');
    take('UserEvent', { userevent: 'Star64Over', uniqueid: 'told' });
    take('UserEvent', { userevent: 'Star64Over', uniqueid: 'nobody', outcome: 'nobody' });
    // That somebody picked up was told by nobody, as where a server hung when the call came.
    over('phone.1', 'agent-first');
    for (const uniqueid of ['before', 'menu', 'told', 'nobody', 'talked', 'agent-first', 'operators'])
      over(uniqueid);
    over('phone.2', 'talked');
    await observer.settled();
    const rows = await db('calls').orderBy('id').select<{ outcome: string; ended_by: string | null }[]>();
    t.same(
      rows.map(({ outcome, ended_by }) => [outcome, ended_by]),
      [
        ['unknown', null],
        ['abandoned', null],
        ['unknown', 'system'],
        ['nobody', null],
        ['unknown', null],
        ['unknown', null],
        ['unknown', null],
      ],
    );
  },
);

void t.test('a full disk loses no call, also none that began and ended meanwhile', async (t) => {
  const { db } = await site(t);
  let late = 0;
  const journal = new CallJournal(db, 'default', log, undefined, () => late++);
  let missed = 0;
  const observer = new Observer(db, 'default', log, { deadlineSet: () => undefined, missed: () => missed++ });
  const take = (name: string, headers: Record<string, string>): void =>
    observer.take({ name, headers: new Map(Object.entries(headers)), repeated: new Map() });
  await db.raw(`create function full_disk() returns trigger language plpgsql as
    $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$`);
  for (const table of ['calls', 'queue_visits'])
    await db.raw(`create trigger full_disk before insert or update on ${table} execute function full_disk()`);
  const calls = ['call.1', 'call.2', 'call.3'];
  for (const uniqueid of calls) {
    const there = { uniqueid, linkedid: uniqueid };
    const arrival = {
      team: 'astercc',
      did: '600100',
      caller: '+4930',
      destination: { kind: 'group', name: 'support' } as const,
    };
    journal.add({ uniqueid, ...arrival });
    take('QueueCallerJoin', { ...there, queue: 'astercc-support', position: '1' });
    take('Hangup', { ...there, channelstatedesc: 'Up' });
  }
  await until('both to have been refused', () => (missed > 3 ? true : undefined));
  await journal.flush();
  t.same(await db('calls'), []);
  for (const table of ['calls', 'queue_visits']) await db.raw(`drop trigger full_disk on ${table}`);
  journal.add({
    uniqueid: 'call.4',
    team: 'astercc',
    did: '600100',
    caller: null,
    destination: null,
  });
  await until('the ends of the three', async () =>
    (await db('calls').whereNotNull('ended_at')).length === 3 ? true : undefined,
  );
  t.match(await db('calls').whereIn('uniqueid', calls).select(), [
    ...calls.map(() => ({ did: '600100', caller: '+4930', outcome: 'unknown' })),
  ]);
  t.ok(late > 0, 'the reconciliation is told: their ends may have been lost');
  await observer.settled();
  await journal.flush();
});

void t.test('a consultation in a queue becomes the visit of the customer who is left there', async (t) => {
  const { db, observer, take, group } = await site(t);
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

void t.test('of a call to a ring group: which one, who answered, or why nobody did', async (t) => {
  const { db, observer, take } = await site(t);
  await addRingGroup(db, 'astercc', { number: '701', members: ['5001', 'outside:+49151'] });
  const arrived = async (uniqueid: string): Promise<void> => {
    await db.raw(
      `insert into calls (team_id, node, uniqueid, arrived_at)
       select id, 'default', ?, clock_timestamp() - interval '60 s' from teams where identity = 'astercc'`,
      [uniqueid],
    );
    const reached = { userevent: 'Star64RingGroup', team: 'astercc', ringgroup: '701' };
    take('UserEvent', { ...reached, uniqueid, linkedid: uniqueid });
  };
  const over = (uniqueid: string): void =>
    take('Hangup', { uniqueid, linkedid: uniqueid, channel: 'PJSIP/t-1' });
  const pickedUp = (call: string, channel: string): void =>
    take('UserEvent', { userevent: 'Star64PickedUp', call, channel });
  await arrived('r.1');
  pickedUp('r.1', 'PJSIP/astercc-5001-0000001a');
  await arrived('r.2');
  pickedUp('r.2', 'Local/49151@astercc-confirm-0000001b;1');
  await arrived('r.3');
  take('UserEvent', { userevent: 'Star64RingGroupLeft', outcome: 'busy', uniqueid: 'r.3' });
  await arrived('r.4');
  take('UserEvent', { userevent: 'Star64RingGroupLeft', outcome: 'no-answer', uniqueid: 'r.4' });
  // It comes to another one, and the caller gives up there.
  await arrived('r.5');
  for (const call of ['r.1', 'r.2', 'r.3', 'r.4', 'r.5']) over(call);
  await observer.settled();
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `select c.outcome, r.number as "ringGroup", x.number as extension, a.number as agent, c.answered_number as outside
     from calls c left join ring_groups r on r.id = c.ring_group_id
     left join extensions x on x.id = c.answered_extension_id left join agents a on a.id = c.answered_agent_id
     order by c.uniqueid`,
  );
  const nobody = { ringGroup: '701', extension: null, agent: null, outside: null };
  t.same(rows, [
    { ...nobody, outcome: 'answered', extension: '5001', agent: '1001' },
    { ...nobody, outcome: 'answered', outside: '49151' },
    { ...nobody, outcome: 'busy' },
    { ...nobody, outcome: 'no-answer' },
    { ...nobody, outcome: 'abandoned' },
  ]);
});
