import t, { type Test } from 'tap';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { networkOf } from '../../domain/provisioning/people/login-lock.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { hashesDuring, logIn } from '../support/doors/login.js';
import { loginSite } from '../support/doors/login-site.js';

const { db, password, web, agent, forget } = await loginSite(t);

/** Five wrong passwords, of which three are in the database; the next is told to wait, also a right one. */
async function lock(t: Test, body: { team: string; agent: string }, from: string): Promise<void> {
  await db('login_failures').insert({
    door: 'web',
    team: body.team,
    account: `agent ${body.agent}`,
    address: networkOf(from),
    failures: 3,
    failed_at: db.fn.now(),
  });
  for (let guess = 4; guess <= 5; guess++)
    t.equal((await logIn(web, { ...body, password: `guess ${guess} of five` }, from)).statusCode, 401);
  const hashes = await hashesDuring(async () => {
    const sixth = await logIn(web, body, from);
    t.match(sixth.json(), { status: 429, code: 'locked' });
    t.ok(Number(sixth.headers['retry-after']) > 0 && Number(sixth.headers['retry-after']) <= 60);
  });
  t.equal(hashes, 0, 'no hash is spent on it');
}

await t.test(
  'five wrong passwords lock an account for the address they came from, whether there is one or not',
  async (t) => {
    await lock(t, agent, '10.6.6.6');
    t.equal((await logIn(web, agent, '10.0.0.2')).statusCode, 201, 'its owner, elsewhere, is let in');
    t.equal(
      (await logIn(web, { ...agent, agent: '1003' }, '10.6.6.6')).statusCode,
      201,
      'another account is',
    );
    await lock(t, { ...agent, agent: '9999' }, '10.6.6.6');
    await lock(t, { ...agent, agent: '1003' }, '2001:db8:1:2::3');
    const same = await logIn(web, { ...agent, agent: '1003' }, '2001:db8:1:2:ffff::4');
    t.equal(same.statusCode, 429, 'the network of one machine is one address');
    await setAgent(db, 'astercc', '1003', { password });
    t.equal(
      (await logIn(web, { ...agent, agent: '1003' }, '2001:db8:1:2::3')).statusCode,
      201,
      'unlocked by a new password',
    );
    await forget();
  },
);

await t.test('a lock lasts twice as long with each further guess, and a success forgets them', async (t) => {
  await lock(t, agent, '10.6.6.6');
  await db('login_failures').update({ locked_until: db.raw('clock_timestamp()') });
  t.equal((await logIn(web, { ...agent, password: 'a sixth guess' }, '10.6.6.6')).statusCode, 401);
  const wait = Number((await logIn(web, agent, '10.6.6.6')).headers['retry-after']);
  t.ok(wait > 60 && wait <= 120, `${wait} s`);
  await db('login_failures').update({ locked_until: db.raw('clock_timestamp()') });
  t.equal((await logIn(web, agent, '10.6.6.6')).statusCode, 201);
  t.same(await db('login_failures'), []);
});

await t.test(
  'guesses at one account from many addresses lock it much later, those from one address at many accounts, too',
  async (t) => {
    const at = { door: 'web', failed_at: db.fn.now() };
    await db('login_failures').insert([
      { ...at, team: 'astercc', account: 'agent 1001', address: '', failures: 98 },
      { ...at, team: '', account: '', address: '10.6.6.7', failures: 28 },
    ]);
    t.equal((await logIn(web, { ...agent, password: 'guess 99 of 100' }, '10.6.6.8')).statusCode, 401);
    t.equal((await logIn(web, { ...agent, password: 'guess 100 of 100' }, '10.6.6.9')).statusCode, 401);
    t.equal((await logIn(web, agent, '10.0.0.9')).statusCode, 429);
    t.equal((await logIn(web, agent, '10.0.0.2')).statusCode, 201, 'where its owner has logged in before');
    t.equal((await logIn(web, { ...agent, agent: '7001' }, '10.6.6.7')).statusCode, 401);
    t.equal((await logIn(web, { ...agent, agent: '7002' }, '10.6.6.7')).statusCode, 401);
    t.equal((await logIn(web, { ...agent, agent: '1003' }, '10.6.6.7')).statusCode, 429);
    t.equal((await logIn(web, { ...agent, agent: '1003' }, '10.0.0.2')).statusCode, 201);
    await forget();
  },
);

await t.test('whoever has an account is not forgiven their guesses at others', async (t) => {
  const at = { door: 'web', team: '', account: '', failed_at: db.fn.now() };
  await db('login_failures').insert([
    { ...at, address: '10.6.7.1', failures: 27 },
    { ...at, address: '2001:db8:7::/48', failures: 99 },
  ]);
  const own = { ...agent, agent: '1003' };
  t.equal((await logIn(web, { ...own, password: 'a slip of mine' }, '10.6.7.1')).statusCode, 401);
  t.equal((await logIn(web, own, '10.6.7.1')).statusCode, 201);
  t.match(await db('login_failures').where({ address: '10.6.7.1' }), [{ account: '', failures: 27 }]);
  t.equal((await logIn(web, { ...agent, agent: '7003' }, '2001:db8:7:1::1')).statusCode, 401);
  const elsewhere = await logIn(web, { ...agent, agent: '7004' }, '2001:db8:7:2::1');
  t.equal(elsewhere.statusCode, 429, 'a site with thousands of networks is one');
  await forget();
});

await t.test('guesses at once are counted one after the other', async (t) => {
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, guess) =>
      logIn(web, { ...agent, password: `guess ${guess} at once` }, '10.6.6.6'),
    ),
  );
  const statuses = answers.map(({ statusCode }) => statusCode).sort();
  t.same(statuses, [401, 401, 401, 401, 401, 429, 429, 429, 429]);
  await forget();
});

await t.test('a lock of the page is none of the phone, nor the reverse', async (t) => {
  await setTeam(db, 'astercc', { phonePin: true });
  await setAgent(db, 'astercc', '1001', { pin: '7305' });
  await lock(t, agent, '10.0.0.1');
  const phone = (pin: string) => signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'c.1', pin });
  t.match(await phone('7305'), { outcome: 'signed-in' });
  await db('sign_ins').update({ signed_out_at: db.fn.now(), signed_out_by: 'test' });
  await forget();
  for (let guess = 0; guess < 5; guess++) t.match(await phone('9999'), { outcome: 'pin-wrong' });
  t.match(await phone('7305'), { outcome: 'locked' });
  t.equal((await logIn(web, agent)).statusCode, 201);
  await setTeam(db, 'astercc', { phonePin: false });
});
