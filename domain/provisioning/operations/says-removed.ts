import { nounOf } from '../../names.js';
import { placeOf } from '../refusals/dependents.js';
import type { Noun } from '../fields/description.js';
import type { Removed } from './operations.js';

/** What is said when a thing has been removed. */
export const saysRemoved = (noun: Noun, team: string | null, name: string, { says, note }: Removed): string =>
  says ??
  `removed ${nounOf(noun.noun)} ${name}${placeOf(noun, team)}${note === undefined ? '' : `: ${note}`}`;
