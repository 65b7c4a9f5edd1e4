import { pino } from 'pino';
import t, { type Test } from 'tap';
import { until } from '../../domain/machine/processes.js';
import { CallJournal } from '../../domain/calls/journal.js';
import type { CallOutRecords } from '../../domain/calls/calls-out-records.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { CallsOutWatch } from '../../pbx/watch/calls-out.js';
import { Observer } from '../../pbx/watch/observer.js';
import { Reconciliation } from '../../pbx/watch/reconciliation.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });

async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  await db('trunks').insert([
    { name: 'first', endpoint: 'provider.a' },
    { name: 'second', endpoint: 'provider.b' },
  ]);
  const follow = () => {
    const observer = new Observer(db, 'default', log, {
      deadlineSet: () => undefined,
      missed: () => t.fail('missed'),
    });
    const take = (name: string, headers: Record<string, string>): void => {
      const message: AmiMessage = { name, headers: new Map(Object.entries(headers)), repeated: new Map() };
      observer.take(message);
    };
    return { observer, take };
  };
  const manager = new StubManager('astercc-support');
  const membership = new QueueMembership(db, manager, log);
  const reconciliation = new Reconciliation(db, 'default', manager, membership, log);
  const record = async (uniqueid: string) =>
    (await db('calls').where({ uniqueid }).first<Record<string, unknown> | undefined>()) ?? {};
  return { db, ...follow(), follow, manager, reconciliation, record };
}

type Told = Record<string, string>;
const of = (call: string): Told => ({ uniqueid: call, linkedid: call, call, team: 'astercc' });
const out = (call: string, more: Told = {}): Told => ({
  ...of(call),
  userevent: 'Star64Out',
  phone: 'astercc-5001',
  dialled: '030123456',
  number: '+4930123456',
  refused: '',
  asked: 'no',
  ...more,
});
const tried = (call: string, position: number, outcome: string, more: Told = {}): Told => ({
  ...of(call),
  userevent: 'Star64Try',
  trunk: position === 1 ? 'provider.a' : 'provider.b',
  sent: '030123456',
  position: String(position),
  code: '',
  cause: '',
  outcome,
  milliseconds: '20',
  ...more,
});
const end = (call: string, more: Told = {}): Told => ({
  ...of(call),
  userevent: 'Star64OutEnd',
  status: '',
  cause: '16',
  talked: '0',
  endedby: 'callee',
  refused: '',
  ...more,
});
const gone = (call: string): Told => ({
  uniqueid: call,
  linkedid: call,
  channel: 'PJSIP/astercc-5001-00000001',
});
const legGone = (leg: string, call: string): Told => ({
  uniqueid: leg,
  linkedid: call,
  channel: 'PJSIP/provider.b-00000002',
});

void t.test('what becomes of a call, by what is told of its tries and its end', async (t) => {
  const { db, observer, take, record } = await site(t);
  const cases: [outcome: string, trunk: string | null, tries: Told[], end: Told][] = [
    ['busy', 'first', [tried('c', 1, 'ended', { code: '486' })], { cause: '17' }],
    [
      'no-answer',
      'second',
      [tried('c', 1, 'failed', { code: '503' }), tried('c', 2, 'ended', { code: '480' })],
      {},
    ],
    ['no-answer', 'first', [tried('c', 1, 'ended', { code: '180' })], { endedby: 'system' }],
    ['refused', 'first', [tried('c', 1, 'ended', { code: '603' })], {}],
    ['unreachable', 'first', [tried('c', 1, 'ended', { code: '404' })], {}],
    [
      'failed',
      null,
      [tried('c', 1, 'full'), tried('c', 2, 'failed', { code: '500' })],
      { endedby: 'system' },
    ],
    ['failed', null, [tried('c', 1, 'unavailable'), tried('c', 2, 'set-aside')], { endedby: 'system' }],
    ['abandoned', 'first', [tried('c', 1, 'ended', { code: '180' })], { endedby: 'caller' }],
    ['refused', null, [], { endedby: 'system', refused: 'limit' }],
  ];
  for (const [index, [, , tries, ending]] of cases.entries()) {
    const call = `call.${index}`;
    take('UserEvent', out(call));
    for (const one of tries) take('UserEvent', { ...one, ...of(call) });
    take('UserEvent', end(call, ending));
    take('Hangup', gone(call));
  }
  await observer.settled();
  for (const [index, [outcome, trunk, tries]] of cases.entries()) {
    const row = await record(`call.${index}`);
    t.match(
      row,
      { direction: 'out', outcome, trunk, ended_at: Date, answered_at: null },
      `${index} ${outcome}`,
    );
    t.equal((await db('call_tries').where({ call_id: row['id'] })).length, tries.length);
  }
  const [payer] = await db('users').where({ username: 'crowd' }).pluck<number[]>('id');
  const [agent] = await db('agents').where({ number: '1001' }).pluck<number[]>('id');
  t.match(await record('call.0'), { user_id: payer, from_agent_id: agent, ended_by: 'callee', cause: 17 });
});

void t.test('a conversation: ringing, answer, hold, and its end with the channel to the trunk', async (t) => {
  const { db, observer, take, record } = await site(t);
  take('UserEvent', out('call.1'));
  take('DialState', { uniqueid: 'call.1', destuniqueid: 'leg.1', dialstatus: 'RINGING' });
  take('UserEvent', { ...tried('call.1', 1, 'answered', { code: '200' }), uniqueid: 'leg.1' });
  take('UserEvent', {
    userevent: 'Star64PickedUp',
    uniqueid: 'leg.1',
    call: 'call.1',
    channel: 'PJSIP/provider.a-1',
  });
  take('Hold', { uniqueid: 'call.1', linkedid: 'call.1', channel: 'PJSIP/astercc-5001-1' });
  take('Hold', { uniqueid: 'leg.1', linkedid: 'call.1', channel: 'PJSIP/provider.a-1' });
  await observer.caughtUp();
  t.match(await record('call.1'), {
    ringing_at: Date,
    leg: 'leg.1',
    answered_at: Date,
    ended_at: null,
    outcome: 'answered',
  });
  await db.raw(`update calls set leg_answered_at = leg_answered_at - interval '1 minute'`);
  // Its caller has sent it on.
  take('UserEvent', end('call.1', { status: 'ANSWER', endedby: 'caller', talked: '60' }));
  take('Hangup', gone('call.1'));
  await observer.caughtUp();
  t.match(await record('call.1'), { ended_at: null });
  t.match(
    await db('holds').select(),
    [{ call: 'call.1', channel: 'call.1', ended_at: Date, hung_up: true }],
    'a hold ends with who holds, and that of a number outside is not seen',
  );
  take('Hangup', legGone('leg.1', 'call.1'));
  await observer.settled();
  t.match(await record('call.1'), { ended_at: Date, leg_ended_at: Date, trunk: 'first', ended_by: 'caller' });
  t.equal((await db('calls')).length, 1);
});

void t.test(
  'a call that is sent on to several numbers has the tries of each, and the talk with both',
  async (t) => {
    const { db, observer, take, record, follow } = await site(t);
    const arrivals = new CallJournal(db, 'default', log);
    arrivals.add({ uniqueid: 'call.1', team: 'astercc', did: '600100', caller: '+4917', destination: null });
    await arrivals.flush();
    const first = [
      tried('call.1', 1, 'failed', { code: '503', at: '1795000000001' }),
      { ...tried('call.1', 2, 'answered', { code: '200', at: '1795000000100' }), uniqueid: 'leg.1' },
    ];
    const second = [
      tried('call.1', 1, 'failed', { code: '503', at: '1795000009001', sent: '040' }),
      {
        ...tried('call.1', 2, 'answered', { code: '200', at: '1795000009100', sent: '040' }),
        uniqueid: 'leg.2',
      },
    ];
    for (const one of first) take('UserEvent', one);
    await observer.caughtUp();
    take('Hangup', legGone('leg.1', 'call.1'));
    await observer.caughtUp();
    for (const one of second) take('UserEvent', one);
    await observer.caughtUp();
    await db.raw(`update call_tries set at = at - interval '1 minute' where leg = 'leg.2'`);
    const other = follow();
    for (const one of second) other.take('UserEvent', one);
    for (const [name, what] of [
      [take, observer],
      [other.take, other.observer],
    ] as const) {
      name('Hangup', legGone('leg.2', 'call.1'));
      await what.settled();
    }
    t.same(
      (await db('call_tries').orderBy('id').select<{ sent: string; outcome: string }[]>()).map(
        ({ sent, outcome }) => `${sent} ${outcome}`,
      ),
      ['030123456 failed', '030123456 answered', '040 failed', '040 answered'],
    );
    const row = await record('call.1');
    t.match(row, { leg: 'leg.1', leg_ended_at: Date, direction: 'in' });
    const further = row['further_seconds'] as number;
    t.ok(further >= 59 && further < 100, `${further} s with the second one, counted once`);
  },
);

void t.test(
  'the beginning is written once, and by the watch only if the server that decided has not',
  async (t) => {
    const begun: string[][] = [];
    const recorded = new Set(['call.2']);
    const records = {
      begun: (calls: readonly { uniqueid: string }[]) => {
        begun.push(calls.map(({ uniqueid }) => uniqueid));
        for (const { uniqueid } of calls) recorded.add(uniqueid);
        return Promise.resolve([]);
      },
      told: (calls: readonly { uniqueid: string }[]) =>
        Promise.resolve(calls.map(({ uniqueid }) => uniqueid).filter((one) => recorded.has(one))),
      legsEnded: () => Promise.resolve([]),
    } as unknown as CallOutRecords;
    const settings = { byServerMs: 3_600_000 };
    const watch = new CallsOutWatch(records, () => undefined, settings);
    t.teardown(() => {
      watch.stop();
    });
    const take = (headers: Told): void => {
      watch.take({ name: 'UserEvent', headers: new Map(Object.entries(headers)), repeated: new Map() });
    };
    take(out('call.1'));
    take(out('call.2', { asked: 'yes' }));
    take(out('call.3', { asked: 'yes' }));
    await watch.write();
    for (const call of ['call.1', 'call.2', 'call.3']) take(tried(call, 1, 'failed', { code: '503' }));
    await watch.write();
    t.same(begun, [['call.1']], 'others are the word of the server that was asked');
    settings.byServerMs = 0;
    await watch.write();
    await watch.write();
    t.same(begun, [['call.1'], ['call.3']], 'which has died with it');
  },
);

void t.test('another server sees the end of what one saw begin', async (t) => {
  const { observer, take, follow, record } = await site(t);
  take('UserEvent', out('call.1'));
  take('UserEvent', { ...tried('call.1', 1, 'answered', { code: '200' }), uniqueid: 'leg.1' });
  await observer.settled();
  const other = follow();
  other.take('UserEvent', end('call.1', { status: 'ANSWER', talked: '40' }));
  other.take('Hangup', gone('call.1'));
  await other.observer.caughtUp();
  t.match(await record('call.1'), { ended_at: null }, 'the channel to the trunk lives on');
  other.take('Hangup', legGone('leg.1', 'call.1'));
  await other.observer.settled();
  t.match(await record('call.1'), { ended_at: Date, outcome: 'answered', ended_by: 'callee' });
});

void t.test('what ended while nobody watched lasted no longer than until then', async (t) => {
  const { db, observer, take, reconciliation, manager, record } = await site(t);
  take('UserEvent', out('call.1'));
  take('UserEvent', { ...tried('call.1', 1, 'answered', { code: '200' }), uniqueid: 'leg.1' });
  take('UserEvent', out('call.2'));
  take('UserEvent', { ...tried('call.2', 1, 'answered', { code: '200' }), uniqueid: 'leg.2' });
  await observer.settled();
  await db.raw(`update calls set arrived_at = now() - interval '3 hours', answered_at = now() - interval '3 hours',
    leg_answered_at = now() - interval '3 hours'`);
  await db.raw(`insert into leader_leases (node, holder, expires_at, unwatched_since)
    values ('default', 'test', now() + interval '1 minute', now() - interval '2 hours')`);
  // The second one goes on, and ends later under the eyes of a server that misses its end.
  manager.channels = [{ uniqueid: 'leg.2', linkedid: 'call.2', channel: 'PJSIP/provider.a-2' }];
  t.match(await reconciliation.run(), { mended: 5, failed: [] });
  const hours = async (call: string): Promise<number> => {
    const { rows } = await db.raw<{ rows: { hours: number }[] }>(
      `select round(extract(epoch from leg_ended_at - leg_answered_at) / 3600)::integer as hours from calls where uniqueid = ?`,
      [call],
    );
    return rows[0]?.hours ?? -1;
  };
  t.equal(await hours('call.1'), 1, 'not three, of which two were without a server');
  t.match(await record('call.2'), { ended_at: null });
  manager.channels = [];
  await reconciliation.run();
  t.equal(await hours('call.2'), 3);
});

/** A line as the dialplan leaves it: it began 100 s ago, was answered 90 s ago and ended 30 s ago. */
const line = (
  now: number,
  more: Partial<Record<'team' | 'answered' | 'tries' | 'refused', string>> = {},
): string =>
  [
    '1',
    now - 30,
    more.team ?? 'astercc',
    'astercc-5001',
    '030123456',
    '+4930123456',
    now - 100,
    more.answered ?? String(now - 90),
    'provider.b',
    '200',
    '16',
    'callee',
    more.refused ?? '',
    more.tries ?? 'provider.a:030123456:503:34:failed:20&provider.b:030123456:200::answered:',
  ].join('|');

void t.test('lines of calls without a server are recorded once, and removed', async (t) => {
  const { db, manager, reconciliation, record } = await site(t);
  // What the stand-in says is its clock.
  const now = Number((await manager.action('Getvar', { Variable: 'EPOCH' })).headers.get('value'));
  manager.astdb.set('star64-out/call.1', line(now));
  manager.astdb.set('star64-out/call.2', line(now, { answered: '0', tries: '', refused: 'class' }));
  manager.astdb.set('star64-out/call.3', 'what is this');
  manager.astdb.set('star64-out/call.4', line(now, { team: 'nobody' }));
  await reconciliation.run();
  t.same(
    [...manager.astdb.keys()].filter((key) => key.startsWith('star64-out/')),
    [],
  );
  t.match(await record('call.1'), { outcome: 'answered', trunk: 'second', ended_by: 'callee', cause: 16 });
  t.match(await record('call.2'), {
    outcome: 'refused',
    refused: 'class',
    trunk: null,
    leg_answered_at: null,
  });
  t.equal((await db('calls')).length, 2);
  t.match(await db('call_tries').orderBy('position').select(), [
    { trunk: 'first', code: 503, outcome: 'failed' },
    { trunk: 'second', code: 200, outcome: 'answered' },
  ]);
  const { rows } = await db.raw<{ rows: { talked: number }[] }>(
    `select extract(epoch from leg_ended_at - leg_answered_at)::integer as talked from calls where uniqueid = 'call.1'`,
  );
  t.same(rows, [{ talked: 60 }]);
  // A server that died before it could remove them.
  manager.astdb.set('star64-out/call.1', line(now));
  await reconciliation.run();
  t.equal((await db('calls')).length, 2);
  t.equal((await db('call_tries')).length, 2);
});

void t.test('a line is the better word where a server saw only the beginning', async (t) => {
  const { db, observer, take, manager, reconciliation } = await site(t);
  take('UserEvent', out('call.1'));
  take('UserEvent', { ...tried('call.1', 2, 'answered', { code: '200' }), uniqueid: 'leg.1' });
  await observer.settled();
  await db.raw(`update calls set arrived_at = now() - interval '100 seconds', answered_at = now() - interval '90 seconds',
    leg_answered_at = now() - interval '90 seconds'`);
  const now = Number((await manager.action('Getvar', { Variable: 'EPOCH' })).headers.get('value'));
  manager.astdb.set('star64-out/call.1', line(now));
  await reconciliation.run();
  const { rows } = await db.raw<{ rows: { talked: number; by: string }[] }>(
    `select round(extract(epoch from leg_ended_at - leg_answered_at))::integer as talked, ended_by as by from calls`,
  );
  t.equal(rows.length, 1);
  t.ok(Math.abs((rows[0]?.talked ?? 0) - 60) < 10, 'until it ended, and not until a server was back');
  t.equal(rows[0]?.by, 'callee');
});

void t.test(
  'ten thousand lines: each once, in lots; a line that cannot be removed holds up nothing',
  async (t) => {
    const { db, manager, reconciliation } = await site(t);
    const now = Number((await manager.action('Getvar', { Variable: 'EPOCH' })).headers.get('value'));
    for (let n = 0; n < 10_000; n++)
      manager.astdb.set(`star64-out/1795000000.${n}`, line(now, { tries: '' }));
    let statements = 0;
    db.on('query', ({ sql }: { sql: string }) => {
      if (/insert into calls/.test(sql)) statements++;
    });
    await reconciliation.run();
    t.equal((await db('calls').count<{ count: number }[]>({ count: '*' }))[0]?.count, 10_000);
    t.ok(statements < 150, `${statements} statements`);
    const left = (): number =>
      [...manager.astdb.keys()].filter((key) => key.startsWith('star64-out/')).length;
    t.equal(left(), 0);
    // On a full disk astdb deletes nothing.
    manager.gate = (name, given) => {
      if (name === 'Setvar' && given['Variable']?.includes('stuck')) throw new Error('not deleted');
      return Promise.resolve();
    };
    manager.astdb.set('star64-out/stuck', line(now));
    t.match(await reconciliation.run(), { failed: ['calls without a server'] });
    t.equal((await db('calls').where({ uniqueid: 'stuck' })).length, 1);
    manager.gate = () => Promise.resolve();
    await reconciliation.run();
    await until('it to be gone', () => (left() === 0 ? true : undefined));
    t.equal((await db('calls').where({ uniqueid: 'stuck' })).length, 1);
  },
);
