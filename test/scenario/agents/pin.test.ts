import t from 'tap';
import { setAgent } from '../../../domain/provisioning/people/agent.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, dialled, stateOf } from '../../support/centre.js';

const pin = '48263917';
const centre = await centreOf(t, crowd(4), {
  provision: async (db) => {
    await setAgent(db, 'astercc', '1001', { pin });
    await setAgent(db, 'astercc', '1003', { pin });
  },
});
const { asterisk, db } = centre;

await t.test('without the option nobody is asked for a PIN (spec 28)', async (t) => {
  const phone = await centre.phone('5001');
  t.same(await dialled(centre, phone, '*641001'), ['agent-loginok']);
  t.same(await dialled(centre, phone, '*65'), ['agent-loggedoff']);
  await setTeam(db, 'astercc', { phonePin: true });
});

await t.test('with it the PIN is asked for after the number, and is in no log', async (t) => {
  const phone = await centre.phone('5001');
  const heard = await dialled(
    centre,
    phone,
    '*641001',
    ['agent-pass', '1234#'],
    ['auth-incorrect', `${pin}#`],
  );
  t.same(heard, ['agent-pass', 'auth-incorrect', 'agent-loginok']);
  t.equal(await stateOf(centre, '1001'), 'idle');
  t.same(
    await dialled(centre, phone, '*641001'),
    ['agent-loginok'],
    'who is signed in here already is not asked',
  );
  t.same(await dialled(centre, phone, '*641002'), [
    'beeperr',
    'extension',
    'is-in-use',
    'spy-agent',
    ...digits('1001'),
  ]);
  const other = await centre.phone('5002');
  t.same(
    await dialled(centre, other, '*641002'),
    ['beeperr', 'vm-no', 'vm-password', 'vm-for', 'spy-agent', ...digits('1002')],
    'an agent without a PIN',
  );

  const logs = [
    ...(await asterisk.verbose.lines()),
    await asterisk.logText(),
    ...(await centre.server.log.lines()),
  ];
  t.notMatch(logs.join('\n'), new RegExp(pin));
});

await t.test('five wrong PINs lock the agent number, from every phone, and the lock ends', async (t) => {
  const phone = await centre.phone('5003');
  const wrong: [string, string][] = [
    ['agent-pass', '1111#'],
    ['auth-incorrect', '2222#'],
    ['auth-incorrect', '3333#'],
  ];
  t.match((await dialled(centre, phone, '*641003', ...wrong)).join(), /vm-incorrect,vm-goodbye$/);
  const locked = ['beeperr', 'confbridge-pin-bad', 'please-try-call-later'];
  t.match((await dialled(centre, phone, '*641003', ...wrong)).join(), new RegExp(`${locked.join()}$`));
  t.same(
    await dialled(centre, await centre.phone('5004'), '*641003'),
    locked,
    'another phone is no way around it',
  );
  t.equal(await stateOf(centre, '1003'), 'signed-out');
  t.equal(await stateOf(centre, '1001'), 'idle', 'others are not touched');

  await db('sign_in_failures').update({ locked_until: db.raw(`clock_timestamp() - interval '1 second'`) });
  t.match((await dialled(centre, phone, '*641003', ['agent-pass', `${pin}#`])).join(), /agent-loginok$/);
  t.same(await db('sign_in_failures').where({ number: '1003' }), [], 'a success forgets what was before');
});

await t.test('numbers tried out one by one lock the phone, PIN or not', async (t) => {
  await setTeam(db, 'astercc', { phonePin: false });
  const phone = await centre.phone('5004');
  const tries: [string, string][] = [
    ['agent-incorrect', '9992#'],
    ['agent-incorrect', '9993#'],
    ['agent-incorrect', '9994#'],
  ];
  await dialled(centre, phone, '*649991', ...tries);
  await dialled(centre, phone, '*649995', ['agent-incorrect', '9996#']);
  t.same(await dialled(centre, phone, '*641004'), ['beeperr', 'confbridge-pin-bad', 'please-try-call-later']);
  const rows = await db('sign_in_failures').where({ kind: 'phone', number: '5004' });
  t.equal(rows.length, 1);
  t.same(
    await dialled(centre, await centre.phone('5002'), '*641004'),
    ['agent-loginok'],
    'from his own phone he may',
  );
});

function digits(number: string): string[] {
  return Array.from(number, (digit) => `digits/${digit}`);
}
