import { prepared, type Database, type Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { fail } from '../../errors.js';
import { checkChoice, unknown } from '../../names.js';
import { isAgent, openSignIn } from '../../presence/open-sign-in.js';
import type { PhoneName } from '../../presence/phone.js';
import { callNamed, unknownCall } from '../records/call-name.js';
import { callCommandTimes, checkDone, giveCommandOfTeam, resultOf } from './call-commands.js';
import { supervisionModes } from './supervision.js';
import { requireTeam } from '../../provisioning/team.js';

/** An administrator of a group who is to hear a call of it, at a phone of theirs. */
export interface SupervisionAsked {
  mode: string;
  /** The extension that is rung: of a user who administers the group whose call it is. */
  from: string;
  by: string;
  /** The login of who asks, where it is a user: only phones of theirs are rung. */
  user?: string | undefined;
  /** The groups, by name, to which who asks is limited: calls of no others are heard. */
  groups?: readonly string[] | undefined;
  /** The extension whose call it is. */
  extension?: string | undefined;
  /** Its uniqueid or id: where one phone of the team talks in it. */
  call?: string | undefined;
}

/**
 * Rings an administrator's phone, and has them hear a call of their group once they pick up, as *71, *72 and *73 there do
 * (spec 24): it is recorded before anything is heard. Returns when the phone is being rung.
 *
 * @throws Star64Error `not_administrator`, `nothing_to_hear`, `in_call`, `phone_unreachable`, `phone_is_telephone`,
 *   `manager_may_not`, `no_server`, `call_command_unknown`, `unknown`, `unknown_call`, `call_over`.
 */
export async function superviseFrom(
  db: Database,
  team: string,
  asked: SupervisionAsked,
  times = callCommandTimes,
): Promise<void> {
  const mode = checkChoice('mode', supervisionModes, asked.mode);
  const command = await withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    for (const number of [asked.from, ...(asked.extension === undefined ? [] : [asked.extension])])
      if (!(await phoneOfExtension(db, team, number))) throw unknown('extension', team, number);
    if (asked.user !== undefined && (await phoneOfExtension(db, team, asked.from))?.username !== asked.user)
      throw unknown('extension', team, asked.from);
    const call = asked.call === undefined ? undefined : await openCall(db, team, teamId, asked.call);
    const given = {
      mode,
      from: asked.from,
      ...(asked.extension !== undefined && { extension: asked.extension }),
      ...(asked.groups !== undefined && { groups: asked.groups.join(' ') }),
    };
    return giveCommandOfTeam(db, { team, kind: 'supervise', given, by: asked.by, call }, times.claimSeconds);
  });
  if (!command) throw unknown('team', null, team);
  const about = { team, node: command.node, kind: 'supervise' };
  const became = await resultOf(db, command.id, times);
  checkDone(
    became,
    asked.extension === undefined
      ? { noun: 'call', name: asked.call ?? '', facts: about }
      : { noun: 'extension', name: asked.extension, facts: about },
    times,
  );
}

/** Its uniqueid. */
async function openCall(db: Queryable, team: string, teamId: number, name: string): Promise<string> {
  const { where, asked } = callNamed(name);
  const { rows } = await db.raw<{ rows: { uniqueid: string; over: boolean }[] }>(
    `select c.uniqueid, c.ended_at is not null as over from calls c where c.team_id = :teamId and ${where}
     order by c.id desc limit 1`,
    { teamId, asked },
  );
  const [call] = rows;
  if (!call) throw unknownCall(team, name);
  if (call.over)
    throw fail('call_over', { noun: 'call', name, facts: { team }, says: `call ${name} is over` });
  return call.uniqueid;
}

/** The phone where an agent is. @throws Star64Error `unknown`, `not_signed_in`. */
export async function extensionOfAgent(db: Queryable, team: string, agent: string): Promise<string> {
  return withDatabaseErrors(async () => {
    const signIn = await openSignIn(db, team, { agent });
    if (signIn) return signIn.extension;
    if (!(await isAgent(db, team, agent))) throw unknown('agent', team, agent);
    throw fail('not_signed_in', {
      noun: 'agent',
      name: agent,
      facts: { team },
      says: `agent ${agent} is not signed in`,
    });
  });
}

/** An extension of a team, with whose it is; undefined: there is none. */
export async function phoneOfExtension(
  db: Queryable,
  team: string,
  number: string,
): Promise<(PhoneName & { userId: number; username: string }) | undefined> {
  const [row] = await prepared<PhoneName & { userId: number; username: string }>(
    db,
    `select t.identity as team, x.number as extension, x.kind as "extensionKind", x.endpoint, x.user_id as "userId",
       u.username
     from extensions x join teams t on t.id = x.team_id join users u on u.id = x.user_id
     where t.identity = :team and x.number = :number and x.removed_at is null`,
    { team, number },
  );
  return row;
}

/** Those of these queues of a team whose group a user administers. */
export async function administeredAmong(
  db: Queryable,
  team: string,
  userId: number,
  queues: readonly string[],
): Promise<string[]> {
  const rows = await prepared<{ queue: string }>(
    db,
    `select t.identity || '-' || g.name as queue from teams t
     join agent_groups g on g.team_id = t.id and g.removed_at is null
     join agent_group_administrators m on m.group_id = g.id and m.user_id = :userId
     where t.identity = :team and t.identity || '-' || g.name = any(:queues::text[])`,
    { team, userId, queues: [...queues] },
  );
  return rows.map(({ queue }) => queue);
}
