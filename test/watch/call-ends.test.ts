import { pino } from 'pino';
import t from 'tap';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { until } from '../../domain/machine/processes.js';
import { addRingGroup } from '../../domain/provisioning/features/ring-group.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { observed, support } from '../support/observed.js';

const log = pino({ enabled: false });

void t.test('a caller whom the queue lets go is not one who gives up', async (t) => {
  const { db, observer, take, group } = await observed(t);
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
    const { db, observer, take, group } = await observed(t);
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
  const { db, observer, take } = await observed(t);
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
    const { db, observer, take } = await observed(t);
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
  const { db } = await observed(t);
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

void t.test('of a call to a ring group: which one, who answered, or why nobody did', async (t) => {
  const { db, observer, take } = await observed(t);
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
