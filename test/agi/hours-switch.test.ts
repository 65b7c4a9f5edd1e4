import { pino } from 'pino';
import t from 'tap';
import { hoursSwitch, hoursSwitchPin } from '../../agi/scripts/hours-switch.js';
import type { Services } from '../../agi/scripts/script.js';
import type { Session } from '../../agi/wire/session.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addHours, allHours } from '../../domain/provisioning/features/hours.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addUser, setUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';

const { db } = await freshDatabase(t);
const team = 'astercc';
const pin = '48263917';
await addUser(db, team, { username: 'ben' });
await addExtension(db, team, { number: '5000', user: 'ben' });
await addHours(db, team, { name: 'office', number: '1' });
await addHours(db, team, { name: 'shop', number: '12' });

/** One question in which this is keyed, `` for silence: what Asterisk is told. */
async function ask(script: typeof hoursSwitch, extension: string, digits: string, ...keyed: string[]) {
  const told: string[] = [];
  const session = {
    request: { uniqueid: 'call.1', script: 'hours-switch' },
    noop: () => Promise.resolve(),
    getData: () => Promise.resolve(keyed.shift() ?? 'too often'),
    setVariable: (name: string, value: string) =>
      Promise.resolve(told.push(name === 'STAR64_ANSWER' ? value : `${name}=${value}`)),
  };
  const services = { db, log: pino({ enabled: false }) };
  const args = [team, `${team}-${extension}`, digits, ''];
  await script(services as unknown as Services, session as unknown as Session, args);
  return told;
}
const positionOf = async (name: string): Promise<string> => (await allHours.show(db, team, name)).position;
const refusal = ['done,beeperr&hours&feature-not-avail-line'];

await t.test('without an administrator who has a PIN nobody switches', async (t) => {
  t.same(await ask(hoursSwitch, '5000', '12'), refusal);
  await addUser(db, team, { username: 'anna', administrator: true });
  await addExtension(db, team, { number: '5001', user: 'anna' });
  t.same(await ask(hoursSwitch, '5000', '12'), refusal);
  t.same(await ask(hoursSwitchPin, '5000', '12', ''), refusal);
  t.equal(await positionOf('office'), 'automatic');
});

await t.test('at the phone of the administrator: number and digit', async (t) => {
  const device = 'DEVICE_STATE(Custom:star64-hours-astercc-office)';
  t.same(await ask(hoursSwitch, '5001', '12'), [`${device}=INUSE`, 'done,hours&disabled']);
  t.equal(await positionOf('office'), 'night');
  t.same(await ask(hoursSwitch, '5001', '121'), [
    'DEVICE_STATE(Custom:star64-hours-astercc-shop)=ONHOLD',
    'done,hours&enabled',
  ]);
  t.equal(await positionOf('shop'), 'day');
  t.equal(await positionOf('office'), 'night');
  t.same(await ask(hoursSwitch, '5001', '10'), [`${device}=NOT_INUSE`, 'done,hours&is-set-to&time']);
  t.same(await ask(hoursSwitch, '5001', '13'), ['again,hours&pm-invalid-option']);
  t.same(await ask(hoursSwitch, '5001', '92'), ['again,hours&invalid']);
});

await t.test('without a number: the default hours, and their position is asked for', async (t) => {
  t.same(await ask(hoursSwitch, '5001', '2'), ['again,hours&number&astcc-followed-by-the-pound-key']);
  await setTeam(db, team, { hours: 'office' });
  t.same(await ask(hoursSwitch, '5001', ''), [
    'again,hours&is-set-to&digits/0&vm-changeto&astcc-followed-by-the-pound-key',
  ]);
  await ask(hoursSwitch, '5001', '2');
  t.equal(await positionOf('office'), 'night');
});

await t.test('elsewhere with the PIN, which three tries may miss', async (t) => {
  await setUser(db, team, 'anna', { pin });
  t.same(await ask(hoursSwitch, '5000', '10'), ['pin,vm-password']);
  t.same(await ask(hoursSwitchPin, '5000', '10', '0815', '', '4711'), ['done,vm-incorrect&vm-goodbye']);
  t.equal(await positionOf('office'), 'night');
  t.match(await ask(hoursSwitchPin, '5000', '10', '', pin), [/NOT_INUSE$/, /time$/]);
  t.equal(await positionOf('office'), 'automatic');
  for (let time = 0; time < 2; time++) await ask(hoursSwitchPin, '5000', '12', '0815', '0815', '0815');
  t.same(await ask(hoursSwitchPin, '5000', '12', pin), [
    'done,beeperr&confbridge-pin-bad&please-try-call-later',
  ]);
  t.equal(await positionOf('office'), 'automatic');
});
