import t from 'tap';
import { crowd, provision } from '../../../lab/provision.js';
import { Caller } from '../../../lab/caller.js';
import { until } from '../../../domain/machine/processes.js';
import { addAgent, setAgent } from '../../../domain/provisioning/people/agent.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import {
  ageSignIns,
  centreOf,
  dialAndHear,
  gaps,
  membersOf,
  stateOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

const groups = [{ name: 'support', number: '6000' }, { name: 'sales' }];
const centre = await centreOf(t, crowd(4, { groups }), {
  asterisk: { briefPrompts: ['agent-loginok'] },
  provision: async (db) => {
    await addGroup(db, 'astercc', { name: 'desk' });
    // The same numbers once more in another team (spec 4).
    await provision(db, crowd(2, { team: 'b2', groups, did: '600200' }));
    // Asterisk has no French sounds here.
    await setTeam(db, 'b2', { language: 'fr' });
    await addAgent(db, 'astercc', {
      number: '1009',
      user: 'crowd',
      groups: ['desk'],
      kind: 'fixed',
      extension: '5004',
    });
  },
});
const { asterisk, db } = centre;

await t.test('a device registers as <team>-<extension> and as nothing else (spec 16)', async (t) => {
  t.equal((await centre.phone('5001')).user, 'astercc-5001', 'accepted');
  const { Phone } = await import('../../../lab/phone.js');
  const bare = await Phone.start({
    user: '5001',
    secret: 'secretsecretsecretsecret00',
    server: asterisk.sip,
  });
  t.teardown(() => bare.stop());
  await t.rejects(bare.register(), /cannot register/);
});

await t.test('*64 with the number, and *64 with the number keyed when asked', async (t) => {
  const one = await centre.phone('5001');
  const two = await centre.phone('5002');
  await dialAndHear(centre, one, '*641001', 'agent-loginok');
  await two.dial('*64');
  await asterisk.waitPlayed(two.user, 'agent-user');
  await two.digits('1002#');
  await asterisk.waitPlayed(two.user, 'agent-loginok');
  await two.closed();
  for (const queue of ['astercc-support', 'astercc-sales'])
    await waitMembers(centre, queue, ['1001', '1002']);
  t.same(await membersOf(centre, 'b2-support'), [], 'nobody in the other team (spec 4)');

  await dialAndHear(centre, one, '*641001', 'agent-loginok');
  const signIns = await db('sign_ins').whereNot({ signed_in_by: 'fixed' });
  t.equal(signIns.length, 2, 'signing in again at the same phone changes nothing');
  await dialAndHear(centre, one, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-support', ['1002']);
  await dialAndHear(centre, one, '*65', 'beeperr', 'spy-agent');
  await dialAndHear(centre, two, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-sales', []);
});

await t.test('why not, each with an answer of its own', async (t) => {
  const [one, two] = [await centre.phone('5001'), await centre.phone('5002')];
  await dialAndHear(centre, one, '*641001', 'agent-loginok');

  await dialAndHear(centre, one, '*641002', 'beeperr', 'extension', 'is-in-use');
  t.equal(await stateOf(centre, '1002'), 'signed-out', 'a phone has one agent (spec 21)');
  await dialAndHear(centre, two, '*641009', 'beeperr', 'is-set-to', 'digits/4');

  // Unknown numbers: asked again, three times, then goodbye. Silence and # alone ask again, too.
  const mark = await asterisk.verbose.mark();
  await two.dial('*647777');
  await asterisk.waitPlayed(two.user, 'agent-incorrect', mark);
  for (const keys of ['7777#', '#', '12345678901']) {
    const from = await asterisk.verbose.mark();
    await two.digits(keys);
    await asterisk.waitPlayed(two.user, keys.length > 10 ? 'vm-goodbye' : 'agent-incorrect', from);
  }
  await two.closed();
  t.equal((await openAgents()).join(), '1001,1009', 'nothing has changed');
  await dialAndHear(centre, one, '*65', 'agent-loggedoff');
});

await t.test('a fixed agent is signed in by nature, at his phone only (spec 20)', async (t) => {
  await waitMembers(centre, 'astercc-desk', ['1009']);
  const own = await centre.phone('5004');
  await dialAndHear(centre, own, '*641009', 'agent-loginok');
  await dialAndHear(centre, own, '*65', 'beeperr', 'cancelled', 'is-set-to', 'digits/4');
  t.equal(await stateOf(centre, '1009'), 'idle', 'he pauses, but does not sign out');
  await dialAndHear(centre, own, '*641001', 'beeperr', 'is-in-use', 'digits/9');
  t.same(await membersOf(centre, 'astercc-desk'), ['1009']);
});

await t.test(
  'signing in at another phone moves the agent there, but not out of a call (spec 21)',
  async (t) => {
    const [one, two] = [await centre.phone('5001'), await centre.phone('5002')];
    await dialAndHear(centre, one, '*641001', 'agent-loginok');
    await ageSignIns(centre);
    await dialAndHear(centre, two, '*641001', 'agent-loginok', 'location', 'digits/5', 'digits/2');
    await until('the new phone alone in the queue', async () => {
      const text = await asterisk.console('queue show astercc-support');
      return text.includes('1001 (PJSIP/astercc-5002)') && !text.includes('astercc-5001') ? true : undefined;
    });

    await ageSignIns(centre);
    const customer = await Caller.call({ from: '4930123', to: '600100', server: asterisk.sip });
    await two.incoming();
    await two.answer();
    await waitState(centre, '1001', 'talking');
    await dialAndHear(centre, one, '*641001', 'beeperr', 'extension', 'digits/2', 'vm-isonphone');
    t.equal(await stateOf(centre, '1001'), 'talking', 'the call goes on');
    await customer.hangup();
    await two.closed();
    await waitState(centre, '1001', 'wrap-up');
    await dialAndHear(centre, one, '*641001', 'agent-loginok', 'digits/1');
    t.equal(await stateOf(centre, '1001'), 'wrap-up', 'the wrap-up goes with them');
    // And so does its mark, by which Asterisk ends it alone.
    const marked = (...phones: string[]): Promise<true> =>
      until(`marks of ${phones.join()}`, async () => {
        const text = await asterisk.console('database show CustomPresence/star64-wrapup');
        return ['5001', '5002'].every((one) => text.includes(`PJSIP/astercc-${one}`) === phones.includes(one))
          ? true
          : undefined;
      });
    await marked('5001');
    await waitMembers(centre, 'astercc-support', [/^1001 paused:wrapup/]);
    await dialAndHear(centre, one, '*67', 'activated');
    await waitMembers(centre, 'astercc-support', ['1001']);
    await marked();
    await dialAndHear(centre, one, '*65', 'agent-loggedoff');
    t.same(await gaps(centre), []);
  },
);

/** Numbers of the agents who are signed in. */
async function openAgents(): Promise<string[]> {
  const agents = db('sign_ins as i').join('agents as a', 'a.id', 'i.agent_id');
  return agents.whereNull('i.signed_out_at').orderBy('a.number').pluck<string[]>('a.number');
}

await t.test(
  'two phones sign in the same agent in the same moment: one succeeds, the other hears why not',
  async (t) => {
    const phones = [await centre.phone('5001'), await centre.phone('5002')] as const;
    for (let round = 0; round < 5; round++) {
      const mark = await asterisk.verbose.mark();
      await Promise.all(phones.map((phone) => phone.dial('*641003')));
      const heard = async (prompt: string): Promise<string> =>
        Promise.any(
          phones.map((phone) => asterisk.waitPlayed(phone.user, prompt, mark).then(() => phone.user)),
        );
      const [winner, loser] = await Promise.all([heard('agent-loginok'), heard('agent-alreadyon')]);
      t.not(winner, loser, `${winner} is signed in, ${loser} hears why not`);
      t.equal((await openAgents()).join(), '1003,1009');
      const at = (user: string) => phones.find((phone) => phone.user === user);
      await at(loser)?.leave();
      await Promise.all(phones.map((phone) => phone.closed()));
      const out = at(winner);
      if (out) await dialAndHear(centre, out, '*65', 'agent-loggedoff');
    }
  },
);

await t.test('a group that Asterisk does not know yet is no hindrance to the others', async (t) => {
  const phone = await centre.phone('5001');
  // Added, and not generated yet; it is his first.
  await addGroup(db, 'astercc', { name: 'new' });
  await setAgent(db, 'astercc', '1001', { groups: ['new', 'support', 'sales'] });
  await dialAndHear(centre, phone, '*641001', 'agent-loginok');
  for (const queue of ['astercc-support', 'astercc-sales']) await waitMembers(centre, queue, ['1001']);
  await dialAndHear(centre, phone, '*66', 'do-not-disturb');
  for (const queue of ['astercc-support', 'astercc-sales'])
    await waitMembers(centre, queue, [/^1001 paused:pause/]);
  await dialAndHear(centre, phone, '*67', 'activated');
  for (const queue of ['astercc-support', 'astercc-sales']) await waitMembers(centre, queue, ['1001']);
  await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
  await setAgent(db, 'astercc', '1001', { groups: ['support', 'sales'] });
  t.equal(await stateOf(centre, '1001'), 'signed-out');
});

await t.test('the same agent number in two teams: no confusion (spec 4)', async (t) => {
  const here = await centre.phone('5001');
  const there = await centre.phone('5001', { team: 'b2' });
  await dialAndHear(centre, here, '*641001', 'agent-loginok');
  const mark = await asterisk.verbose.mark();
  await dialAndHear(centre, there, '*641001', 'agent-loginok');
  await asterisk.verbose.waitFor(/b2-5001-\S+> Playing 'agent-loginok\.slin' \(language 'fr'\)/, mark);
  t.match(
    await asterisk.recognise(await there.heard(), ['agent-loginok']),
    ['agent-loginok'],
    'in its language, and in English what that lacks',
  );
  await waitMembers(centre, 'astercc-support', ['1001']);
  await waitMembers(centre, 'b2-support', ['1001']);
  await dialAndHear(centre, there, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'b2-support', []);
  t.equal(await stateOf(centre, '1001'), 'idle', 'the one here is still signed in');
  t.same(await membersOf(centre, 'astercc-support'), ['1001']);
});
