import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { verifyPassword } from '../../password.js';
import type { Stored } from '../values/rows.js';

/** Refuses a SIP secret that is the owner's login password: whoever sees a phone's configuration could log in. */
export async function refusePasswordAsSecret(owner: Stored, secret: string): Promise<void> {
  const hash = owner['password_hash'];
  if (typeof hash !== 'string' || !(await verifyPassword(secret, hash))) return;
  const user = String(owner['username']);
  throw fail('secret_is_password', {
    noun: 'user',
    name: user,
    says: `the SIP secret must differ from the login password of user ${user}`,
    remedy: { text: 'give none, and one is generated' },
  });
}

/**
 * Refuses a login password that is the SIP secret of one of the user's own devices (spec 17). `holder`: whose password it is,
 * the user or an agent that they are.
 */
export async function refuseSecretAsPassword(
  trx: Queryable,
  userId: number,
  password: string,
  holder: { noun: 'user' | 'agent'; name: string },
): Promise<void> {
  const same = await trx('extensions')
    .where({ user_id: userId, secret: password.normalize('NFC'), removed_at: null })
    .first<{ number: string } | undefined>('number');
  if (!same) return;
  const { noun, name } = holder;
  throw fail('secret_is_password', {
    noun,
    name,
    facts: { extension: same.number },
    says: `the login password of ${noun} ${name} must differ from the SIP secret of extension ${same.number}`,
    remedy: { text: 'choose another' },
  });
}
