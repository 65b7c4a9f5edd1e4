import { change } from './change.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { dependents, stillNeeded } from './dependents.js';
import { conflict, usage } from '../errors.js';
import { canBeName, checkChoice, checkName, command, unknown } from '../names.js';
import { checkSecret, generateSecret } from '../password.js';
import { openSignIn } from '../presence/open-sign-in.js';
import { extensionKinds, type ExtensionKind } from '../presence/phone.js';
import { requireTeam } from './team.js';
import { refusePasswordAsSecret, requireUser } from './user.js';

export interface Extension {
  team: string;
  number: string;
  /** User name of the owner (spec 13). */
  user: string;
  kind: ExtensionKind;
  /** What is dialled for kind `phone`. */
  telephone: string | null;
  createdAt: Date;
}

/** An extension with the secret that its device registers with; null for kind `phone`. */
export type ExtensionWithSecret = Extension & { secret: string | null };

export interface ExtensionChanges {
  user?: string;
  kind?: string;
  telephone?: string;
  /** A SIP secret of one's own; `generate` makes a new one. */
  secret?: string | { generate: true };
}

const select = `select t.identity as team, x.number, u.username as "user", x.kind,
    x.telephone_number as telephone, x.created_at as "createdAt"
  from extensions x join teams t on t.id = x.team_id join users u on u.id = x.user_id
  where x.team_id = :teamId`;

/**
 * Creates an extension of a user. The secret of a SIP device is generated unless given (spec 17) and is part of the
 * result this one time.
 */
export function addExtension(
  db: Queryable,
  team: string,
  values: { number: string; user: string } & ExtensionChanges,
): Promise<ExtensionWithSecret> {
  const number = checkName('extension', values.number);
  const kind = checkChoice('kind of extension', extensionKinds, values.kind ?? 'sip');
  const fields = kindFields(number, kind, values, undefined);
  const attempt = {
    verb: 'add',
    kind: 'extension',
    team,
    name: number,
    telephone: values.telephone,
  } as const;
  return change(db, attempt, async (trx) => {
    const teamId = await requireTeam(trx, team);
    const owner = await requireUser(trx, team, values.user, 'for no key update');
    if (typeof values.secret === 'string') await refusePasswordAsSecret(owner, values.secret);
    await trx('extensions').insert({ team_id: teamId, number, user_id: owner.id, kind, ...fields });
    return { ...(await readExtension(trx, team, number)), secret: fields.secret };
  });
}

/** The extensions of a team, by number, without their secrets. */
export function listExtensions(db: Queryable, team: string): Promise<Extension[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { rows } = await db.raw<{ rows: Extension[] }>(`${select} order by length(x.number), x.number`, {
      teamId,
    });
    return rows;
  });
}

/** One extension, without its secret; `not_found` when the team has none of that number. */
export function showExtension(db: Queryable, team: string, number: string): Promise<Extension> {
  return withDatabaseErrors(() => readExtension(db, team, number));
}

/** One extension with its secret, to set up the device. */
export function showExtensionSecret(
  db: Queryable,
  team: string,
  number: string,
): Promise<ExtensionWithSecret> {
  return withDatabaseErrors(async () => {
    const { secret } = await requireExtension(db, team, number);
    return { ...(await readExtension(db, team, number)), secret };
  });
}

/**
 * Changes what is given. The kind stays while an agent is signed in at this phone. A secret that was made new is in
 * the result; one that stays is not.
 */
export function setExtension(
  db: Queryable,
  team: string,
  number: string,
  changes: ExtensionChanges,
): Promise<Extension | ExtensionWithSecret> {
  const wanted =
    changes.kind === undefined ? undefined : checkChoice('kind of extension', extensionKinds, changes.kind);
  const attempt = {
    verb: 'set',
    kind: 'extension',
    team,
    name: number,
    telephone: changes.telephone,
  } as const;
  return change(db, attempt, async (trx) => {
    const before = await requireExtension(trx, team, number, 'for update');
    const kind = wanted ?? before.kind;
    if (kind !== before.kind) await refuseWhileSignedIn(trx, team, number, 'becomes another kind');
    const fields = kindFields(number, kind, changes, before);
    const owner = await requireUser(trx, team, changes.user ?? before.user, 'for no key update');
    // A kept secret meets a new owner's password. One that is generated here cannot be anybody's password.
    const kept = owner.id !== before.userId && fields.secret === before.secret;
    if (fields.secret !== null && (typeof changes.secret === 'string' || kept)) {
      await refusePasswordAsSecret(owner, fields.secret);
    }
    await trx('extensions')
      .where({ id: before.id })
      .update({ user_id: owner.id, kind, ...fields });
    const after = await readExtension(trx, team, number);
    return fields.secret === before.secret ? after : { ...after, secret: fields.secret };
  });
}

/** Removes an extension where nobody is signed in, that no fixed agent and no DID needs. */
export function removeExtension(db: Queryable, team: string, number: string): Promise<void> {
  const attempt = { verb: 'remove', kind: 'extension', team, name: number } as const;
  return change(db, attempt, async (trx) => {
    // The lock makes a sign-in that is just being made wait, and then fail.
    const { id } = await requireExtension(trx, team, number, 'for update');
    const held = await dependents(trx, attempt);
    if (held.length > 0) throw stillNeeded(attempt, held);
    await refuseWhileSignedIn(trx, team, number, 'is removed');
    await trx('extensions').where({ id }).delete();
  });
}

interface ExtensionRow {
  id: number;
  kind: ExtensionKind;
  user: string;
  userId: number;
  secret: string | null;
  telephone: string | null;
}

/** The row of an extension, locked if asked for; `not_found` when the team has none of that number. */
export async function requireExtension(
  db: Queryable,
  team: string,
  number: string,
  lock: '' | 'for update' = '',
): Promise<ExtensionRow> {
  const teamId = await requireTeam(db, team);
  const { rows } = canBeName('extension', number)
    ? await db.raw<{ rows: ExtensionRow[] }>(
        `select x.id, x.kind, u.username as "user", x.user_id as "userId", x.secret,
           x.telephone_number as telephone
         from extensions x join users u on u.id = x.user_id
         where x.team_id = :teamId and x.number = :number ${lock && `${lock} of x`}`,
        { teamId, number },
      )
    : { rows: [] };
  const row = rows[0];
  if (!row) throw unknown('extension', team, number);
  return row;
}

/** The two columns that depend on the kind, complete; refuses what does not go with it. */
function kindFields(
  number: string,
  kind: ExtensionKind,
  changes: ExtensionChanges,
  before: ExtensionRow | undefined,
): { secret: string | null; telephone_number: string | null } {
  if (kind === 'sip') {
    if (changes.telephone !== undefined) {
      throw usage(
        `extension ${number} is a SIP device and dials no telephone number: add --kind external, or leave --telephone out.`,
      );
    }
    const given = typeof changes.secret === 'string' ? checkSecret(changes.secret) : undefined;
    const kept = changes.secret === undefined ? before?.secret : undefined;
    return { secret: given ?? kept ?? generateSecret(), telephone_number: null };
  }
  if (changes.secret !== undefined) {
    throw usage(`extension ${number} is a telephone number and has no SIP secret: leave it out.`);
  }
  const telephone = changes.telephone ?? before?.telephone;
  if (telephone === undefined || telephone === null) {
    throw usage(
      `extension ${number} of kind external needs the number to dial: add for example --telephone +4915112345678.`,
    );
  }
  return { secret: null, telephone_number: checkName('telephone', telephone) };
}

async function refuseWhileSignedIn(db: Queryable, team: string, number: string, what: string): Promise<void> {
  const open = await openSignIn(db, team, { extension: number });
  if (open) {
    const fixed = await db('agents').where({ id: open.agentId, kind: 'fixed' }).pluck('id');
    if (fixed.length > 0) {
      const move = command(team, `agent set ${open.agent} --extension <other>`);
      throw conflict(
        `agent ${open.agent} is fixed at extension ${number} of team ${team}, always signed in: first ${move}, before it ${what}.`,
      );
    }
    throw conflict(
      `agent ${open.agent} is signed in at extension ${number} of team ${team}: he must sign out first (*65), before it ${what}.`,
    );
  }
}

async function readExtension(db: Queryable, team: string, number: string): Promise<Extension> {
  const { id } = await requireExtension(db, team, number);
  const teamId = await requireTeam(db, team);
  const { rows } = await db.raw<{ rows: Extension[] }>(`${select} and x.id = :id`, { teamId, id });
  const row = rows[0];
  if (!row) throw unknown('extension', team, number);
  return row;
}
