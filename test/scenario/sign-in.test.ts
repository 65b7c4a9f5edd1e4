import t from 'tap';
import { crowd, provision } from '../../lab/provision.js';
import { addAgent } from '../../domain/agent.js';
import { centreFor, needLab, dialAndHear, membersOf, stateOf, waitMembers } from '../support/centre.js';

await needLab(t);

const centre = await centreFor(t, {
  provision: async (db) => {
    const groups = [{ name: 'support', number: '6000' }, { name: 'sales' }];
    await provision(db, crowd(4, { groups }));
    // The same numbers once more in another team (spec 4).
    await provision(db, crowd(2, { team: 'b2', groups, did: '600200' }));
    await addAgent(db, 'astercc', {
      number: '1009',
      user: 'crowd',
      groups: ['support'],
      kind: 'fixed',
      extension: '5004',
    });
  },
});
const { asterisk, db } = centre;

await t.test('a device registers as <team>-<extension> and as nothing else (spec 16)', async (t) => {
  t.equal((await centre.phone('5001')).user, 'astercc-5001', 'accepted');
  const { Phone } = await import('../../lab/phone.js');
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
  t.equal((await db('sign_ins')).length, 2, 'signing in again at the same phone changes nothing');
  await dialAndHear(centre, one, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-support', ['1002']);
  await dialAndHear(centre, one, '*65', 'beeperr', 'agent-loggedoff');
  await dialAndHear(centre, two, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-sales', []);
});

await t.test('why not, each with an answer of its own', async (t) => {
  const [one, two] = [await centre.phone('5001'), await centre.phone('5002')];
  await dialAndHear(centre, one, '*641001', 'agent-loginok');

  await dialAndHear(centre, one, '*641002', 'beeperr', 'extension', 'is-in-use');
  t.equal(await stateOf(centre, '1002'), 'signed-out', 'a phone has one agent (spec 21)');
  await dialAndHear(centre, two, '*641009', 'beeperr', 'feature-not-avail-line');
  t.equal(await stateOf(centre, '1009'), 'signed-out', 'a fixed agent has one phone (spec 20)');

  // Signed in at another phone: said so, and asked for another number; three tries, then goodbye.
  const mark = await asterisk.verbose.mark();
  await two.dial('*641001');
  await asterisk.waitPlayed(two.user, 'agent-alreadyon', mark);
  for (const keys of ['7777#', '#', '8888#']) {
    const from = await asterisk.verbose.mark();
    await two.digits(keys);
    await asterisk.waitPlayed(two.user, keys === '8888#' ? 'vm-goodbye' : 'agent-incorrect', from);
  }
  await two.closed();
  t.equal((await db('sign_ins').whereNull('signed_out_at')).length, 1, 'nothing has changed');
  await dialAndHear(centre, one, '*65', 'agent-loggedoff');
});

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
      t.equal((await db('sign_ins').whereNull('signed_out_at')).length, 1);
      const at = (user: string) => phones.find((phone) => phone.user === user);
      await at(loser)?.hangup();
      await Promise.all(phones.map((phone) => phone.closed()));
      const out = at(winner);
      if (out) await dialAndHear(centre, out, '*65', 'agent-loggedoff');
    }
  },
);

await t.test('the same agent number in two teams: no confusion (spec 4)', async (t) => {
  const here = await centre.phone('5001');
  const there = await centre.phone('5001', { team: 'b2' });
  await dialAndHear(centre, here, '*641001', 'agent-loginok');
  await dialAndHear(centre, there, '*641001', 'agent-loginok');
  await waitMembers(centre, 'astercc-support', ['1001']);
  await waitMembers(centre, 'b2-support', ['1001']);
  await dialAndHear(centre, there, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'b2-support', []);
  t.equal(await stateOf(centre, '1001'), 'idle', 'the one here is still signed in');
  t.same(await membersOf(centre, 'astercc-support'), ['1001']);
});
