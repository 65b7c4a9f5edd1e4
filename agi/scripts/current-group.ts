import { setCurrentGroup } from '../../domain/presence/current-group.js';
import { feature } from './feature.js';

/** `*63<number>`: chooses the agent's current group by the number of its queue. */
export const currentGroup = feature(async ({ db, membership }, { team, extension, digits }) => {
  const choice = digits === undefined ? undefined : { number: digits };
  const result = await setCurrentGroup(db, team, { extension }, choice);
  if (choice === undefined || result.outcome !== 'group-set') return result.outcome;
  // What calls that no queue gives do to them may be another thing in this one.
  await membership.sync(result.signIn, { thorough: true });
  return { outcome: 'group-set', facts: { group: choice.number } };
});
