import { pino } from 'pino';
import t, { type Test } from 'tap';
import {
  claimCallCommand,
  commandCall,
  finishCallCommand,
} from '../../domain/calls/commands/call-commands.js';
import { until } from '../../domain/machine/processes.js';
import { readNotices } from '../../domain/monitor/notices.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import type { Database } from '../../domain/database/pool.js';
import { Star64Error } from '../../domain/errors.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import { crowd, provision } from '../../lab/provision.js';
import { AmiError } from '../../pbx/ami/errors.js';
import { CallCommands } from '../../pbx/watch/loops/call-commands.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });
const node = 'default';
const call = 'call.1';
const refusal = async (work: Promise<void>): Promise<Star64Error> => {
  const error: unknown = await work.then(
    () => new Error('not refused'),
    (caught: unknown) => caught,
  );
  if (!(error instanceof Star64Error)) throw error;
  return error;
};
/** Actions that the manager lets its user ask for. */
let may = [
  'CoreShowChannels',
  'Hangup',
  'BlindTransfer',
  'Atxfer',
  'PlayDTMF',
  'Originate',
  'QueueWithdrawCaller',
];
const times = { claimSeconds: 60, resultMs: 10_000, lookMs: 5 };

/** An open call that waits in the queue, with the channels of a caller and of agent 5001, and a stub that takes calls' actions. */
async function centre(t: Test): Promise<{ db: Database; manager: StubManager; done: string[] }> {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  await new CallRecords(db, node).joined({ queue: 'astercc-support', uniqueid: call, linkedid: call });
  const manager = new StubManager('astercc-support');
  const channel = (name: string, number: string, linkedid = call) => ({
    Channel: name,
    Linkedid: linkedid,
    Uniqueid: name,
    CallerIDNum: number,
    BridgeID: 'bridge',
  });
  manager.channels = [
    channel('PJSIP/provider-00000001', '4930555'),
    channel('PJSIP/astercc-5001-00000002', '5001'),
    channel('PJSIP/astercc-5002-00000003', '5002', 'other.1'),
  ].map((headers) =>
    Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
  );
  const done: string[] = [];
  const action = manager.action;
  Object.assign(manager, {
    action: (name: string, headers: Record<string, string>) => {
      if (name === 'ListCommands')
        return Promise.resolve({
          name: '',
          headers: new Map(may.map((one) => [one.toLowerCase(), 'x'])),
          repeated: new Map(),
        });
      if (!['Hangup', 'BlindTransfer', 'Atxfer', 'PlayDTMF'].includes(name)) return action(name, headers);
      done.push([name, ...Object.values(headers)].join(' '));
      return Promise.resolve({ name: '', headers: new Map(), repeated: new Map() });
    },
  });
  return { db, manager, done };
}

/** A server that carries commands out, and that leads as long as its lease lasts. */
async function server(t: Test, db: Database, manager: StubManager, holder = 'one'): Promise<CallCommands> {
  await takeLeaderLease(db, node, holder, 60);
  const commands = new CallCommands(db, node, holder, manager, () => true, log, {
    everyMs: 5,
    atOnce: 2,
    sweepMs: 60_000,
  });
  commands.start();
  t.teardown(() => commands.stop());
  return commands;
}

const give = (db: Database, kind: 'hangup' | 'transfer', given: object, patience = times): Promise<void> =>
  commandCall(db, 'astercc', call, { kind, given: given, by: 'test' }, patience);

void t.test('what is asked of a call is done to its channels alone', async (t) => {
  const { db, manager, done } = await centre(t);
  await server(t, db, manager);
  await give(db, 'transfer', { number: '5002' });
  t.same(done.splice(0), ['BlindTransfer PJSIP/astercc-5001-00000002 astercc-transfers 5002']);
  await give(db, 'hangup', { party: '4930555' });
  t.same(done.splice(0), ['Hangup PJSIP/provider-00000001 16']);
  await give(db, 'hangup', {});
  t.same(done.splice(0), ['Hangup PJSIP/provider-00000001 16', 'Hangup PJSIP/astercc-5001-00000002 16']);
});

void t.test('who is hung up: the caller, or a number in any of its forms, if it is one alone', async (t) => {
  const { db, manager, done } = await centre(t);
  await server(t, db, manager);
  const [caller, ...others] = manager.channels;
  const outside = (name: string, number: string, uniqueid: string) => ({
    ...caller,
    channel: name,
    uniqueid,
    calleridnum: number,
  });
  manager.channels = [
    outside('PJSIP/provider-00000001', '4930600100', call),
    outside('PJSIP/provider-00000004', '4930600200', 'call.4'),
    outside('PJSIP/provider-00000005', '4940600200', 'call.5'),
    ...others,
  ];
  for (const party of ['caller', '+4930600100', '030600100', '004930600100', '600100']) {
    await give(db, 'hangup', { party });
    t.same(done.splice(0), ['Hangup PJSIP/provider-00000001 16'], party);
  }
  for (const [party, says] of [
    ['600200', /4930600200 or 4940600200/],
    ['00100', /nobody in it is 00100/],
    ['anonymous', /nobody in it is anonymous/],
  ] as const)
    t.match((await refusal(give(db, 'hangup', { party }))).message, says);
  manager.channels.shift();
  t.match((await refusal(give(db, 'hangup', { party: 'caller' }))).message, /nobody in it is caller/);
  t.same(done, []);
});

void t.test('what cannot be done says why, and nothing is done', async (t) => {
  const { db, manager, done } = await centre(t);
  await server(t, db, manager);
  const refused = async (work: Promise<void>, code: string, says: RegExp): Promise<void> => {
    const error = await refusal(work);
    t.equal(error.code, code);
    t.match(error.message, says);
  };
  await refused(
    give(db, 'transfer', { number: '5002', from: '5002' }),
    'call_command_refused',
    /5002 does not talk in it/,
  );
  await refused(give(db, 'transfer', { number: '${EXTEN}' }), 'call_command_refused', /digits/);
  await refused(give(db, 'hangup', { party: '5002' }), 'call_command_refused', /nobody in it is 5002/);
  await refused(
    commandCall(db, 'astercc', 'call.2', { kind: 'hangup', given: {}, by: 'test' }, times),
    'unknown_call',
    /not recorded/,
  );
  await db('calls')
    .where({ uniqueid: call })
    .update({ ended_at: db.raw('clock_timestamp()') });
  await refused(give(db, 'hangup', {}), 'call_over', /is over/);
  t.same(done, []);
});

void t.test('with no server it is told, and none that comes later carries it out', async (t) => {
  const { db, manager, done } = await centre(t);
  const error = await refusal(give(db, 'hangup', {}, { ...times, claimSeconds: 0 }));
  t.match(error, { code: 'no_server', exitCode: 7 });
  await server(t, db, manager);
  await give(db, 'hangup', { party: '5001' });
  t.same(done, ['Hangup PJSIP/astercc-5001-00000002 16'], 'the one that was given while it lived');
});

void t.test('of two servers the one that leads has it, once', async (t) => {
  const { db } = await centre(t);
  await takeLeaderLease(db, node, 'one', 60);
  const result = give(db, 'hangup', {});
  let claimed;
  while (claimed === undefined) {
    t.equal(await claimCallCommand(db, node, 'two'), undefined, 'it does not lead');
    claimed = await claimCallCommand(db, node, 'one');
  }
  t.match(claimed, { team: 'astercc', call, kind: 'hangup', arguments: {} });
  t.equal(await claimCallCommand(db, node, 'one'), undefined);
  t.ok(await finishCallCommand(db, claimed.id, { result: 'done', reason: null }));
  await result;
});

void t.test('a server killed between claim and result: unknown, and never a second try', async (t) => {
  const { db, manager, done } = await centre(t);
  await takeLeaderLease(db, node, 'one', 60);
  const result = refusal(give(db, 'hangup', {}));
  while ((await claimCallCommand(db, node, 'one')) === undefined);
  // The same server, started again.
  await server(t, db, manager);
  t.match(await result, { code: 'call_command_unknown' });
  t.same(done, []);
});

void t.test(
  'Asterisk that does not answer: unknown; a manager user who may not: the class is named',
  async (t) => {
    const { db, manager } = await centre(t);
    let error = new AmiError('timeout', 'Hangup: no answer');
    Object.assign(manager, { action: () => Promise.reject(error) });
    await server(t, db, manager);
    t.match(await refusal(give(db, 'hangup', { party: '5001' })), { code: 'call_command_unknown' });
    error = new AmiError('rejected', 'Permission denied');
    t.match(await refusal(give(db, 'hangup', { party: '5001' })), {
      code: 'call_command_refused',
      message: /class call in write=/,
    });
  },
);

void t.test('status names the class that the manager user lacks, until they have it', async (t) => {
  const { db, manager } = await centre(t);
  const all = may;
  may = ['CoreShowChannels', 'QueueWithdrawCaller'];
  t.teardown(() => (may = all));
  const commands = await server(t, db, manager);
  const notices = (of = 'manager'): Promise<string[]> =>
    readNotices(db, 'astercc').then((told) =>
      told.filter(({ about }) => about === of).map(({ says }) => says),
    );
  await until('the notice', async () => ((await notices()).length > 0 ? true : undefined));
  t.match(await notices(), [/lacks call in write=/]);
  t.same(await notices('callback'), [], 'nobody is to be called back');
  await setGroup(db, 'astercc', 'support', { callbackKey: 1 });
  t.match(await notices('callback'), [/nobody is called back \(support\).*lacks originate in write=/]);
  await commands.stop();
  may = all.filter((one) => one !== 'QueueWithdrawCaller');
  const older = await server(t, db, manager);
  await until('the lack of an older Asterisk', async () =>
    (await notices()).some((one) => /callers .* stay in the queue .* older than 16\.25/.test(one))
      ? true
      : undefined,
  );
  t.equal((await notices()).length, 1, 'and its manager user lacks nothing');
  await older.stop();
  may = all;
  await server(t, db, manager);
  await until('its end', async () => ((await notices()).length === 0 ? true : undefined));
  t.same(await notices('callback'), []);
});
