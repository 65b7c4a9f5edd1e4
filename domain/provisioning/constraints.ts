import type { Attempt } from './attempt.js';
import type { Queryable } from '../database/pool.js';
import { dependents, stillNeeded } from './dependents.js';
import { conflict, usage, type Star64Error } from '../errors.js';
import { command, quoted } from '../names.js';
import { codeTaken, numberTaken, prefixTaken } from './number-space.js';

type Explain = (db: Queryable, attempt: Attempt) => Promise<string>;

/**
 * What each unique constraint means to a person. The database decides, so two commands at the same instant get the
 * same answer as two in a row; who holds the place is looked up afterwards.
 */
const taken: Record<string, Explain> = {
  teams_identity_key: (_db, { name }) =>
    Promise.resolve(`team ${name} exists already: choose another identity (\`star64 team list\`).`),

  users_username_in_team_key: userTaken,
  users_username_in_system_key: userTaken,

  users_one_administrator_key: async (db, { team }) => {
    const row = await db('users as u')
      .join('teams as t', 't.id', 'u.team_id')
      .where({ 't.identity': team, 'u.administrator': true })
      .first<{ username: string } | undefined>('u.username');
    const holder = row?.username ?? 'another user';
    return `team ${team ?? ''} has its single administrator already, ${holder}: first ${command(team, `user set ${holder} --no-administrator`)}.`;
  },

  extensions_number_key: numberTaken,
  agent_groups_number_key: numberTaken,
  numbers_pkey: numberTaken,
  numbers_code_prefix: prefixTaken,
  feature_codes_pkey: codeTaken,

  pause_reasons_pkey: async (db, { team, name }) => {
    const row = await pauseReason(db, team, { 'p.digit': name });
    return `digit ${name} of team ${team ?? ''} is the pause reason ${quoted(row?.name ?? '')} already: choose another digit, or change it with ${command(team, `pause-reason set ${name}`)}.`;
  },

  pause_reasons_name_key: async (db, { team, name, label = '' }) => {
    const row = await pauseReason(db, team, { 'p.name': label });
    return `pause reason ${quoted(label)} of team ${team ?? ''} exists already${row ? ` at digit ${row.digit}` : ''}: choose another name than that for digit ${name}.`;
  },

  agents_number_key: async (db, { team, name }) => {
    const row = await db('agents as a')
      .join('teams as t', 't.id', 'a.team_id')
      .join('users as u', 'u.id', 'a.user_id')
      .where({ 't.identity': team, 'a.number': name })
      .first<{ username: string } | undefined>('u.username');
    return `agent ${name} of team ${team ?? ''} exists already${row ? `, it belongs to user ${row.username}` : ''}: choose another number, or change it with ${command(team, `agent set ${name}`)}.`;
  },

  agent_groups_name_key: async (db, { team, name }) => {
    const row = await db('agent_groups as g')
      .join('teams as t', 't.id', 'g.team_id')
      .where({ 't.identity': team, 'g.name': name })
      .first<{ leaving: boolean } | undefined>(db.raw('g.leaving_since is not null as leaving'));
    if (row?.leaving) return stillLeaving(team, name);
    return `group ${name} of team ${team ?? ''} exists already: choose another name, or change it with ${command(team, `group set ${name}`)}.`;
  },

  dids_number_key: async (db, { name }) => {
    const row = await db('dids as d')
      .join('teams as t', 't.id', 'd.team_id')
      .leftJoin('agent_groups as g', 'g.id', 'd.group_id')
      .leftJoin('extensions as x', 'x.id', 'd.extension_id')
      .where('d.number', name)
      .first<(Record<'group' | 'extension' | 'feature', string | null> & { team: string }) | undefined>(
        't.identity as team',
        'g.name as group',
        'x.number as extension',
        'd.feature',
      );
    if (!row) return `DID ${name} exists already: try again.`;
    const goes =
      row.group !== null
        ? `group ${row.group}`
        : row.extension !== null
          ? `extension ${row.extension}`
          : `feature ${row.feature ?? ''}`;
    return `DID ${name} exists already, in team ${row.team}, and goes to ${goes}: change it with ${command(row.team, `did set ${name}`)}.`;
  },

  extensions_telephone_number_key: async (db, { team, telephone = '' }) => {
    const row = await db('extensions as x')
      .join('teams as t', 't.id', 'x.team_id')
      .where('t.identity', team)
      .whereRaw(`ltrim(x.telephone_number, '+') = ltrim(?, '+')`, [telephone])
      .first<{ number: string } | undefined>('x.number');
    return `telephone number ${telephone} is ${row ? `extension ${row.number}` : 'another extension'} of team ${team ?? ''} already: who calls in from there would be two.`;
  },

  trunks_name_in_team_key: trunkTaken,
  trunks_name_of_every_team_key: trunkTaken,

  trunks_endpoint_key: async (db, { endpoint = '' }) => {
    const row = await db('trunks as k')
      .leftJoin('teams as t', 't.id', 'k.team_id')
      .where({ endpoint })
      .first<{ name: string; team: string | null } | undefined>('k.name', 't.identity as team');
    return `endpoint ${endpoint} is ${row ? trunkNamed(row.team, row.name) : 'another trunk'} already: choose another endpoint, or use that trunk.`;
  },

  agents_fixed_extension_key: async (db, { team, extension }) => {
    const row = await db('agents as a')
      .join('teams as t', 't.id', 'a.team_id')
      .join('extensions as x', 'x.id', 'a.extension_id')
      .where({ 't.identity': team, 'x.number': extension ?? '' })
      .first<{ number: string } | undefined>('a.number');
    return `extension ${extension ?? ''} of team ${team ?? ''} is the fixed phone of ${row ? `agent ${row.number}` : 'another agent'} already: choose another with --extension.`;
  },
};

function trunkTaken(_db: Queryable, { team, name }: Attempt): Promise<string> {
  return Promise.resolve(`${trunkNamed(team, name)} exists already: choose another name.`);
}

/** A trunk with its place: a team's own, or one for all. */
export const trunkNamed = (team: string | null, name: string): string =>
  `trunk ${name} ${team === null ? 'for every team' : `of team ${team}`}`;

async function userTaken(db: Queryable, { team, name }: Attempt): Promise<string> {
  const row = await db('users as u')
    .leftJoin('teams as t', 't.id', 'u.team_id')
    .where('u.username', name)
    .whereRaw('t.identity is not distinct from ?', [team])
    .first<{ name: string } | undefined>('u.name');
  const where = team === null ? 'of the system' : `of team ${team}`;
  return `user ${name} ${where} exists already${row ? ` (${quoted(row.name)})` : ''}: choose another user name, or change it with ${command(team, `user set ${name}`)}.`;
}

function pauseReason(
  db: Queryable,
  team: string | null,
  where: Record<string, string>,
): Promise<{ digit: string; name: string } | undefined> {
  return db('pause_reasons as p')
    .join('teams as t', 't.id', 'p.team_id')
    .where({ 't.identity': team, ...where })
    .first<{ digit: string; name: string } | undefined>('p.digit', 'p.name');
}

/** Why the name of a removed group is not free at once. */
export function stillLeaving(team: string | null, name: string): string {
  return `group ${name} of team ${team ?? ''} is leaving: it was removed, but its queue stays until Asterisk has no more callers in it. Wait until ${command(team, 'group list')} no longer shows it, or choose another name.`;
}

/** Turns what the database refused into the error to show; undefined when it says nothing to a person. */
export async function explain(
  db: Queryable,
  error: { code: string; constraint: string | undefined },
  attempt: Attempt,
): Promise<Star64Error | undefined> {
  const { code, constraint = '' } = error;
  if (code === '23505') {
    const message = taken[constraint];
    return message && conflict(await message(db, attempt));
  }
  // A reference: since version 18 PostgreSQL tells RESTRICT (23001) from the rest (23503).
  if (code === '23503' || code === '23001') {
    if (attempt.verb === 'remove') return stillNeeded(attempt, await dependents(db, attempt));
    return conflict(
      `${attempt.kind} ${attempt.name} was not changed: something that it refers to was removed at the same moment. Look, and try again.`,
    );
  }
  if (constraint === 'agents_in_a_group') {
    return usage(`agent ${attempt.name} needs at least one group: name it with --groups.`);
  }
  // Deadlock or serialization failure: this command was chosen to give way to another.
  if (code === '40P01' || code === '40001') {
    return conflict(
      `${attempt.kind} ${attempt.name} was not changed: another command was changing the same thing. Try again.`,
    );
  }
  return undefined;
}
