import t from 'tap';
import { pauseForMissed } from '../../domain/calls/queue/missed.js';
import { readStory } from '../../domain/calls/records/story.js';
import { readDesk } from '../../domain/monitor/agent-desk.js';
import { gone, observed, offer, support } from '../support/observed.js';

const by = 'Local/5002@astercc-transfers-00000001;2';
const member = 'PJSIP/astercc-5002';

/** What Asterisk tells while agent 1001 asks agent 1002 in call.1. */
const asked = (id: string) => ({ userevent: 'Star64Asked', member, offer: id, call: 'call.1', by });
const phone = (id: string, channelstatedesc: string, cause: string) =>
  gone(id, { channel: `${member}-${id}`, channelstatedesc, cause });
const nobody = { userevent: 'Star64Step', channel: by, call: 'call.1', step: 'consult-failed', facts: '' };
const localGone = gone('local.2', { channel: by, channelstatedesc: 'Ring', cause: '16' });

void t.test('what came of an agent who was asked is told by how it goes on for who asks', async (t) => {
  const { db, observer, take } = await observed(t);
  const cases: [string | null, string, string, 'in vain' | 'gone'][] = [
    ['missed', 'Ringing', '0', 'in vain'],
    ['rejected', 'Ringing', '17', 'in vain'],
    ['rejected', 'Ringing', '21', 'in vain'],
    ['refused', 'Down', '17', 'in vain'],
    ['refused', 'Down', '0', 'in vain'],
    // Who asked has pressed the key for back, or they and the customer have gone.
    ['cancelled', 'Ringing', '0', 'gone'],
    ['cancelled', 'Down', '0', 'gone'],
    // Another one of a ring group took it, or it was picked up too late.
    ['cancelled', 'Ringing', '26', 'gone'],
    ['cancelled', 'Up', '16', 'gone'],
  ];
  for (const [at, [, state, cause, goesOn]] of cases.entries()) {
    take('UserEvent', asked(`ask.${at}`));
    take('Hangup', phone(`ask.${at}`, state, cause));
    if (goesOn === 'in vain') take('UserEvent', nobody);
    take('Hangup', localGone);
    await observer.caughtUp();
  }
  await observer.settled();
  const rows = await db('offers')
    .orderBy('id')
    .select<{ result: string; kind: string; call: string; group_id: null; ended_at: Date }[]>();
  t.same(
    rows.map(({ result }) => result),
    cases.map(([result]) => result),
  );
  for (const row of rows)
    t.match(row, { kind: 'consult', call: 'call.1', group_id: null, visit_id: null, ended_at: Date });
});

void t.test('Asterisk tells that a phone is gone after what its calling channel did: the same', async (t) => {
  const { db, observer, take } = await observed(t);
  take('UserEvent', asked('ask.1'));
  take('UserEvent', nobody);
  take('Hangup', phone('ask.1', 'Ringing', '0'));
  take('Hangup', localGone);
  take('UserEvent', asked('ask.2'));
  take('Hangup', localGone);
  take('Hangup', phone('ask.2', 'Ringing', '0'));
  await observer.settled();
  t.same(await db('offers').orderBy('id').pluck('result'), ['missed', 'cancelled']);
});

void t.test('of a ring group the phones that rang are over as the next ones are rung', async (t) => {
  const { db, observer, take } = await observed(t);
  take('UserEvent', asked('ask.1'));
  take('Hangup', phone('ask.1', 'Ringing', '0'));
  take('UserEvent', asked('ask.2'));
  take('BridgeEnter', { uniqueid: 'ask.2', bridgetype: 'basic' });
  take('Hangup', localGone);
  await observer.settled();
  t.match(await db('offers').orderBy('id').select(), [
    { result: 'missed', ended_at: Date },
    { result: 'answered', answered_at: Date, ended_at: null },
  ]);
});

void t.test('it stands in the story, and in none of what is counted of queues', async (t) => {
  const { db, observer, take } = await observed(t);
  take('QueueCallerJoin', { ...support, position: '1' });
  take('AgentConnect', { ...support, ...offer(1) });
  take('UserEvent', asked('ask.0'));
  take('BridgeEnter', { uniqueid: 'ask.0', bridgetype: 'basic' });
  await observer.caughtUp();
  take('Hangup', phone('ask.0', 'Up', '16'));
  for (const id of ['ask.1', 'ask.2', 'ask.3']) {
    take('UserEvent', asked(id));
    take('Hangup', phone(id, 'Ringing', '0'));
    take('UserEvent', nobody);
  }
  // A queue's own, which the agent misses for the first time.
  take('AgentCalled', { ...support, ...offer(2) });
  take('AgentRingNoAnswer', { ...support, ...offer(2) });
  take('Hangup', gone('offer.2', { channelstatedesc: 'Ringing', cause: '0' }));
  await observer.settled();
  t.match((await readDesk(db, 'astercc', '1002')).today, { answered: 0, missed: 1 });
  t.match((await readDesk(db, 'astercc', '1001')).today, { answered: 1, missed: 0 });
  t.same(await pauseForMissed(db, 'default', ['ask.1', 'ask.2', 'ask.3', 'offer.2']), []);
  const told = (await readStory(db, 'astercc', 'call.1')).story.map(({ says }) => says);
  t.same(
    told.filter((line) => line.includes('is asked')).map((line) => line.replace(/ [0-9]+ s/g, ' N s')),
    [
      'agent 1002 at 5002 is asked: answered after N s, and is in the call for N s',
      ...Array<string>(3).fill('agent 1002 at 5002 is asked: missed after N s'),
    ],
  );
});

void t.test('nobody is signed in at the phone that is asked: no agent, and no record', async (t) => {
  const { db, observer, take } = await observed(t);
  take('UserEvent', { ...asked('ask.1'), member: 'PJSIP/astercc-5003' });
  await observer.settled();
  t.same(await db('offers').select(), []);
});
