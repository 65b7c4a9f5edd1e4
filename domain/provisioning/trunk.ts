import { change } from './change.js';
import { trunkNamed } from './constraints.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { dependents, stillNeeded } from './dependents.js';
import { notFound } from '../errors.js';
import { canBeName, checkName, command, quoted } from '../names.js';
import { requireTeam } from './team.js';

/** A way to the public network, of one team or, with team null, of every team (spec 6). */
export interface Trunk {
  team: string | null;
  name: string;
  /** The PJSIP endpoint that the operator has in his own pjsip.conf. */
  endpoint: string;
  /** Whether its caller numbers are proof enough for an agent to sign in by calling from his telephone. */
  trusted: boolean;
  createdAt: Date;
}

export interface TrunkChanges {
  endpoint?: string;
  trusted?: boolean;
}

const select = `select t.identity as team, k.name, k.endpoint, k.trusted_caller_id as trusted,
    k.created_at as "createdAt"
  from trunks k left join teams t on t.id = k.team_id`;

/** Creates a trunk of a team, or for every team. No caller number of it is trusted unless that is said. */
export function addTrunk(
  db: Queryable,
  team: string | null,
  values: { name: string; endpoint: string; trusted?: boolean },
): Promise<Trunk> {
  const name = checkName('trunk', values.name);
  const columns = columnsOf(values);
  const attempt = { verb: 'add', kind: 'trunk', team, name, endpoint: values.endpoint } as const;
  return change(db, attempt, async (trx) => {
    await trx('trunks').insert({ team_id: await teamIdOf(trx, team), name, ...columns });
    return readTrunk(trx, team, name);
  });
}

/** The trunks that a team can use: its own, then those for every team. */
export function listTrunks(db: Queryable, team: string): Promise<Trunk[]> {
  return withDatabaseErrors(async () => {
    const { rows } = await db.raw<{ rows: Trunk[] }>(
      `${select} where k.team_id is null or k.team_id = ? order by k.team_id nulls last, k.name`,
      [await requireTeam(db, team)],
    );
    return rows;
  });
}

/** One trunk; `not_found` when the team has none of that name, or with team null none is for every team. */
export function showTrunk(db: Queryable, team: string | null, name: string): Promise<Trunk> {
  return withDatabaseErrors(() => readTrunk(db, team, name));
}

/** Changes what is given. */
export function setTrunk(
  db: Queryable,
  team: string | null,
  name: string,
  changes: TrunkChanges,
): Promise<Trunk> {
  const columns = columnsOf(changes);
  const attempt = { verb: 'set', kind: 'trunk', team, name, endpoint: changes.endpoint } as const;
  return change(db, attempt, async (trx) => {
    const id = await requireTrunk(trx, team, name);
    if (Object.keys(columns).length > 0) await trx('trunks').where({ id }).update(columns);
    return readTrunk(trx, team, name);
  });
}

/** Removes a trunk that is nobody's default any more. */
export function removeTrunk(db: Queryable, team: string | null, name: string): Promise<void> {
  const attempt = { verb: 'remove', kind: 'trunk', team, name } as const;
  return change(db, attempt, async (trx) => {
    const id = await requireTrunk(trx, team, name);
    const held = await dependents(trx, attempt);
    if (held.length > 0) throw stillNeeded(attempt, held);
    await trx('trunks').where({ id }).delete();
  });
}

function columnsOf({ endpoint, trusted }: TrunkChanges) {
  return {
    ...(endpoint !== undefined && { endpoint: checkName('endpoint', endpoint) }),
    ...(trusted !== undefined && { trusted_caller_id: trusted }),
  };
}

async function requireTrunk(db: Queryable, team: string | null, name: string): Promise<number> {
  const teamId = await teamIdOf(db, team);
  const row = canBeName('trunk', name)
    ? await db('trunks').where({ team_id: teamId, name }).first<{ id: number } | undefined>('id')
    : undefined;
  if (!row) {
    const list = command(team ?? 'astercc', 'trunk list');
    throw notFound(`${trunkNamed(team, quoted(name))} does not exist: ${list} shows those that do.`);
  }
  return row.id;
}

async function readTrunk(db: Queryable, team: string | null, name: string): Promise<Trunk> {
  const id = await requireTrunk(db, team, name);
  const { rows } = await db.raw<{ rows: [Trunk] }>(`${select} where k.id = ?`, [id]);
  return rows[0];
}

async function teamIdOf(db: Queryable, team: string | null): Promise<number | null> {
  return team === null ? null : requireTeam(db, team);
}
