import { pino } from 'pino';
import t from 'tap';
import { room, roomPin } from '../../agi/scripts/room.js';
import type { Script, Services } from '../../agi/scripts/script.js';
import type { Session } from '../../agi/wire/session.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addRoom, rooms } from '../../domain/provisioning/features/room.js';
import { addUser, setUser } from '../../domain/provisioning/people/user.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(2));
await provision(db, crowd(1, { team: 'other', did: '600900' }));
await addUser(db, 'astercc', { username: 'lead', pin: '6283' });
await addExtension(db, 'astercc', { number: '5010', user: 'lead' });
await addRoom(db, 'astercc', { number: '801' });
await addRoom(db, 'astercc', { number: '802', pin: '730551' });
await addRoom(db, 'astercc', { number: '803', administrator: 'lead' });
await addRoom(db, 'astercc', { number: '804', administrator: 'lead', pin: '519024' });
await addRoom(db, 'other', { number: '801', pin: '9182' });

/** Asks the question; what the phone is asked and told, and at last the answer. */
async function ask(script: Script, args: string[], ...keyed: string[]): Promise<string[]> {
  const heard: string[] = [];
  const session = {
    getData: (prompt: string) => {
      heard.push(prompt);
      return Promise.resolve(keyed.shift() ?? 'too often');
    },
    setVariable: (_name: string, value: string) => Promise.resolve(heard.push(value)),
  };
  const services = { db, log: pino({ enabled: false }) };
  await script(services as unknown as Services, session as unknown as Session, args);
  return heard;
}
const comes = async (
  number: string,
  endpoint = 'astercc-5001',
  team = 'astercc',
): Promise<string | undefined> => (await ask(room, [team, number, endpoint])).at(-1);
const keys = (number: string, ...keyed: string[]): Promise<string[]> =>
  ask(roomPin, ['astercc', number, 'astercc-5001'], ...keyed);
const failures = () =>
  db('sign_in_failures').orderBy(['kind', 'number']).select('kind', 'number', 'failures');
/** Has so many PINs been wrong in a row. */
const fail = (kind: string, number: string, failures: number): Promise<unknown> =>
  db.raw(
    `insert into sign_in_failures (team_id, kind, number, failures, failed_at, locked_until)
     select id, ?, ?, ?, clock_timestamp(), case when ? >= 5 then clock_timestamp() + interval '1 minute' end
     from teams where identity = 'astercc'`,
    [kind, number, failures, failures],
  );

await t.test('the leader is known by their phone, the others key the PIN, or wait', async (t) => {
  t.equal(await comes('801'), 'in');
  t.equal(await comes('802'), 'pin');
  t.equal(await comes('803'), 'waits');
  t.equal(await comes('804'), 'pin');
  for (const number of ['803', '804']) t.equal(await comes(number, 'astercc-5010'), 'leader');
  t.equal(await comes('803', ''), 'waits', 'a customer who is sent there');
  t.equal(await comes('803', 'other-5010'), 'waits', 'a phone of that number elsewhere');
  t.equal(await comes('899'), 'gone');
  t.equal(await comes('803', 'other-5001', 'other'), 'gone', 'the room of another team');
});

await t.test('a PIN of the room lets in, that of the administrator makes the leader', async (t) => {
  t.same(await keys('802', '730551'), ['conf-getpin', 'in']);
  t.same(await keys('804', '519024'), ['conf-getpin', 'waits']);
  t.same(await keys('804', '6283'), ['conf-getpin', 'leader']);
  t.same(await keys('802', '', '6283', '9182'), ['conf-getpin', 'conf-getpin', 'conf-invalidpin', 'wrong']);
  t.same(
    await failures(),
    [
      { kind: 'phone', number: '5001', failures: 2 },
      { kind: 'room', number: '802', failures: 2 },
    ],
    'silence is no guess',
  );
  t.same(await keys('802', '', '', ''), ['conf-getpin', 'conf-getpin', 'conf-getpin', 'silence']);
  t.same(await keys('802', '730551'), ['conf-getpin', 'in']);
  t.same(await failures(), [], 'a success forgets what went wrong');
});

await t.test('five wrong ones lock the room for every phone, until it gets another PIN', async (t) => {
  await fail('room', '802', 4);
  t.same(await keys('802', '4711', '4711'), ['conf-getpin', 'conf-invalidpin', 'tries']);
  const elsewhere = ['astercc', '802', 'astercc-5002'];
  t.same(
    await ask(roomPin, elsewhere, '730551'),
    ['conf-getpin', 'tries'],
    'the right one, at another phone',
  );
  t.same(
    await ask(roomPin, ['astercc', '804', ''], '519024'),
    ['conf-getpin', 'waits'],
    'another room is open',
  );
  await rooms.set(db, 'astercc', '802', { pin: '862094' });
  t.same(await ask(roomPin, elsewhere, '862094'), ['conf-getpin', 'in']);
});

await t.test('of an administrator who is locked no PIN is right', async (t) => {
  await db('sign_in_failures').delete();
  await fail('user', 'lead', 5);
  t.same((await keys('804', '6283', '', '')).at(1), 'conf-invalidpin');
  await setUser(db, 'astercc', 'lead', { pin: '6284' });
  t.same(await keys('804', '6284'), ['conf-getpin', 'leader'], 'another PIN forgives');
});
