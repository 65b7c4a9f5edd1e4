import { change } from './change.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { usage } from '../errors.js';
import { canBeName, checkName, checkText, command, unknown } from '../names.js';
import { checkPassword, hashPassword, verifyPassword } from '../password.js';
import { requireTeam } from './team.js';

/** A login and billing unit (spec 7, 8), of a team or, with team null, of the system (spec 9). */
export interface User {
  team: string | null;
  username: string;
  name: string;
  /** Whether he is the single administrator of his team (spec 5). */
  administrator: boolean;
  /** Whether a password is set; without one nobody can log in as this user. */
  login: boolean;
  extensions: string[];
  agents: string[];
  createdAt: Date;
}

export interface UserChanges {
  name?: string;
  administrator?: boolean;
  /** In clear, only to be hashed; null takes the login away. */
  password?: string | null;
}

const select = `select t.identity as team, u.username, u.name, u.administrator,
    u.password_hash is not null as login, coalesce(x.numbers, '{}') as extensions,
    coalesce(a.numbers, '{}') as agents, u.created_at as "createdAt"
  from users u left join teams t on t.id = u.team_id
  left join (select user_id, array_agg(number order by length(number), number) as numbers
    from extensions where team_id = :teamId group by user_id) x on x.user_id = u.id
  left join (select user_id, array_agg(number order by length(number), number) as numbers
    from agents where team_id = :teamId group by user_id) a on a.user_id = u.id
  where u.team_id is not distinct from :teamId`;

/** Creates a user; shown by his user name unless a name is given. */
export async function addUser(
  db: Queryable,
  team: string | null,
  values: { username: string } & UserChanges,
): Promise<User> {
  const username = checkName('user', values.username);
  const name = checkText('name of the user', values.name ?? username);
  const administrator = checkAdministrator(team, values.administrator) ?? false;
  const hash = await hashed(values.password);
  return change(db, { verb: 'add', kind: 'user', team, name: username }, async (trx) => {
    const teamId = await teamIdOf(trx, team);
    await trx('users').insert({
      team_id: teamId,
      username,
      name,
      administrator,
      password_hash: hash ?? null,
    });
    return readUser(trx, team, username);
  });
}

/** The users of a team, or of the system, by user name. */
export function listUsers(db: Queryable, team: string | null): Promise<User[]> {
  return withDatabaseErrors(async () => {
    const teamId = await teamIdOf(db, team);
    const { rows } = await db.raw<{ rows: User[] }>(`${select} order by u.username`, { teamId });
    return rows;
  });
}

/** One user; `not_found` when the team (or the system) has none of that name. */
export function showUser(db: Queryable, team: string | null, username: string): Promise<User> {
  return withDatabaseErrors(() => readUser(db, team, username));
}

/** Changes what is given. A login password that is the secret of one of his own devices is refused (spec 17). */
export async function setUser(
  db: Queryable,
  team: string | null,
  username: string,
  changes: UserChanges,
): Promise<User> {
  if (changes.name !== undefined) checkText('name of the user', changes.name);
  checkAdministrator(team, changes.administrator);
  const hash = await hashed(changes.password);
  return change(db, { verb: 'set', kind: 'user', team, name: username }, async (trx) => {
    // Locked: a secret and a password set at the same moment must still see each other.
    const { id } = await requireUser(trx, team, username, 'for no key update');
    if (changes.password) await refuseSecretAsPassword(trx, id, username, changes.password);
    const columns = {
      ...(changes.name !== undefined && { name: changes.name }),
      ...(changes.administrator !== undefined && { administrator: changes.administrator }),
      ...(hash !== undefined && { password_hash: hash }),
    };
    if (Object.keys(columns).length > 0) await trx('users').where({ id }).update(columns);
    return readUser(trx, team, username);
  });
}

/** Removes a user who owns neither extensions nor agents. */
export function removeUser(db: Queryable, team: string | null, username: string): Promise<void> {
  return change(db, { verb: 'remove', kind: 'user', team, name: username }, async (trx) => {
    const { id } = await requireUser(trx, team, username);
    await trx('users').where({ id }).delete();
  });
}

/** What other nouns need to know of a user. */
export interface UserRow {
  id: number;
  teamId: number | null;
  username: string;
  passwordHash: string | null;
}

/** The row of a user, locked if asked for; `not_found` when the team (or the system) has none of that name. */
export async function requireUser(
  db: Queryable,
  team: string | null,
  username: string,
  lock: '' | 'for no key update' = '',
): Promise<UserRow> {
  const teamId = await teamIdOf(db, team);
  const { rows } = canBeName('user', username)
    ? await db.raw<{ rows: UserRow[] }>(
        `select id, team_id as "teamId", username, password_hash as "passwordHash" from users
         where team_id is not distinct from :teamId and username = :username ${lock}`,
        { teamId, username },
      )
    : { rows: [] };
  const row = rows[0];
  if (!row) throw unknown('user', team, username);
  return row;
}

/** Refuses a SIP secret that is the owner's login password: whoever sees a phone's configuration could log in. */
export async function refusePasswordAsSecret(owner: UserRow, secret: string): Promise<void> {
  if (owner.passwordHash !== null && (await verifyPassword(secret, owner.passwordHash))) {
    throw usage(
      `the SIP secret must differ from the login password of user ${owner.username}: give none, and one is generated.`,
    );
  }
}

async function refuseSecretAsPassword(
  db: Queryable,
  userId: number,
  username: string,
  password: string,
): Promise<void> {
  const same = await db('extensions')
    .where({ user_id: userId, secret: password.normalize('NFC') })
    .first<{ number: string } | undefined>('number');
  if (same) {
    throw usage(
      `the login password of user ${username} must differ from the SIP secret of extension ${same.number}: choose another.`,
    );
  }
}

function checkAdministrator(team: string | null, administrator: boolean | undefined): boolean | undefined {
  if (team === null && administrator) {
    throw usage(
      `a user of the system administers no team: create him in the team, ${command('<team>', 'user add <name> --administrator')}.`,
    );
  }
  return administrator;
}

async function hashed(password: string | null | undefined): Promise<string | null | undefined> {
  return typeof password === 'string' ? hashPassword(checkPassword(password)) : password;
}

async function teamIdOf(db: Queryable, team: string | null): Promise<number | null> {
  return team === null ? null : requireTeam(db, team);
}

async function readUser(db: Queryable, team: string | null, username: string): Promise<User> {
  const { id, teamId } = await requireUser(db, team, username);
  const { rows } = await db.raw<{ rows: User[] }>(`${select} and u.id = :id`, { teamId, id });
  const row = rows[0];
  if (!row) throw unknown('user', team, username);
  return row;
}
