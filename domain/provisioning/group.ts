import { change } from './change.js';
import { checkTimeOfDay } from './time.js';
import { stillLeaving } from './constraints.js';
import { type Attempt } from './attempt.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { dependents, stillNeeded } from './dependents.js';
import { conflict } from '../errors.js';
import { canBeName, checkChoice, checkName, checkWhole, unknown } from '../names.js';
import { requireTeam } from './team.js';

/** In which order Asterisk's queue offers a call to its agents; the words are app_queue's. */
export const queueStrategies = [
  'ringall',
  'leastrecent',
  'fewestcalls',
  'random',
  'rrmemory',
  'rrordered',
  'linear',
  'wrandom',
] as const;

/** After which offers wrap-up begins: any that rang, answered ones, none (spec 53-55). */
export const wrapUpModes = ['ring', 'answer', 'off'] as const;

/** What the agents of a group do: queue calls, calls to the outside, both, or what each chooses (spec 48-51). */
export const workModes = ['all', 'inbound', 'outbound', 'choice'] as const;

/** An agent group: one Asterisk queue, `<team>-<name>`. */
export interface Group {
  team: string;
  name: string;
  /** What a phone of the team dials to reach the queue, if anything. */
  number: string | null;
  strategy: (typeof queueStrategies)[number];
  /** How long one agent's phone rings before the next is tried. */
  ringSeconds: number;
  wrapUp: (typeof wrapUpModes)[number];
  /** Longest wrap-up; 0: until the agent ends it. */
  wrapUpSeconds: number;
  workMode: (typeof workModes)[number];
  /** End of the shift, `18:00` in the time zone of the team: whoever has this as current group is signed out. */
  signOutAt: string | null;
  /** Whoever has this as current group and has been idle for so long is signed out; null: never. */
  idleSignOutSeconds: number | null;
  /** Whether the caller hears the number of the agent who answers (spec 27). */
  announceAgent: boolean;
  /** Whether the agent hears the number of the queue and how long the caller has waited. */
  announceCall: boolean;
  agents: string[];
  dids: string[];
  /** Set once the group is removed, until its queue is empty in Asterisk. */
  leavingSince: Date | null;
  createdAt: Date;
}

export interface GroupChanges {
  number?: string | null;
  strategy?: string;
  ringSeconds?: number;
  wrapUp?: string;
  wrapUpSeconds?: number;
  workMode?: string;
  signOutAt?: string | null;
  /** 0 or null: never. */
  idleSignOutSeconds?: number | null;
  announceAgent?: boolean;
  announceCall?: boolean;
}

const select = `select t.identity as team, g.name, g.number, g.strategy, g.ring_seconds as "ringSeconds",
    g.wrap_up_mode as "wrapUp", g.wrap_up_seconds as "wrapUpSeconds", g.work_mode as "workMode",
    to_char(g.sign_out_at, 'HH24:MI') as "signOutAt", g.idle_sign_out_seconds as "idleSignOutSeconds",
    g.announce_agent as "announceAgent", g.announce_call as "announceCall",
    array(select a.number from agent_group_members m join agents a on a.id = m.agent_id
      where m.group_id = g.id order by length(a.number), a.number) as agents,
    array(select d.number from dids d where d.group_id = g.id order by d.number) as dids,
    g.leaving_since as "leavingSince", g.created_at as "createdAt"
  from agent_groups g join teams t on t.id = g.team_id where g.team_id = :teamId`;

/** Creates a group; what is not given is as the database has it: rrmemory, 15 s, wrap-up of 30 s after answered calls. */
export function addGroup(
  db: Queryable,
  team: string,
  values: { name: string } & GroupChanges,
): Promise<Group> {
  const name = checkName('group', values.name);
  const columns = checkColumns(values);
  const attempt: Attempt = { verb: 'add', kind: 'group', team, name, number: values.number };
  return change(db, attempt, async (trx) => {
    const teamId = await requireTeam(trx, team);
    await trx('agent_groups').insert({ team_id: teamId, name, ...columns });
    return readGroup(trx, team, name);
  });
}

/** The groups of a team, by name, with those that are leaving. */
export function listGroups(db: Queryable, team: string): Promise<Group[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { rows } = await db.raw<{ rows: Group[] }>(`${select} order by g.name`, { teamId });
    return rows;
  });
}

/** One group; `not_found` when the team has none of that name. */
export function showGroup(db: Queryable, team: string, name: string): Promise<Group> {
  return withDatabaseErrors(() => readGroup(db, team, name));
}

/** Changes what is given; a leaving group stays as it is. A number of null takes the number away. */
export function setGroup(db: Queryable, team: string, name: string, changes: GroupChanges): Promise<Group> {
  const columns = checkColumns(changes);
  const attempt: Attempt = { verb: 'set', kind: 'group', team, name, number: changes.number };
  return change(db, attempt, async (trx) => {
    const id = await requireStayingGroup(trx, team, name);
    if (Object.keys(columns).length > 0) await trx('agent_groups').where({ id }).update(columns);
    return readGroup(trx, team, name);
  });
}

/**
 * Marks a group without agents and DIDs as leaving: its queue stays in the generated file until Asterisk has no
 * caller in it, and until then its name and number are taken. Removing it again changes nothing.
 */
export function removeGroup(db: Queryable, team: string, name: string): Promise<Group> {
  const attempt: Attempt = { verb: 'remove', kind: 'group', team, name };
  return change(db, attempt, async (trx) => {
    // The lock makes an agent or DID that is just being added wait, and then see that the group is leaving.
    const { id } = await requireGroup(trx, team, name, 'for update');
    const held = await dependents(trx, attempt);
    if (held.length > 0) throw stillNeeded(attempt, held);
    await trx('agent_groups')
      .where({ id, leaving_since: null })
      .update({ leaving_since: trx.raw('clock_timestamp()') });
    return readGroup(trx, team, name);
  });
}

/** The id of a group that agents and DIDs may refer to, kept from leaving until the end of the transaction. */
export async function requireStayingGroup(db: Queryable, team: string, name: string): Promise<number> {
  const { id, leaving } = await requireGroup(db, team, name, 'for key share');
  if (leaving) throw conflict(stillLeaving(team, name));
  return id;
}

async function requireGroup(
  db: Queryable,
  team: string,
  name: string,
  lock: '' | 'for update' | 'for key share' = '',
): Promise<{ id: number; leaving: boolean }> {
  const teamId = await requireTeam(db, team);
  const { rows } = canBeName('group', name)
    ? await db.raw<{ rows: { id: number; leaving: boolean }[] }>(
        `select id, leaving_since is not null as leaving from agent_groups
         where team_id = :teamId and name = :name ${lock}`,
        { teamId, name },
      )
    : { rows: [] };
  const row = rows[0];
  if (!row) throw unknown('group', team, name);
  return row;
}

function checkColumns(changes: GroupChanges) {
  const { number, strategy, ringSeconds, wrapUp, wrapUpSeconds } = changes;
  const { workMode, signOutAt, idleSignOutSeconds, announceAgent, announceCall } = changes;
  return {
    ...(number !== undefined && { number: number === null ? null : checkName('queueNumber', number) }),
    ...(strategy !== undefined && { strategy: checkChoice('strategy', queueStrategies, strategy) }),
    ...(ringSeconds !== undefined && {
      ring_seconds: checkWhole('ring time', { from: 3, to: 300 }, ringSeconds),
    }),
    ...(wrapUp !== undefined && { wrap_up_mode: checkChoice('wrap-up mode', wrapUpModes, wrapUp) }),
    ...(wrapUpSeconds !== undefined && {
      wrap_up_seconds: checkWhole('wrap-up time', { from: 0, to: 86_400 }, wrapUpSeconds),
    }),
    ...(workMode !== undefined && { work_mode: checkChoice('work mode', workModes, workMode) }),
    ...(signOutAt !== undefined && {
      sign_out_at: signOutAt === null ? null : checkTimeOfDay('sign-out time', signOutAt),
    }),
    ...(idleSignOutSeconds !== undefined && {
      idle_sign_out_seconds: checkIdle(idleSignOutSeconds),
    }),
    ...(announceAgent !== undefined && { announce_agent: announceAgent }),
    ...(announceCall !== undefined && { announce_call: announceCall }),
  };
}

function checkIdle(seconds: number | null): number | null {
  if (seconds === null || seconds === 0) return null;
  return checkWhole('idle time until sign-out (0: never)', { from: 60, to: 86_400 }, seconds);
}

async function readGroup(db: Queryable, team: string, name: string): Promise<Group> {
  const { id } = await requireGroup(db, team, name);
  const teamId = await requireTeam(db, team);
  const { rows } = await db.raw<{ rows: Group[] }>(`${select} and g.id = :id`, { teamId, id });
  const row = rows[0];
  if (!row) throw unknown('group', team, name);
  return row;
}
