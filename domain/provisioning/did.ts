import { change } from './change.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { usage } from '../errors.js';
import { requireExtension } from './extension.js';
import { features, type Feature } from './feature-code.js';
import { requireStayingGroup } from './group.js';
import { canBeName, checkChoice, checkName, unknown } from '../names.js';
import { requireTeam } from './team.js';

/** A number of the public network, and the one place where its calls go. */
export interface Did {
  team: string;
  number: string;
  group: string | null;
  extension: string | null;
  /** What agents can do who call it from their telephones. */
  feature: Feature | null;
  createdAt: Date;
}

/** Where calls go: exactly one of the three. */
export interface Destination {
  group?: string | undefined;
  extension?: string | undefined;
  feature?: string | undefined;
}

const select = `select t.identity as team, d.number, g.name as "group", x.number as extension, d.feature,
    d.created_at as "createdAt"
  from dids d join teams t on t.id = d.team_id left join agent_groups g on g.id = d.group_id
  left join extensions x on x.id = d.extension_id
  where d.team_id = :teamId`;

/** Creates a DID; a number belongs to one team only, since it exists once in the world. */
export function addDid(db: Queryable, team: string, values: { number: string } & Destination): Promise<Did> {
  const number = checkName('did', values.number);
  checkDestination(number, values);
  return change(db, { verb: 'add', kind: 'did', team, name: number }, async (trx) => {
    const teamId = await requireTeam(trx, team);
    await trx('dids').insert({ team_id: teamId, number, ...(await destinationIds(trx, team, values)) });
    return readDid(trx, team, number);
  });
}

/** The DIDs of a team, by number. */
export function listDids(db: Queryable, team: string): Promise<Did[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { rows } = await db.raw<{ rows: Did[] }>(`${select} order by d.number`, { teamId });
    return rows;
  });
}

/** One DID; `not_found` when the team has none of that number. */
export function showDid(db: Queryable, team: string, number: string): Promise<Did> {
  return withDatabaseErrors(() => readDid(db, team, number));
}

/** Sends the calls of a DID somewhere else. */
export function setDid(db: Queryable, team: string, number: string, destination: Destination): Promise<Did> {
  checkDestination(number, destination);
  return change(db, { verb: 'set', kind: 'did', team, name: number }, async (trx) => {
    const id = await requireDid(trx, team, number);
    await trx('dids')
      .where({ id })
      .update(await destinationIds(trx, team, destination));
    return readDid(trx, team, number);
  });
}

/** Removes a DID: calls to it are no longer taken once the files are generated anew. */
export function removeDid(db: Queryable, team: string, number: string): Promise<void> {
  return change(db, { verb: 'remove', kind: 'did', team, name: number }, async (trx) => {
    const id = await requireDid(trx, team, number);
    await trx('dids').where({ id }).delete();
  });
}

function checkDestination(number: string, { group, extension, feature }: Destination): void {
  if ([group, extension, feature].filter((place) => place !== undefined).length !== 1) {
    throw usage(
      `DID ${number} goes to one place: give one of --group, --extension and --feature, for example --group support.`,
    );
  }
  if (feature !== undefined) checkChoice('feature', features, feature);
}

async function destinationIds(
  trx: Queryable,
  team: string,
  { group, extension, feature }: Destination,
): Promise<{ group_id: number | null; extension_id: number | null; feature: string | null }> {
  return {
    group_id: group === undefined ? null : await requireStayingGroup(trx, team, group),
    extension_id: extension === undefined ? null : (await requireExtension(trx, team, extension)).id,
    feature: feature ?? null,
  };
}

async function requireDid(db: Queryable, team: string, number: string): Promise<number> {
  const teamId = await requireTeam(db, team);
  const row = canBeName('did', number)
    ? await db('dids').where({ team_id: teamId, number }).first<{ id: number } | undefined>('id')
    : undefined;
  if (!row) throw unknown('did', team, number);
  return row.id;
}

async function readDid(db: Queryable, team: string, number: string): Promise<Did> {
  const id = await requireDid(db, team, number);
  const teamId = await requireTeam(db, team);
  const { rows } = await db.raw<{ rows: Did[] }>(`${select} and d.id = :id`, { teamId, id });
  const row = rows[0];
  if (!row) throw unknown('did', team, number);
  return row;
}
