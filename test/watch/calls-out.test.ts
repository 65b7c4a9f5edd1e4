import { pino } from 'pino';
import t from 'tap';
import { CallJournal } from '../../domain/calls/records/journal.js';
import type { CallOutRecords } from '../../domain/calls/outbound/calls-out-records.js';
import { CallsOutWatch } from '../../pbx/watch/events/calls-out.js';
import { callsOutSite, end, gone, legGone, of, out, tried, type Told } from '../support/calls-out-site.js';

const log = pino({ enabled: false });

void t.test('what becomes of a call, by what is told of its tries and its end', async (t) => {
  const { db, observer, take, record } = await callsOutSite(t);
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
  const { db, observer, take, record } = await callsOutSite(t);
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
    const { db, observer, take, record, follow } = await callsOutSite(t);
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

void t.test('a channel that goes while its call is being written takes nothing of it along', async (t) => {
  const told: string[][] = [];
  let answer: (known: string[] | Error) => void = () => undefined;
  const records = {
    begun: () => Promise.resolve([]),
    told: (calls: readonly { uniqueid: string; tries: readonly unknown[] }[]) => {
      told.push(calls.map(({ uniqueid, tries }) => `${uniqueid}, ${tries.length} tries`));
      return new Promise((resolve, reject) => {
        answer = (known) => {
          if (known instanceof Error) reject(known);
          else resolve(known);
        };
      });
    },
    legsEnded: () => Promise.resolve([]),
  } as unknown as CallOutRecords;
  for (const [index, result] of [[], new Error('PostgreSQL is away')].entries()) {
    const watch = new CallsOutWatch(records, () => undefined);
    t.teardown(() => {
      watch.stop();
    });
    const call = `call.${index}`;
    for (const headers of [
      out(call, { asked: 'yes' }),
      { ...tried(call, 1, 'answered', { code: '200' }), uniqueid: `leg.${index}` },
      end(call, { status: 'ANSWER' }),
    ])
      watch.take({ name: 'UserEvent', headers: new Map(Object.entries(headers)), repeated: new Map() });
    watch.ended(`leg.${index}`);
    const written = watch.write();
    watch.over(call);
    answer(result);
    if (result instanceof Error) await t.rejects(written, result);
    else await written;
    told.length = 0;
    const again = watch.write();
    answer([call]);
    await again;
    t.same(told, [[`${call}, 1 tries`]], result instanceof Error ? 'written again' : 'and again');
    t.notOk(watch.knows(call), 'recorded, it is forgotten');
  }
});

void t.test('another server sees the end of what one saw begin', async (t) => {
  const { observer, take, follow, record } = await callsOutSite(t);
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
  const { db, observer, take, reconciliation, manager, record } = await callsOutSite(t);
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
