import t from 'tap';
import { checkUserPin } from '../../domain/presence/user-pin.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser, removeUser, setUser, showUser } from '../../domain/provisioning/people/user.js';
import { verifyPassword } from '../../domain/password.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
const pin = '730551';
await addUser(db, 'astercc', { username: 'anna', pin });
await addUser(db, 'astercc', { username: 'ben' });
await addUser(db, 'other', { username: 'anna', pin: '9182' });
const check = (typed: string, options = {}, username = 'anna') =>
  checkUserPin(db, 'astercc', { username }, typed, options);
const failures = () =>
  db('sign_in_failures').orderBy(['kind', 'number']).select('kind', 'number', 'failures');
const unlock = () => db('sign_in_failures').delete();

await t.test('a PIN is kept as a hash, and only whether there is one is shown', async (t) => {
  const anna = await showUser(db, 'astercc', 'anna');
  t.match(anna, { pin: true, login: false });
  t.notMatch(JSON.stringify(anna), /730551|scrypt/);
  const { hash } = await db('users')
    .where({ username: 'anna' })
    .orderBy('id')
    .first<{ hash: string }>('pin_hash as hash');
  t.match(hash, /^scrypt\$/);
  t.equal(await verifyPassword(pin, hash), true);
  await addUser(db, 'astercc', { username: '4711' });
  for (const [typed, word] of [
    ['123', '4 to 10 digits'],
    ['12a4', '4 to 10 digits'],
    ['0000', 'not one digit repeated'],
    ['1234', 'no run such as 1234'],
    ['4711', 'not the user name'],
  ] as const) {
    await refused(t, 'usage', ['PIN', word], () => setUser(db, 'astercc', '4711', { pin: typed }));
  }
  t.match(await showUser(db, 'astercc', '4711'), { pin: false });
});

await t.test('right, wrong or missing; of this team only', async (t) => {
  t.equal(await check(pin), 'right');
  t.equal(await check('9182'), 'wrong');
  t.equal(await check(pin, {}, 'ben'), 'missing');
  t.equal(await check(pin, {}, 'nobody'), 'missing');
  const { id } = await db('users').where({ username: 'anna' }).orderBy('id').first<{ id: number }>('id');
  t.equal(await checkUserPin(db, 'astercc', { userId: id }, pin), 'right');
  t.equal(await checkUserPin(db, 'other', { userId: id }, pin), 'missing');
  t.same(await failures(), [], 'a success forgets what went wrong');
});

await t.test('five wrong ones in a row lock, also the right one, and a new PIN lifts it', async (t) => {
  for (let time = 0; time < 5; time++) {
    t.equal(await check(''), 'silence', 'silence is no guess');
    t.equal(await check('0815'), 'wrong', `time ${time + 1}`);
  }
  t.equal(await check(pin), 'locked');
  t.equal(await check('9182'), 'locked');
  t.equal(
    await checkUserPin(db, 'other', { username: 'anna' }, '9182'),
    'right',
    'another team is not locked',
  );
  await setUser(db, 'astercc', 'anna', { name: 'Anna' });
  t.equal(await check(pin), 'locked', 'nor does another change lift it');
  await setUser(db, 'astercc', 'anna', { pin });
  t.equal(await check(pin), 'right');
});

await t.test('a phone where many users are tried is locked, too', async (t) => {
  for (let time = 0; time < 5; time++) t.equal(await check('0815', { phone: '5000' }), 'wrong');
  await setUser(db, 'astercc', 'anna', { pin });
  t.same(await failures(), [{ kind: 'phone', number: '5000', failures: 5 }]);
  t.equal(await check(pin, { phone: '5000' }), 'locked');
  t.equal(await check(pin, { phone: '5001' }), 'right');
  await unlock();
});

await t.test('of twenty guesses at once no more than five are looked at', async (t) => {
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => check('0815')));
  t.equal(outcomes.filter((outcome) => outcome === 'wrong').length, 5);
  t.equal(outcomes.filter((outcome) => outcome === 'locked').length, 15);
  await unlock();
});

await t.test('a PIN goes with the user, or when it is taken away', async (t) => {
  await setUser(db, 'astercc', 'anna', { pin: null });
  t.equal(await check(pin), 'missing');
  await setUser(db, 'astercc', 'anna', { pin });
  await removeUser(db, 'astercc', 'anna');
  t.equal(await check(pin), 'missing');
  await addUser(db, 'astercc', { username: 'anna' });
  t.equal(await check(pin), 'missing');
});
