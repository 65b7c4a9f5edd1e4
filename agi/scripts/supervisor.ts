import { ownerOf, supervisorAt } from '../../domain/presence/group-administrator.js';
import { checkUserPin } from '../../domain/presence/user-pin.js';
import type { Database } from '../../domain/database/pool.js';
import type { Outcome } from '../prompts.js';
import type { Dialled } from './feature.js';

const tries = 3;
const patienceMs = 7000;
const longestPin = 10;
const longestNumber = 10;

/** Who supervises, or what is to be said instead. */
export type Supervisor = { userId: number } | { outcome: Outcome };

/** The owner of the phone if they administer a group, else whether to ask who it is. */
export async function supervisorHere(
  db: Database,
  { team, extension }: Dialled,
  refused: Outcome,
): Promise<Supervisor> {
  const { userId, hasPins } = await supervisorAt(db, team, extension);
  if (userId !== null) return { userId };
  return { outcome: hasPins ? 'supervisor-pin-wanted' : refused };
}

/**
 * Asks at another phone for the number of a phone of theirs, and for their PIN, which is in no log and no variable. Whose
 * number nobody has, or nobody with a PIN, is told the same as for a wrong PIN.
 */
export async function supervisorByPin(
  db: Database,
  { team, extension, session }: Dialled,
): Promise<Supervisor> {
  const number = await session.getData('vm-extension', patienceMs, longestNumber);
  if (number === '') return { outcome: 'pin-silence' };
  const userId = /^[0-9]{2,10}$/.test(number) ? await ownerOf(db, team, number) : undefined;
  let prompt = 'vm-password';
  for (let attempt = 1; ; attempt++) {
    const pin = await session.getData(prompt, patienceMs, longestPin);
    const check =
      userId === undefined
        ? pin === ''
          ? 'silence'
          : 'wrong'
        : await checkUserPin(db, team, { userId }, pin, { phone: extension });
    if (check === 'right' && userId !== undefined) return { userId };
    if (check === 'locked') return { outcome: 'locked' };
    if (attempt === tries) return { outcome: check === 'silence' ? 'pin-silence' : 'pin-wrong' };
    prompt = check === 'silence' ? 'vm-password' : 'auth-incorrect';
  }
}
