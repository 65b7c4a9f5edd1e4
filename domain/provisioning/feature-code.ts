import { change } from './change.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { canBeName, checkChoice, checkName, unknown } from '../names.js';
import { requireTeam } from './team.js';

/** What can be done at a phone by a code; the words are the database's. */
export const features = [
  'sign-in',
  'sign-out',
  'pause',
  'ready',
  'work-mode',
  'current-group',
  'status',
] as const;
export type Feature = (typeof features)[number];

/** What phones of a team dial for a feature. Several codes for one feature are aliases; none disables it. */
export interface FeatureCode {
  team: string;
  code: string;
  feature: Feature;
}

export interface FeatureCodeChanges {
  code?: string;
  feature?: string;
}

const select = `select t.identity as team, f.code, f.feature
  from feature_codes f join teams t on t.id = f.team_id where f.team_id = :teamId`;

/** Adds a code for a feature beside those that it has. */
export function addFeatureCode(
  db: Queryable,
  team: string,
  values: { code: string; feature: string },
): Promise<FeatureCode> {
  const code = checkName('feature-code', values.code);
  const feature = checkChoice('feature', features, values.feature);
  return change(db, { verb: 'add', kind: 'feature-code', team, name: code }, async (trx) => {
    const teamId = await requireTeam(trx, team);
    await trx('feature_codes').insert({ team_id: teamId, code, feature });
    return readFeatureCode(trx, team, code);
  });
}

/** The codes of a team, by feature. */
export function listFeatureCodes(db: Queryable, team: string): Promise<FeatureCode[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { rows } = await db.raw<{ rows: FeatureCode[] }>(
      `${select} order by f.feature, length(f.code), f.code`,
      { teamId },
    );
    return rows;
  });
}

/** One code; `not_found` when the team has none of that name. */
export function showFeatureCode(db: Queryable, team: string, code: string): Promise<FeatureCode> {
  return withDatabaseErrors(() => readFeatureCode(db, team, code));
}

/** Changes what is given: what the code does, or what is dialled for it. */
export function setFeatureCode(
  db: Queryable,
  team: string,
  code: string,
  changes: FeatureCodeChanges,
): Promise<FeatureCode> {
  const columns = {
    ...(changes.code !== undefined && { code: checkName('feature-code', changes.code) }),
    ...(changes.feature !== undefined && { feature: checkChoice('feature', features, changes.feature) }),
  };
  const attempt = { verb: 'set', kind: 'feature-code', team, name: code, number: changes.code } as const;
  return change(db, attempt, async (trx) => {
    await readFeatureCode(trx, team, code);
    const teamId = await requireTeam(trx, team);
    if (Object.keys(columns).length > 0) {
      await trx('feature_codes').where({ team_id: teamId, code }).update(columns);
    }
    return readFeatureCode(trx, team, columns.code ?? code);
  });
}

/** Removes a code. `disabled`: it was the last one for its feature, which no phone of the team can ask for any more. */
export function removeFeatureCode(
  db: Queryable,
  team: string,
  code: string,
): Promise<{ feature: Feature; disabled: boolean }> {
  return change(db, { verb: 'remove', kind: 'feature-code', team, name: code }, async (trx) => {
    const { feature } = await readFeatureCode(trx, team, code);
    const teamId = await requireTeam(trx, team);
    await trx('feature_codes').where({ team_id: teamId, code }).delete();
    const others = await trx('feature_codes').where({ team_id: teamId, feature }).pluck<string[]>('code');
    return { feature, disabled: others.length === 0 };
  });
}

async function readFeatureCode(db: Queryable, team: string, code: string): Promise<FeatureCode> {
  const teamId = await requireTeam(db, team);
  const { rows } = canBeName('feature-code', code)
    ? await db.raw<{ rows: FeatureCode[] }>(`${select} and f.code = :code`, { teamId, code })
    : { rows: [] };
  const row = rows[0];
  if (!row) throw unknown('feature-code', team, code);
  return row;
}
