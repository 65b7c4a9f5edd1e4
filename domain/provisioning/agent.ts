import { checkGroups, checkPenalties, putInGroups, setPenalties } from './agent-groups.js';
import { openStateOf } from '../presence/agent-state.js';
import { statesBefore } from '../presence/transitions.js';
import { change } from './change.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { conflict, usage } from '../errors.js';
import { requireExtension } from './extension.js';
import { canBeName, checkChoice, checkName, unknown } from '../names.js';
import { openSignIn } from '../presence/open-sign-in.js';
import { checkPin, hashPassword } from '../password.js';
import { close } from '../presence/sign-in.js';
import { forgetFailures } from '../presence/sign-in-lock.js';
import { requireTeam } from './team.js';
import { requireUser } from './user.js';

/** How an agent comes by his phone (spec 20-22). */
export const agentKinds = ['fixed', 'adaptive', 'dynamic'] as const;
export type AgentKind = (typeof agentKinds)[number];

/** Who takes queue calls. */
export interface Agent {
  team: string;
  number: string;
  /** User name of the person (spec 18). */
  user: string;
  /** The person's name. */
  name: string;
  kind: AgentKind;
  /** The only phone of a fixed agent. */
  extension: string | null;
  /** In their order; the first is the current group at sign-in. */
  groups: string[];
  /** Of the groups where he has one: calls go to agents with a lower penalty first. */
  penalties: Record<string, number>;
  /** Whether a PIN for signing in by phone is set. */
  pin: boolean;
  /** The extension where he is signed in now. */
  signedInAt: string | null;
  createdAt: Date;
}

export interface AgentChanges {
  user?: string;
  kind?: string;
  extension?: string;
  /** All groups of the agent in their order; at least one (spec 23). */
  groups?: readonly string[];
  /** New penalties in groups of the agent; the others stay. */
  penalties?: Readonly<Record<string, number>>;
  /** In clear, only to be hashed; null takes it away. */
  pin?: string | null;
}

const select = `select t.identity as team, a.number, u.username as "user", u.name, a.kind, x.number as extension,
    array(select g.name from agent_group_members m join agent_groups g on g.id = m.group_id
      where m.agent_id = a.id order by m.position, g.name) as groups,
    (select coalesce(json_object_agg(g.name, m.penalty order by m.position, g.name), '{}')
      from agent_group_members m join agent_groups g on g.id = m.group_id
      where m.agent_id = a.id and m.penalty > 0) as penalties,
    a.pin_hash is not null as pin, s.number as "signedInAt", a.created_at as "createdAt"
  from agents a join teams t on t.id = a.team_id join users u on u.id = a.user_id
  left join extensions x on x.id = a.extension_id
  left join sign_ins i on i.agent_id = a.id and i.signed_out_at is null
  left join extensions s on s.id = i.extension_id
  where a.team_id = :teamId`;

/** Creates an agent of a user, in at least one group; `adaptive` unless said otherwise. */
export async function addAgent(
  db: Queryable,
  team: string,
  values: { number: string; user: string; groups: readonly string[] } & AgentChanges,
): Promise<Agent> {
  const number = checkName('agent', values.number);
  const kind = checkChoice('kind of agent', agentKinds, values.kind ?? 'adaptive');
  const extension = extensionFor(number, kind, values.extension, null);
  const groups = checkGroups(number, values.groups);
  const penalties = checkPenalties(values.penalties);
  const hash = await hashed(number, values.pin);
  return change(db, { verb: 'add', kind: 'agent', team, name: number, extension }, async (trx) => {
    const teamId = await requireTeam(trx, team);
    const { id: userId } = await requireUser(trx, team, values.user);
    const extensionId = extension === null ? null : (await requireExtension(trx, team, extension)).id;
    const [created] = await trx('agents')
      .insert({
        team_id: teamId,
        number,
        user_id: userId,
        kind,
        extension_id: extensionId,
        pin_hash: hash ?? null,
      })
      .returning<{ id: number }[]>('id');
    if (!created) throw new Error('the database returned no row for a new agent');
    const agent = { number, teamId, id: created.id };
    await putInGroups(trx, team, agent, groups);
    await setPenalties(trx, team, agent, penalties);
    return readAgent(trx, team, number);
  });
}

/** The agents of a team, by number. */
export function listAgents(db: Queryable, team: string): Promise<Agent[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { rows } = await db.raw<{ rows: Agent[] }>(`${select} order by length(a.number), a.number`, {
      teamId,
    });
    return rows;
  });
}

/** One agent; `not_found` when the team has none of that number. */
export function showAgent(db: Queryable, team: string, number: string): Promise<Agent> {
  return withDatabaseErrors(() => readAgent(db, team, number));
}

/**
 * Changes what is given. Kind and extension stay while the agent is signed in, or, if he is fixed and cannot sign out,
 * while he is in a call. `groups` replaces all of them; one who is signed in with a current group that he leaves gets
 * the first of the new ones. A new PIN forgives the wrong ones that were tried.
 */
export async function setAgent(
  db: Queryable,
  team: string,
  number: string,
  changes: AgentChanges,
): Promise<Agent> {
  const wanted =
    changes.kind === undefined ? undefined : checkChoice('kind of agent', agentKinds, changes.kind);
  const groups = changes.groups && checkGroups(number, changes.groups);
  const penalties = checkPenalties(changes.penalties);
  const hash = await hashed(number, changes.pin);
  const attempt = { verb: 'set', kind: 'agent', team, name: number, extension: changes.extension } as const;
  return change(db, attempt, async (trx) => {
    const before = await requireAgent(trx, team, number, 'for update');
    const kind = wanted ?? before.kind;
    const extension = extensionFor(number, kind, changes.extension, before.extension);
    if (kind !== before.kind || extension !== before.extension) {
      await leavePhone(trx, team, before, 'gets another kind or extension');
    }
    const user = changes.user === undefined ? undefined : await requireUser(trx, team, changes.user);
    const extensionId = extension === null ? null : (await requireExtension(trx, team, extension)).id;
    await trx('agents')
      .where({ id: before.id })
      .update({
        kind,
        extension_id: extensionId,
        ...(user && { user_id: user.id }),
        ...(hash !== undefined && { pin_hash: hash }),
      });
    if (typeof hash === 'string') await forgetFailures(trx, before.teamId, [{ kind: 'agent', number }]);
    if (groups) await putInGroups(trx, team, before, groups);
    await setPenalties(trx, team, before, penalties);
    return readAgent(trx, team, number);
  });
}

/** Removes an agent who is signed out, or fixed, with his sign-ins and states; his calls stay, without his number. */
export function removeAgent(db: Queryable, team: string, number: string): Promise<void> {
  return change(db, { verb: 'remove', kind: 'agent', team, name: number }, async (trx) => {
    // The lock makes a sign-in that is just being made wait, and then fail.
    const agent = await requireAgent(trx, team, number, 'for update');
    await leavePhone(trx, team, agent, 'is removed');
    await trx('agents').where({ id: agent.id }).delete();
  });
}

interface AgentRow {
  id: number;
  teamId: number;
  number: string;
  kind: AgentKind;
  extension: string | null;
}

/** One agent by his number, locked if asked for; `not_found` when the team has none of it. */
export async function requireAgent(
  db: Queryable,
  team: string,
  number: string,
  lock: '' | 'for update' = '',
): Promise<AgentRow> {
  const teamId = await requireTeam(db, team);
  const { rows } = canBeName('agent', number)
    ? await db.raw<{ rows: AgentRow[] }>(
        `select a.id, a.team_id as "teamId", a.number, a.kind, x.number as extension
         from agents a left join extensions x on x.id = a.extension_id
         where a.team_id = :teamId and a.number = :number ${lock && `${lock} of a`}`,
        { teamId, number },
      )
    : { rows: [] };
  const row = rows[0];
  if (!row) throw unknown('agent', team, number);
  return row;
}

/** The extension that goes with a kind: one for a fixed agent, none for the others. */
function extensionFor(
  number: string,
  kind: AgentKind,
  given: string | undefined,
  before: string | null,
): string | null {
  if (kind === 'fixed') {
    const extension = given ?? before;
    if (extension === null) {
      throw usage(`agent ${number} is fixed and needs his extension: add for example --extension 5000.`);
    }
    return extension;
  }
  if (given !== undefined) {
    throw usage(
      `agent ${number} is ${kind} and chooses his phone at sign-in: add --kind fixed, or leave --extension out.`,
    );
  }
  return null;
}

async function hashed(number: string, pin: string | null | undefined): Promise<string | null | undefined> {
  return typeof pin === 'string' ? hashPassword(checkPin(number, pin)) : pin;
}

/** Refuses while he is signed in; a fixed agent, who cannot sign out himself, leaves his phone unless in a call. */
async function leavePhone(db: Queryable, team: string, agent: AgentRow, what: string): Promise<void> {
  const { number, kind } = agent;
  const open = await openSignIn(db, team, { agent: number });
  if (!open) return;
  if (kind !== 'fixed') {
    throw conflict(
      `agent ${number} of team ${team} is signed in at extension ${open.extension}: he must sign out first (*65), before he ${what}.`,
    );
  }
  // Locked, so that no offer begins between the look and the end.
  await db('sign_ins').where({ id: open.id }).forNoKeyUpdate().select('id');
  const state = (await openStateOf(db, open.id))?.state;
  if (state !== undefined && !statesBefore('move').includes(state)) {
    throw conflict(
      `agent ${number} of team ${team} is in a call at extension ${open.extension}: try again when it has ended, before he ${what}.`,
    );
  }
  await close(db, [open.id], 'agent set');
}

async function readAgent(db: Queryable, team: string, number: string): Promise<Agent> {
  const { id, teamId } = await requireAgent(db, team, number);
  const { rows } = await db.raw<{ rows: Agent[] }>(`${select} and a.id = :id`, { teamId, id });
  const row = rows[0];
  if (!row) throw unknown('agent', team, number);
  return row;
}
