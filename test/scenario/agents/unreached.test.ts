import t from 'tap';
import { signInAgent, signOutAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addExtension, showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { until } from '../../../domain/machine/processes.js';
import { AnsweringPhones } from '../../../lab/answering.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import {
  ageSignIns,
  centreOf,
  dialAndHear,
  dialled,
  gaps,
  stateOf,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

/** Phones that refuse, phones that nobody answers, phones without power. */
const queues = ['astercc-support', 'astercc-sales'] as const;
const groups = [
  { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, strategy: 'linear' },
  { name: 'sales', number: '6001', missedLimit: 0, strategy: 'linear' },
];
const all = crowd(8, { groups });
const centre = await centreOf(
  t,
  { ...all, dids: [...all.dids, { number: '600101', to: 'group:sales' }] },
  {
    provision: async (db) => {
      // A trunk that leads nowhere, and an agent at a mobile behind it.
      await addTrunk(db, 'astercc', { name: 'down', endpoint: 'lab-trunk' });
      await setTeam(db, 'astercc', { trunk: 'down' });
      await addExtension(db, 'astercc', {
        number: '7000',
        user: 'crowd',
        kind: 'external',
        telephone: '+4915112345678',
      });
      await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['support'] });
    },
  },
);
const { asterisk, db } = centre;
const resultsOf = async (agent: string): Promise<string[]> =>
  db('offers as o')
    .join('agents as a', 'a.id', 'o.agent_id')
    .where({ 'a.number': agent })
    .orderBy('o.id')
    .pluck('result');
const signIn = (agent: string, extension: string): Promise<unknown> =>
  signInAgent(db, 'astercc', agent, { extension, by: 'test' });
/** A phone that sipp plays. */
const played = async (extension: string, how: { refuseWith?: string }): Promise<AnsweringPhones> => {
  const { secret } = await showExtensionSecret(db, 'astercc', extension);
  const phones = await AnsweringPhones.start({
    logins: [{ user: `astercc-${extension}`, secret: secret ?? '' }],
    server: asterisk.sip,
    talkMs: 0,
    ...how,
  });
  t.teardown(() => phones.stop());
  return phones;
};

await t.test('a phone that refuses every call is paused after the third, and says so', async (t) => {
  const refusing = await played('5001', { refuseWith: '486 Busy Here' });
  await signIn('1001', '5001');
  await waitMembers(centre, queues[0], ['1001']);
  const caller = await callIn(centre);
  await waitState(centre, '1001', 'paused');
  for (const queue of queues) await waitMembers(centre, queue, ['1001 paused:missed']);
  t.same(await statesOf(centre, '1001'), ['idle', 'paused'], 'it never rang');
  const results = await resultsOf('1001');
  t.same(results.slice(0, 3), ['refused', 'refused', 'refused']);
  const late = await db('offers as o')
    .join('agent_states as s', { 's.agent_id': 'o.agent_id', 's.state': db.raw("'paused'") })
    .whereRaw('o.offered_at > s.started_at');
  t.ok(late.length <= 1, `one more may have been on its way: ${late.length}`);
  t.match(await centre.star64('status', '--json'), /"reason":\s*"missed"/);
  const colleague = await centre.phone('5002');
  await dialAndHear(centre, colleague, '*641002', 'agent-loginok');
  await colleague.incoming();
  await colleague.answer();
  await waitState(centre, '1002', 'talking');
  await caller.hangup();
  await colleague.closed();
  await refusing.stop();
  const phone = await centre.phone('5001');
  t.same(await dialled(centre, phone, '*67'), ['number-not-answering', 'activated']);
  t.same(await dialled(centre, phone, '*67'), ['activated'], 'once it is over nothing is said of it');
  for (const queue of queues) await waitMembers(centre, queue, ['1001', /^1002/]);
  await dialAndHear(centre, colleague, '*67', 'activated');
});

await t.test('with 0 nobody is paused, and a colleague gets the call all the same', async (t) => {
  await signOutAgent(db, 'astercc', '1002', 'test');
  await played('5003', { refuseWith: '480 Temporarily Unavailable' });
  await signIn('1003', '5003');
  await signIn('1002', '5002');
  await signOutAgent(db, 'astercc', '1001', 'test');
  await waitMembers(centre, queues[1], ['1002', '1003']);
  const colleague = await centre.phone('5002');
  const caller = await callIn(centre, '600101');
  await colleague.incoming();
  const before = await resultsOf('1003');
  t.ok(before.length <= 2, `${before.length} offers before the colleague's`);
  for (let round = 0; round < 3; round++) {
    await colleague.hangup();
    await colleague.closed();
    await colleague.incoming();
  }
  await until('more than three refusals', async () =>
    (await resultsOf('1003')).length > 3 ? true : undefined,
  );
  t.equal(await stateOf(centre, '1003'), 'idle');
  await caller.hangup();
  await colleague.closed();
  for (const agent of ['1002', '1003']) await signOutAgent(db, 'astercc', agent, 'test');
});

await t.test('a mobile over a trunk that is down is paused, too', async (t) => {
  await signIn('2001', '7000');
  await waitMembers(centre, queues[0], ['2001']);
  const caller = await callIn(centre);
  await waitState(centre, '2001', 'paused');
  await waitMembers(centre, queues[0], ['2001 paused:missed']);
  t.same(await statesOf(centre, '2001'), ['idle', 'paused']);
  await caller.hangup();
  await signOutAgent(db, 'astercc', '2001', 'test');
});

await t.test('*64 elsewhere wins when the phone of the call has no power', async (t) => {
  const [old, next] = [await centre.phone('5005'), await centre.phone('5006')];
  await dialAndHear(centre, old, '*641005', 'agent-loginok');
  const caller = await callIn(centre);
  await old.incoming();
  await old.answer();
  await waitState(centre, '1005', 'talking');
  // Long enough there for a move.
  await ageSignIns(centre);
  t.same(
    (await dialled(centre, next, '*641005')).slice(0, 2),
    ['beeperr', 'extension'],
    'not while the phone is there',
  );
  await old.kill();
  // Who is told nothing of that phone within their 5 s dials again: on a busy machine its 3 s take longer.
  const tries: string[][] = [];
  const heard = await until('the phone without power to be found gone', async () => {
    const sounds = await dialled(centre, next, '*641005');
    tries.push(sounds);
    return sounds[0] === 'agent-loginok' ? sounds : undefined;
  });
  // What has happened a moment after they were told nothing is said to be so already.
  const moved = ['agent-loginok', 'location', 'is-set-to'];
  const already = heard.length === 1 && tries.some(([first]) => first === 'sorry');
  t.same(heard.slice(0, 3), already ? moved.slice(0, 1) : moved);
  await waitState(centre, '1005', 'idle');
  await waitMembers(centre, queues[0], ['1005']);
  const another = await callIn(centre);
  await next.incoming();
  await another.hangup();
  await next.closed();
  await caller.hangup();
  await dialAndHear(centre, next, '*65', 'agent-loggedoff');
  t.same(await gaps(centre), []);
});
