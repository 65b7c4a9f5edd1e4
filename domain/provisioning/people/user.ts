import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { user } from '../nouns/user.js';
import { operationsOf } from '../operations/operations.js';
import { forget } from '../operations/forget-failures.js';
import { endLogins } from './login.js';
import { refuseSecretAsPassword } from '../operations/secret-or-password.js';

export type UserChanges = Omit<Changes<typeof user>, 'login'> & {
  /** In clear, only to be hashed; null takes the login away. */
  password?: string | null;
};

/**
 * A login and billing unit (spec 7, 8), of a team or of the system (spec 9). A login password that is the secret of one
 * of the user's own devices is refused (spec 17). A new PIN forgives the wrong ones that were tried; a new password likewise, and ends the logins with the old one.
 */
export const users = operationsOf(user, {
  check: ({ team, name, given }) => {
    if (team !== null || given.administrator !== true) return;
    throw fail('not_applicable', {
      noun: 'user',
      name,
      facts: { field: 'administrator' },
      says: 'a user of the system administers no team',
      remedy: {
        text: 'create them in the team, {0}',
        steps: [{ noun: 'user', verb: 'add', name: '<name>', options: '--administrator', team: '<team>' }],
      },
    });
  },
  columns: async ({ trx, name, given, before }) => {
    if (before && typeof given.login === 'string')
      await refuseSecretAsPassword(trx, before.id, given.login, { noun: 'user', name });
    return {};
  },
  after: async ({ trx, scope, name, given, before }) => {
    if (before && typeof given.pin === 'string') await forget({ trx, scope, name }, 'user');
    if (before && given.login !== undefined)
      await endLogins(trx, scope, { noun: 'user', name, id: before.id });
    return undefined;
  },
  remove: async ({ trx, scope, name, row }) => {
    await forget({ trx, scope, name }, 'user');
    await endLogins(trx, scope, { noun: 'user', name, id: row.id });
    // The place of the single administrator is free at once.
    if (row['administrator'] === true)
      await trx('users').where({ id: row.id }).update({ administrator: false });
    return undefined;
  },
});

export type User = Awaited<ReturnType<typeof users.show>>;

const withLogin = ({ password, ...rest }: UserChanges) => ({ ...rest, login: password });

export const addUser = (
  db: Queryable,
  team: string | null,
  { username, ...values }: { username: string } & UserChanges,
): Promise<User> => users.add(db, team, username, withLogin(values));
export const listUsers = users.list;
export const showUser = users.show;
export const setUser = (
  db: Queryable,
  team: string | null,
  username: string,
  changes: UserChanges,
): Promise<User> => users.set(db, team, username, withLogin(changes));
export const removeUser = users.remove;
