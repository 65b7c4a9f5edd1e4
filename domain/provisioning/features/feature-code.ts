import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { featureCode, type Feature } from '../nouns/feature-code.js';
import { operationsOf } from '../operations/operations.js';

export { destinationFeatures, features, type Feature } from '../nouns/feature-code.js';

export type FeatureCodeChanges = Changes<typeof featureCode>;

/** What phones of a team dial for a feature. Removing the last code of one says that it is disabled now. */
export const featureCodes = operationsOf(featureCode, {
  remove: async ({ trx, scope, row }) => {
    const feature = row['feature'] as Feature;
    const others = await trx('feature_codes')
      .where({ team_id: scope.teamId, feature })
      .whereNot({ id: row.id })
      .first<{ code: string } | undefined>('code');
    return others ? undefined : { note: `it was the last for ${feature}, which is disabled now` };
  },
});

export type FeatureCode = Awaited<ReturnType<typeof featureCodes.show>>;

export const addFeatureCode = (
  db: Queryable,
  team: string,
  { code, ...values }: { code: string } & FeatureCodeChanges,
): Promise<FeatureCode> => featureCodes.add(db, team, code, values);
export const listFeatureCodes = featureCodes.list;
export const showFeatureCode = featureCodes.show;
export const setFeatureCode = featureCodes.set;
export const removeFeatureCode = featureCodes.remove;
