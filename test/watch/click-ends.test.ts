import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import t from 'tap';
import { claimCallCommand } from '../../domain/calls/commands/call-commands.js';
import { clickAnswered, clickOver } from '../../domain/calls/commands/click-records.js';
import { HoldRecords } from '../../domain/calls/records/holds.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import { signInAgent, signOutAgent } from '../../domain/provisioning/people/admin-action.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { AmiError } from '../../pbx/ami/errors.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { CallHands } from '../../pbx/call-hands.js';
import { Clicks, clickDefaults, type Later } from '../../pbx/click.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { centre, node, refusal, server, start, stateOf, times } from '../support/doors/clicks.js';

/** What becomes of calls that are started for an agent when something goes another way than it should. */
const log = pino({ enabled: false });
const telling = (name: string, headers: Record<string, string>): AmiMessage => ({
  name,
  headers: new Map(Object.entries(headers)),
  repeated: new Map(),
});

void t.test('no answer of Asterisk, and no channel: the agent is free again at once', async (t) => {
  const centreOf = await centre(t);
  const { db, manager, outbound } = centreOf;
  await takeLeaderLease(db, node, 'one', 60);
  centreOf.lost = true;
  centreOf.channelState = () => Promise.reject(new AmiError('rejected', 'No such channel'));
  const asked = refusal(start(db, {}, { ...times, resultMs: 1000 }));
  let claimed;
  while (claimed === undefined) claimed = await claimCallCommand(db, node, 'one');
  const clicks = new Clicks(db, node, manager, outbound, { ...clickDefaults, lookMs: 1, watchMs: 20 });
  let look: () => Promise<void> = () => Promise.reject(new Error('nobody looks'));
  const later: Later = (work) => (look = work);
  await t.rejects(clicks.originate(claimed, later), { code: 'timeout' });
  t.equal(await stateOf(db), 'ringing', 'it may ring');
  await look();
  t.equal(await stateOf(db), 'idle');
  t.match(await db('clicks').first(), { agent_result: 'unreachable' });
  t.match(await asked, { code: 'call_command_unknown' });
});

void t.test('looking whether a phone rings keeps no other command waiting', async (t) => {
  const centreOf = await centre(t);
  const { db, rung } = centreOf;
  await signInAgent(db, 'astercc', '1002', { extension: '5002', by: 'test' });
  const waiting = new EventEmitter();
  centreOf.channelState = async () => {
    await once(waiting, 'answer');
    return 'Ringing';
  };
  await server(t, centreOf, 'one', 1);
  await start(db);
  await start(db, { agent: '1002', to: '5001' });
  t.equal(rung.length, 2);
  centreOf.channelState = () => Promise.resolve('Ringing');
  waiting.emit('answer');
});

void t.test("a call at the operator's own endpoint is seen by its state", async (t) => {
  const centreOf = await centre(t);
  const { db, phone, rung } = centreOf;
  await addUser(db, 'astercc', { username: 'otto' });
  await addExtension(db, 'astercc', { number: '5010', user: 'otto', endpoint: 'desk' });
  await signInAgent(db, 'astercc', '1002', { extension: '5010', by: 'test' });
  await server(t, centreOf);
  phone.state = 'INUSE';
  t.match(await refusal(start(db, { agent: '1002', to: '5001' })), { code: 'in_call' });
  t.match(await refusal(start(db, { agent: '1002', to: '5001', autoAnswer: true })), {
    code: 'call_not_allowed',
    message: /not theirs/,
  });
  phone.state = 'NOT_INUSE';
  await start(db, { agent: '1002', to: '5001' });
  t.match(rung, [/^PJSIP\/desk /]);
});

void t.test(
  'who answers and hangs up before it is known whether they may call has called nobody',
  async (t) => {
    const centreOf = await centre(t);
    const { db } = centreOf;
    await server(t, centreOf);
    const { call } = await start(db);
    await clickAnswered(db, node, call);
    await clickOver(db, node, call, 'no-answer', { sentOut: true });
    t.match(await db('calls').first(), { ended_at: null }, 'one that has gone out has an end of its own');
    await clickOver(db, node, call, 'no-answer');
    t.match(await db('calls').first(), { ended_at: Date, outcome: 'abandoned', ended_by: 'caller' });
    t.equal(await stateOf(db), 'idle');
  },
);

void t.test('answered, given up in a queue: the visit is told as that, and the agent is free', async (t) => {
  const centreOf = await centre(t);
  const { db } = centreOf;
  await server(t, centreOf);
  const { call: uniqueid } = await start(db, { to: '5002' });
  const observer = new Observer(db, node, log, {
    deadlineSet: () => undefined,
    missed: () => t.fail('missed'),
  });
  const caller = {
    uniqueid,
    linkedid: uniqueid,
    channel: 'PJSIP/astercc-5001-00000001',
    queue: 'astercc-support',
  };
  observer.take(telling('UserEvent', { ...caller, userevent: 'Star64Click', step: 'answered' }));
  observer.take(telling('QueueCallerJoin', caller));
  await observer.caughtUp();
  t.equal(await stateOf(db), 'talking');
  observer.take(telling('QueueCallerAbandon', caller));
  observer.take(telling('QueueCallerLeave', caller));
  observer.take(telling('Hangup', { ...caller, channelstatedesc: 'Up', cause: '16' }));
  await observer.settled();
  t.match(await db('queue_visits').select(), [{ outcome: 'abandoned' }]);
  t.equal(await stateOf(db), 'idle');
});

void t.test(
  'a command takes back what the key for hold has begun, and not what the button has',
  async (t) => {
    const { db, manager, outbound } = await centre(t);
    const name = 'PJSIP/astercc-5001-00000001';
    manager.channels = [
      { channel: name, uniqueid: 'a.1', linkedid: 'c.1', bridgeid: 'b', channelstatedesc: 'Up' },
    ];
    const hands = new CallHands(db, node, manager, outbound);
    const resume = (): Promise<void> =>
      hands.do(
        { id: '1', team: 'astercc', call: 'c.1', kind: 'resume', arguments: {}, givenBy: 'test' },
        () => undefined,
      );
    await t.rejects(resume(), /nobody on hold/);
    await new HoldRecords(db, node).told([
      {
        channel: 'a.1',
        call: 'c.1',
        team: 'astercc',
        extension: '5001',
        kind: 'hold',
        startedAgo: 1,
        endedAgo: null,
        hungUp: false,
        row: null,
        after: null,
      },
    ]);
    await t.rejects(resume(), /by the button of the phone/);
    manager.channelVariables.set(`${name} STAR64_HOLDS`, 'key');
    await t.rejects(resume(), /Asterisk refused/, 'the key is pressed, which this one knows nothing of');
  },
);

void t.test('who has signed out talks in nothing', async (t) => {
  const centreOf = await centre(t);
  const { db } = centreOf;
  await server(t, centreOf);
  const { call } = await start(db);
  await signOutAgent(db, 'astercc', '1001', 'test');
  await clickAnswered(db, node, call);
  t.match(await db('clicks').first(), { agent_result: 'answered' });
  t.same(await db('agent_states').whereNull('ended_at').select(), []);
});
