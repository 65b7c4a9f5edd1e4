import { nounOf } from '../names.js';
import { placeOf } from './dependents.js';
import type { Noun } from './description.js';
import type { Removed } from './operations.js';

/** What is said when a thing has been removed. */
export const saysRemoved = (noun: Noun, team: string | null, name: string, { says, note }: Removed): string =>
  says ??
  `removed ${nounOf(noun.noun)} ${name}${placeOf(noun, team)}${note === undefined ? '' : `: ${note}`}`;
