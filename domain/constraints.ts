import type { Queryable } from './database.js';
import { conflict, usage, type Star64Error } from './errors.js';
import { command, quoted } from './names.js';

/** What a command was about to do, for the message in case the database refuses it. */
export interface Attempt {
  readonly verb: 'add' | 'set' | 'remove';
  readonly kind: 'team' | 'user' | 'extension' | 'agent' | 'group' | 'did';
  /** Identity of the team; null for what belongs to the system. */
  readonly team: string | null;
  /** Name or number of the thing itself. */
  readonly name: string;
  /** The number that is to be taken, where it is not the name. */
  readonly number?: string | null | undefined;
  /** The extension that a fixed agent is to be tied to. */
  readonly extension?: string | null | undefined;
}

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
      .first<{ team: string; group: string | null; extension: string | null } | undefined>(
        't.identity as team',
        'g.name as group',
        'x.number as extension',
      );
    if (!row) return `DID ${name} exists already: try again.`;
    const goes = row.group === null ? `extension ${row.extension ?? ''}` : `group ${row.group}`;
    return `DID ${name} exists already, in team ${row.team}, and goes to ${goes}: change it with ${command(row.team, `did set ${name}`)}.`;
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

async function userTaken(db: Queryable, { team, name }: Attempt): Promise<string> {
  const row = await db('users as u')
    .leftJoin('teams as t', 't.id', 'u.team_id')
    .where('u.username', name)
    .whereRaw('t.identity is not distinct from ?', [team])
    .first<{ name: string } | undefined>('u.name');
  const where = team === null ? 'of the system' : `of team ${team}`;
  return `user ${name} ${where} exists already${row ? ` (${quoted(row.name)})` : ''}: choose another user name, or change it with ${command(team, `user set ${name}`)}.`;
}

async function numberTaken(db: Queryable, attempt: Attempt): Promise<string> {
  const { team } = attempt;
  const number = attempt.number ?? attempt.name;
  const row = await db('numbers as n')
    .join('teams as t', 't.id', 'n.team_id')
    .leftJoin('extensions as x', (on) => on.on('x.team_id', 'n.team_id').on('x.number', 'n.number'))
    .leftJoin('users as u', 'u.id', 'x.user_id')
    .leftJoin('agent_groups as g', (on) => on.on('g.team_id', 'n.team_id').on('g.number', 'n.number'))
    .where({ 't.identity': team, 'n.number': number })
    .first<{ username: string | null; group: string | null; leaving: boolean } | undefined>(
      'u.username as username',
      'g.name as group',
      db.raw('g.leaving_since is not null as leaving'),
    );
  const holder = row?.username
    ? `extension ${number} of user ${row.username}`
    : row?.group
      ? `the queue of group ${row.group}${row.leaving ? ', which is leaving' : ''}`
      : 'taken';
  return `number ${number} of team ${team ?? ''} is ${holder} already: choose another number.`;
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

/** Something that keeps another thing from being removed. */
export interface Dependent {
  readonly kind: 'user' | 'extension' | 'agent' | 'group' | 'leaving group' | 'did' | 'calls';
  readonly name: string;
}

const dependentsOf: Record<Attempt['kind'], string | undefined> = {
  team: `
    select 'did' as kind, d.number as name, 1 as place from dids d join t on t.id = d.team_id
    union all select 'agent', a.number, 2 from agents a join t on t.id = a.team_id
    union all select case when g.leaving_since is null then 'group' else 'leaving group' end, g.name, 3
      from agent_groups g join t on t.id = g.team_id
    union all select 'extension', x.number, 4 from extensions x join t on t.id = x.team_id
    union all select 'user', u.username, 5 from users u join t on t.id = u.team_id
    union all select 'calls', count(*)::text, 6 from calls c join t on t.id = c.team_id having count(*) > 0`,
  user: `
    select 'agent' as kind, a.number as name, 1 as place
      from agents a join users u on u.id = a.user_id join t on t.id = u.team_id where u.username = :name
    union all select 'extension', x.number, 2
      from extensions x join users u on u.id = x.user_id join t on t.id = u.team_id where u.username = :name`,
  extension: `
    select 'did' as kind, d.number as name, 1 as place
      from dids d join extensions x on x.id = d.extension_id join t on t.id = x.team_id where x.number = :name
    union all select 'agent', a.number, 2
      from agents a join extensions x on x.id = a.extension_id join t on t.id = x.team_id where x.number = :name`,
  group: `
    select 'did' as kind, d.number as name, 1 as place
      from dids d join agent_groups g on g.id = d.group_id join t on t.id = g.team_id where g.name = :name
    union all select 'agent', a.number, 2 from agent_group_members m join agents a on a.id = m.agent_id
      join agent_groups g on g.id = m.group_id join t on t.id = g.team_id where g.name = :name`,
  agent: undefined,
  did: undefined,
};

/** What keeps the thing from being removed, in the order in which it can be removed itself. */
export async function dependents(db: Queryable, attempt: Attempt): Promise<Dependent[]> {
  const sql = dependentsOf[attempt.kind];
  if (sql === undefined) return [];
  const { rows } = await db.raw<{ rows: Dependent[] }>(
    `with t as (select id from teams where identity = :team)
     select kind, name from (${sql}) as held order by place, length(name), name`,
    { team: attempt.team, name: attempt.name },
  );
  return rows;
}

const shown = 5;

/** The refusal to remove something that is still needed: names what needs it, and how that goes. */
export function stillNeeded(attempt: Attempt, held: readonly Dependent[]): Star64Error {
  const what = `${attempt.kind} ${attempt.name}${attempt.kind === 'team' ? '' : ` of team ${attempt.team ?? ''}`}`;
  const list = held
    .slice(0, shown)
    .map((dependent) => `${describe(dependent)} (${wayOut(attempt, dependent)})`);
  const rest = held.length > shown ? `, and ${held.length - shown} more` : '';
  return conflict(
    `${what} cannot be removed, because something still needs it. First: ${list.join(', ') || 'try again'}${rest}.`,
  );
}

function describe({ kind, name }: Dependent): string {
  if (kind === 'calls') return `${name} recorded calls`;
  return `${kind === 'did' ? 'DID' : kind} ${name}`;
}

function wayOut({ kind, team, name }: Attempt, dependent: Dependent): string {
  switch (dependent.kind) {
    case 'calls':
      return `\`star64 team remove ${name} --discard-calls\``;
    case 'leaving group':
      return 'it goes by itself, once its queue in Asterisk is empty';
    case 'agent':
      if (kind === 'group') return command(team, `agent set ${dependent.name} --groups <others>`);
      break;
    case 'did':
      if (kind === 'group') return command(team, `did set ${dependent.name} --group <other>`);
      break;
    default:
  }
  return command(team, `${dependent.kind} remove ${dependent.name}`);
}
