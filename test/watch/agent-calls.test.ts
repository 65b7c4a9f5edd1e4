import { pino } from 'pino';
import t, { type Test } from 'tap';
import { endOverdueStates } from '../../domain/presence/agent-state.js';
import { pause, ready } from '../../domain/presence/pause.js';
import { signIn, type SignInOutcome } from '../../domain/presence/sign-in.js';
import { readStatus } from '../../domain/monitor/status.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import { addPauseReason } from '../../domain/provisioning/people/pause-reason.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });
const queue = 'astercc-support';
const member = 'PJSIP/astercc-5001';
const who = { agent: '1001' };

/** Agent 1001 at phone 5001, by a server that watches a stub of Asterisk. */
async function site(t: Test, missed: () => void = () => void t.fail('missed')) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  await setGroup(db, 'astercc', 'support', { directCalls: 'wrap-up', wrapUpSeconds: 60 });
  const entered: SignInOutcome = await signIn(db, 'astercc', { ...who, extension: '5001', by: 'test' });
  if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
  const manager = new StubManager(queue);
  const membership = new QueueMembership(db, manager, log, 60_000);
  const reconciliation = new Reconciliation(db, 'default', manager, membership, log);
  const observer = new Observer(db, 'default', log, {
    deadlineSet: () => undefined,
    missed,
  });
  await membership.sync(entered.signIn, { thorough: true });
  const take = async (name: string, headers: Record<string, string>): Promise<void> => {
    const message: AmiMessage = { name, headers: new Map(Object.entries(headers)), repeated: new Map() };
    observer.take(message);
    await observer.caughtUp();
  };
  /** What star64-own-call.conf tells of the call of this channel. */
  const tell = (offer: string, kind: string, step: string): Promise<void> =>
    take('UserEvent', { userevent: 'Star64AgentCall', member, offer, call: `${offer}.call`, kind, step });
  const over = (offer: string, kind: string, wrapup: 'yes' | 'no', others = 'no'): Promise<void> =>
    take('UserEvent', { userevent: 'Star64AgentCallEnd', member, offer, kind, wrapup, others });
  const rows = () =>
    db('agent_states')
      .orderBy('id')
      .select<{ state: string; call_kind: string | null; reason: string | null }[]>(
        'state',
        'call_kind',
        'reason',
      );
  const states = async (): Promise<string[]> =>
    (await rows()).map(({ state, call_kind: kind, reason }) =>
      [state, ...(kind === null ? [] : [kind]), ...(reason === null ? [] : [reason])].join(' '),
    );
  const channel = (uniqueid: string, application: string, channelstatedesc = 'Up'): void => {
    const name = `${member}-${uniqueid}`;
    manager.channels = [{ channel: name, uniqueid, linkedid: uniqueid, application, channelstatedesc }];
  };
  const noted = (uniqueid: string, note: string): void =>
    void manager.channelVariables.set(`${member}-${uniqueid} STAR64_AGENT_CALL`, note);
  return {
    db,
    manager,
    membership,
    reconciliation,
    take,
    tell,
    over,
    states,
    channel,
    noted,
    settled: () => observer.settled(),
    phone: entered.signIn,
  };
}

void t.test(
  'a call out is one of talking, with its kind in the status, and a wrap-up by the group',
  async (t) => {
    const { db, tell, over, states } = await site(t);
    await tell('out.1', 'out', 'calling');
    t.match((await readStatus(db, 'astercc')).agents, [
      { state: 'talking', callKind: 'out', call: 'out.1.call' },
    ]);
    await over('out.1', 'out', 'yes');
    await tell('out.1', 'out', 'calling');
    t.same(await states(), ['idle', 'talking out', 'wrap-up out'], 'what comes late repeats nothing');
    t.match((await readStatus(db, 'astercc')).agents, [{ state: 'wrap-up', callKind: 'out', until: Date }]);
    const events = await db('events').where({ type: 'agent.state' }).orderBy('id').pluck<object[]>('data');
    t.match(events.slice(-2), [
      { state: 'talking', call_kind: 'out' },
      { state: 'wrap-up', call_kind: 'out' },
    ]);
  },
);

void t.test('a call to the phone rings when the phone says so; unanswered it is over', async (t) => {
  const { tell, over, take, states } = await site(t);
  await tell('in.1', 'direct', 'called');
  t.same(await states(), ['idle'], 'a phone that refuses at once never rings');
  await take('DialState', { destuniqueid: 'in.1', dialstatus: 'RINGING' });
  await over('in.1', 'direct', 'no');
  await tell('in.2', 'internal', 'called');
  await take('DialState', { destuniqueid: 'in.2', dialstatus: 'RINGING' });
  await tell('in.2', 'internal', 'answered');
  t.same(await states(), ['idle', 'ringing direct', 'idle', 'ringing internal', 'talking internal']);
});

void t.test('in a wrap-up a call only rings: what they do not answer does not take it away', async (t) => {
  const { tell, over, take, states } = await site(t);
  await tell('out.1', 'out', 'calling');
  await over('out.1', 'out', 'yes');
  await tell('in.1', 'direct', 'called');
  await take('DialState', { destuniqueid: 'in.1', dialstatus: 'RINGING' });
  await over('in.1', 'direct', 'no');
  t.same(await states(), ['idle', 'talking out', 'wrap-up out']);
  await tell('in.2', 'direct', 'called');
  await tell('in.2', 'direct', 'answered');
  await over('in.2', 'direct', 'no');
  t.same((await states()).slice(3), ['talking direct', 'idle']);
});

void t.test('beside the call of a queue, on hold, another call changes nothing', async (t) => {
  const { tell, over, take, states } = await site(t);
  const call = { uniqueid: 'call.1', linkedid: 'call.1', queue, interface: member, destuniqueid: 'offer.1' };
  await take('AgentConnect', { ...call, membername: '1001' });
  await tell('out.1', 'out', 'calling');
  await over('out.1', 'out', 'no');
  t.same(await states(), ['idle', 'talking']);
});

void t.test('a pause that a call interrupts goes on with the seconds that were left', async (t) => {
  const { db, manager, membership, tell, over, states, phone } = await site(t);
  await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch', maxSeconds: 600, atEnd: 'sign-out' });
  const left = async (): Promise<number> => {
    const { rows } = await db.raw<{ rows: { seconds: number }[] }>(
      `select extract(epoch from deadline_at - coalesce(ended_at, started_at))::float as seconds from agent_states
       where state = 'paused' order by id desc limit 1`,
    );
    return rows[0]?.seconds ?? NaN;
  };
  await pause(db, 'astercc', who, '1');
  await membership.sync(phone);
  await tell('out.1', 'out', 'calling');
  t.equal((await ready(db, 'astercc', who)).outcome, 'busy', '*67 changes nothing in the call');
  const before = await left();
  await membership.sync(phone, { thorough: true });
  t.same(manager.members(queue), ['1001 paused:pause:1'], 'what is told of them meanwhile is the pause');
  t.equal(manager.lamp('astercc-5001'), 'ONHOLD');
  await over('out.1', 'out', 'yes');
  await membership.sync(phone);
  t.same(manager.members(queue), ['1001 paused:pause:1']);
  await db('agent_states')
    .where({ state: 'wrap-up' })
    .update({ deadline_at: new Date(0) });
  t.match((await endOverdueStates(db, 'default')).begun, [{ state: 'paused', pauseDigit: '1' }]);
  t.ok(Math.abs((await left()) - before) < 0.01, 'its longest time has stood still');
  t.same(await states(), ['idle', 'paused Lunch', 'talking out', 'wrap-up out', 'paused Lunch']);
  // And by *67.
  await tell('out.2', 'out', 'calling');
  await over('out.2', 'out', 'yes');
  t.match(await ready(db, 'astercc', who), { outcome: 'resumed', reason: '1' });
  t.match(await ready(db, 'astercc', who), { outcome: 'ready' }, 'a second one ends the pause');
  // Without a wrap-up.
  await pause(db, 'astercc', who, '1');
  await tell('out.3', 'out', 'calling');
  await over('out.3', 'out', 'no');
  t.same((await states()).slice(-3), ['paused Lunch', 'talking out', 'paused Lunch']);
});

void t.test('of two calls the one that ends leaves them talking in the other one', async (t) => {
  const { db, tell, over, states } = await site(t);
  const call = async (): Promise<string | undefined> =>
    (await readStatus(db, 'astercc')).agents[0]?.call ?? undefined;
  await pause(db, 'astercc', who);
  await tell('out.1', 'out', 'calling');
  await tell('out.2', 'internal', 'calling');
  t.equal(await call(), 'out.1.call', 'beside it the second one changes nothing');
  await over('out.1', 'out', 'no', 'yes');
  t.equal(await call(), 'out.2.call');
  await over('out.2', 'internal', 'yes');
  t.same(await states(), ['idle', 'paused', 'talking out', 'talking internal', 'wrap-up internal']);
  t.match(await ready(db, 'astercc', who), { outcome: 'resumed' }, 'and the pause goes on');
  // The one beside ends first.
  await tell('out.3', 'out', 'calling');
  await tell('out.4', 'internal', 'calling');
  await over('out.4', 'internal', 'no', 'yes');
  t.equal(await call(), 'out.3.call');
  await over('out.3', 'out', 'yes');
  t.same((await states()).slice(5), ['paused', 'talking out', 'wrap-up out']);
});

void t.test('another call of which nothing was seen is found by the reconciliation, at once', async (t) => {
  let missed = 0;
  const { tell, over, states, channel, noted, reconciliation } = await site(t, () => missed++);
  await tell('out.1', 'out', 'calling');
  channel('out.2', 'Dial');
  noted('out.2', 'internal|calling');
  await over('out.1', 'out', 'no', 'yes');
  t.equal(missed, 1);
  await reconciliation.run();
  t.same(await states(), ['idle', 'talking out', 'idle', 'talking internal']);
});

void t.test('a call in a pause whose beginning was not seen has its wrap-up', async (t) => {
  const { db, over, states } = await site(t);
  await pause(db, 'astercc', who);
  await over('out.1', 'out', 'yes');
  t.same(await states(), ['idle', 'paused', 'wrap-up out']);
  t.match(await ready(db, 'astercc', who), { outcome: 'resumed', reason: '0' });
});

void t.test('who calls an emergency number talks until the call is over, and keeps a pause', async (t) => {
  const { db, take, tell, over, states, settled } = await site(t);
  const begins = (uniqueid: string, phone = 'astercc-5001'): Promise<void> =>
    take('UserEvent', {
      userevent: 'Star64Emergency',
      channel: `${member}-0000001a`,
      uniqueid,
      call: `${uniqueid}.call`,
      phone,
      team: 'astercc',
    });
  const ends = (uniqueid: string): Promise<void> =>
    take('UserEvent', { userevent: 'Star64OutEnd', uniqueid, team: 'astercc' });
  await begins('help.1');
  t.match((await readStatus(db, 'astercc')).agents, [{ state: 'talking', call: 'help.1.call' }]);
  await ends('out.1');
  t.same(await states(), ['idle', 'talking out'], 'the end of another call out says nothing');
  await ends('help.1');
  await begins('help.2', 'astercc-5002');
  t.same(await states(), ['idle', 'talking out', 'idle'], 'somebody else was sent on to it');
  await pause(db, 'astercc', who);
  await begins('help.3');
  await ends('help.3');
  t.same((await states()).slice(3), ['paused', 'talking out', 'paused']);
  await tell('out.2', 'out', 'calling');
  await over('out.2', 'out', 'yes');
  await begins('help.4');
  await ends('help.4');
  t.same((await states()).slice(6), ['talking out', 'wrap-up out'], 'the wrap-up is there in Asterisk, too');
  await settled();
});

void t.test('the reconciliation lets a call go on, and finds begun and ended ones', async (t) => {
  const { db, manager, reconciliation, tell, states, channel, noted } = await site(t);
  await reconciliation.run();
  await tell('out.1', 'out', 'calling');
  channel('out.1', 'Dial');
  t.match(
    await reconciliation.run(),
    { mended: 0, failed: [] },
    'there is no offer, and they talk all the same',
  );
  t.same(await states(), ['idle', 'talking out']);
  // Its end was not seen.
  manager.channels = [];
  t.ok((await reconciliation.run()).mended > 0);
  t.same((await states()).slice(2), ['idle']);
  // Nor what came after it: the next call, its end, and the wrap-up, which the mark tells of.
  channel('out.2', 'Dial', 'Ring');
  t.match(await reconciliation.run(), { mended: 0 }, 'a call of which nothing is noted is none that counts');
  noted('out.2', 'out|calling');
  t.ok((await reconciliation.run()).mended > 0);
  manager.channels = [];
  manager.astdb.set('star64-wrapup/astercc-5001', `${member}|out.2|out`);
  await manager.action('QueuePause', { Interface: member, Paused: 'true', Reason: 'wrapup' });
  t.ok((await reconciliation.run()).mended > 0);
  t.same((await states()).slice(3), ['talking out', 'wrap-up out']);
  t.type((await db('agent_states').whereNull('ended_at').first<{ deadline_at: Date }>()).deadline_at, Date);
  // The lamp, which the dialplan would have lit, follows the state.
  await reconciliation.run();
  t.match(await reconciliation.run(), { mended: 0 }, 'and then there is nothing to do');
  // One that is over from beginning to end: the mark alone tells its kind.
  await ready(db, 'astercc', who);
  manager.astdb.set('star64-wrapup/astercc-5001', `${member}|in.3|direct`);
  t.ok((await reconciliation.run()).mended > 0);
  t.same((await states()).slice(5), ['idle', 'wrap-up direct']);
});

void t.test('the reconciliation finds a call that interrupts a pause, and its end', async (t) => {
  const { db, manager, membership, reconciliation, states, channel, noted, phone } = await site(t);
  await pause(db, 'astercc', who);
  await membership.sync(phone);
  await reconciliation.run();
  channel('in.1', 'AppDial', 'Ringing');
  noted('in.1', 'direct|called');
  t.match(await reconciliation.run(), { mended: 0 }, 'while it rings the pause goes on');
  channel('in.1', 'AppDial', 'Up');
  t.match(await reconciliation.run(), { mended: Number, failed: [] });
  t.match(
    await reconciliation.run(),
    { mended: 0 },
    'paused in Asterisk, talking here: that is as it should be',
  );
  manager.channels = [];
  t.ok((await reconciliation.run()).mended > 0);
  t.same(await states(), ['idle', 'paused', 'talking direct', 'paused']);
  t.same(manager.members(queue), ['1001 paused:pause:0']);
});

void t.test('the dialplan is told what the current group says of direct calls', async (t) => {
  const { db, manager, reconciliation } = await site(t);
  const mark = () => manager.astdb.get('CustomPresence/star64-direct-astercc-5001');
  t.equal(mark(), `not_set,answer,${member}|astercc-support`, 'as they sign in');
  await setGroup(db, 'astercc', 'support', { directCalls: 'talking' });
  await reconciliation.run();
  t.equal(mark(), `not_set,off,${member}|astercc-support`);
  await setGroup(db, 'astercc', 'support', { directCalls: 'none' });
  t.ok((await reconciliation.run()).mended > 0);
  t.equal(mark(), `not_set,none,${member}|astercc-support`, 'the group of their calls is known all the same');
  t.match(await reconciliation.run(), { mended: 0 });
});

void t.test('marks of an earlier version go once no loaded file knows agents by them', async (t) => {
  const { manager, reconciliation } = await site(t);
  const marks = ['astercc-5001', 'astercc-5002'].map((phone) => `CustomPresence/star64-direct/${phone}`);
  for (const mark of marks) manager.astdb.set(mark, 'not_set,answer,');
  const left = () => marks.filter((mark) => manager.astdb.has(mark));
  manager.dialplan.set('star64-called', [
    'LOCAL(mode)=${CUT(DB(CustomPresence/star64-direct/${phone}),,,2)}',
  ]);
  await reconciliation.run();
  t.same(left(), marks, 'before `apply` they are all that the dialplan knows');
  manager.dialplan.set('star64-called', [
    'LOCAL(mode)=${CUT(DB(CustomPresence/star64-direct-${phone}),,,2)}',
  ]);
  t.match(await reconciliation.run(), { mended: 1, failed: [] });
  t.same(left(), []);
  t.ok(manager.astdb.has('CustomPresence/star64-direct-astercc-5001'), 'those of now stay');
});
