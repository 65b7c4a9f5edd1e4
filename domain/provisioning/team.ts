import { change } from './change.js';
import { checkTimeZone } from './time.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { canBeName, checkName, checkText, unknown } from '../names.js';

/** A system of its own; everything else belongs to exactly one. */
export interface Team {
  identity: string;
  name: string;
  /** User name of its single administrator. */
  administrator: string | null;
  /** IANA name; hours of the team are meant in it. */
  timeZone: string;
  /** Whether signing in by phone asks for the agent's PIN. */
  phonePin: boolean;
  /** In which its phones hear the prompts, `fr` or `pt_BR`; null: Asterisk's default. */
  language: string | null;
  /** Name of its default outbound trunk: its own, or one for every team. */
  trunk: string | null;
  createdAt: Date;
}

export interface TeamChanges {
  name?: string;
  timeZone?: string;
  phonePin?: boolean;
  language?: string | null;
}

const select = `select t.identity, t.name, u.username as administrator, t.time_zone as "timeZone",
    t.phone_pin as "phonePin", t.language, k.name as trunk, t.created_at as "createdAt"
  from teams t left join users u on u.team_id = t.id and u.administrator
  left join trunks k on k.id = t.trunk_id`;

/** Creates a team; its name is its identity unless given (spec 2), its time zone UTC, and no PIN is asked for. */
export function addTeam(db: Queryable, identity: string, values: TeamChanges = {}): Promise<Team> {
  checkName('team', identity);
  const name = checkText('team name', values.name ?? identity);
  return change(db, { verb: 'add', kind: 'team', team: identity, name: identity }, async (trx) => {
    await trx('teams').insert({ identity, ...(await columnsOf(trx, values)), name });
    return readTeam(trx, identity);
  });
}

/** All teams, by identity. */
export function listTeams(db: Queryable): Promise<Team[]> {
  return withDatabaseErrors(async () => {
    const { rows } = await db.raw<{ rows: Team[] }>(`${select} order by t.identity`);
    return rows;
  });
}

/** One team; `not_found` when there is none of that identity. */
export function showTeam(db: Queryable, identity: string): Promise<Team> {
  return withDatabaseErrors(() => readTeam(db, identity));
}

/**
 * Changes what is given. The identity never changes: every device and trunk outside knows it. Of two trunks of one
 * name its own is meant, not the one for every team.
 */
export function setTeam(
  db: Queryable,
  identity: string,
  changes: TeamChanges & { trunk?: string | null },
): Promise<Team> {
  return change(db, { verb: 'set', kind: 'team', team: identity, name: identity }, async (trx) => {
    const id = await requireTeam(trx, identity);
    const { trunk } = changes;
    const columns = {
      ...(await columnsOf(trx, changes)),
      ...(trunk !== undefined && {
        trunk_id: trunk === null ? null : await trunkFor(trx, id, identity, trunk),
      }),
    };
    if (Object.keys(columns).length > 0) await trx('teams').where({ id }).update(columns);
    return readTeam(trx, identity);
  });
}

/** Removes a team that owns nothing any more. Its recorded calls keep it, unless they are to be discarded with it. */
export function removeTeam(
  db: Queryable,
  identity: string,
  options: { discardCalls?: boolean } = {},
): Promise<void> {
  return change(db, { verb: 'remove', kind: 'team', team: identity, name: identity }, async (trx) => {
    const id = await requireTeam(trx, identity);
    if (options.discardCalls) await trx('calls').where({ team_id: id }).delete();
    await trx('teams').where({ id }).delete();
  });
}

/** The id of a team, which everything else is looked up with; `not_found` when there is none of that identity. */
export async function requireTeam(db: Queryable, identity: string): Promise<number> {
  const row = canBeName('team', identity)
    ? await db('teams').where({ identity }).first<{ id: number } | undefined>('id')
    : undefined;
  if (!row) throw unknown('team', null, identity);
  return row.id;
}

async function readTeam(db: Queryable, identity: string): Promise<Team> {
  const id = await requireTeam(db, identity);
  const { rows } = await db.raw<{ rows: Team[] }>(`${select} where t.id = ?`, [id]);
  const row = rows[0];
  if (!row) throw unknown('team', null, identity);
  return row;
}

async function trunkFor(db: Queryable, teamId: number, team: string, name: string): Promise<number> {
  const { rows } = await db.raw<{ rows: { id: number }[] }>(
    `select id from trunks where name = ? and (team_id is null or team_id = ?) order by team_id nulls last limit 1`,
    [name, teamId],
  );
  if (!rows[0]) throw unknown('trunk', team, name);
  return rows[0].id;
}

async function columnsOf(db: Queryable, { name, timeZone, phonePin, language }: TeamChanges) {
  return {
    ...(name !== undefined && { name: checkText('team name', name) }),
    ...(timeZone !== undefined && { time_zone: await checkTimeZone(db, timeZone) }),
    ...(phonePin !== undefined && { phone_pin: phonePin }),
    ...(language !== undefined && { language: language === null ? null : checkName('language', language) }),
  };
}
