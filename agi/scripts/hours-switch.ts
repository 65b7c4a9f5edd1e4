import { switchDevice, switchDigits, switchStates } from '../../domain/hours-switch.js';
import { administratorAt } from '../../domain/presence/administrator.js';
import { checkUserPin } from '../../domain/presence/user-pin.js';
import type { Database } from '../../domain/database/pool.js';
import type { Position } from '../../domain/hours-rules.js';
import { switchableHours, switchHours, type Switchable } from '../../domain/provisioning/features/hours.js';
import type { Told } from '../answer.js';
import { feature, type Dialled } from './feature.js';
import type { Services } from './script.js';

const tries = 3;
const patienceMs = 7000;
const longestPin = 10;

/**
 * `*61<hours number><0|1|2>`: automatic, day or night; the digit alone is for the team's default hours. Only at a phone
 * of the team's administrator, or with their PIN. Fails closed: without a server nobody can be known, and the switch
 * stays as it is.
 */
export const hoursSwitch = feature(async (services, dialled) => {
  const wanted = await wantedBy(services.db, dialled);
  if ('outcome' in wanted) return wanted;
  const administrator = await administratorAt(services.db, dialled.team, dialled.extension);
  if (administrator?.atOwnPhone) return turn(services, dialled, wanted);
  return administrator?.hasPin ? 'hours-pin-wanted' : 'hours-refused';
});

/** The same with the PIN of the administrator, which is keyed here: it is in no log and no variable. */
export const hoursSwitchPin = feature(async (services, dialled) => {
  const { db } = services;
  const { team, extension, session } = dialled;
  const wanted = await wantedBy(db, dialled);
  if ('outcome' in wanted) return wanted;
  const administrator = await administratorAt(db, team, extension);
  if (!administrator) return 'hours-refused';
  let prompt = 'vm-password';
  for (let attempt = 1; ; attempt++) {
    const pin = await session.getData(prompt, patienceMs, longestPin);
    const check = await checkUserPin(db, team, { userId: administrator.userId }, pin, { phone: extension });
    if (check === 'right') return turn(services, dialled, wanted);
    if (check === 'locked') return 'locked';
    if (check === 'missing') return 'hours-refused';
    if (attempt === tries) return check === 'silence' ? 'pin-silence' : 'pin-wrong';
    prompt = check === 'silence' ? 'vm-password' : 'auth-incorrect';
  }
});

interface Wanted {
  hours: Switchable;
  position: Position;
}

/** What is to be switched, or what is still to be asked for. */
async function wantedBy(
  db: Database,
  { team, digits }: Dialled,
): Promise<Wanted | Extract<Told, { outcome: unknown }>> {
  const number = digits === undefined || digits.length < 2 ? undefined : digits.slice(0, -1);
  const hours = await switchableHours(db, team, number);
  if (!hours) return { outcome: number === undefined ? 'hours-wanted' : 'unknown-hours', facts: {} };
  const position = switchDigits[digits?.slice(-1) ?? ''];
  if (position !== undefined) return { hours, position };
  const digit = Object.keys(switchDigits).find((one) => switchDigits[one] === hours.position);
  return {
    outcome: digits === undefined ? 'position-wanted' : 'unknown-position',
    facts: { position: digit },
  };
}

/** The truth is the database's; the call has its own Asterisk follow at once, and servers see to it that it has. */
async function turn(
  { db }: Services,
  { team, session }: Dialled,
  { hours, position }: Wanted,
): Promise<Told> {
  await switchHours(db, team, hours.name, position);
  await session.setVariable(`DEVICE_STATE(${switchDevice(team, hours.name)})`, switchStates[position]);
  return { outcome: `hours-${position}`, facts: { hours: hours.name } };
}
