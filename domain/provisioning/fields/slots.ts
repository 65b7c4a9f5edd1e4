import type { DestinationKind } from '../../destination.js';
import type { NounName } from '../../names.js';
import { kebab, type Field, type Noun } from './description.js';

/** The column of `destinations` that names the owner of an edge. */
export const ownerColumn = (noun: NounName): string => `from_${noun.replaceAll('-', '_')}_id`;

/** The column that names the thing to which an edge leads. */
export const targetColumn = (kind: DestinationKind): string => {
  if (kind === 'outside') return 'to_number';
  if (kind === 'hangup') return 'to_cause';
  if (kind === 'feature') return 'to_feature';
  return `to_${kind.replaceAll('-', '_')}_id`;
};

/** The slot in which the destination of a field is kept: its name as it is typed. */
export const slotOf = (key: string, { option }: Field): string => option ?? kebab(key);

/** Fields of a noun that are destinations. */
export const destinationFields = (noun: Noun): [string, Field][] =>
  Object.entries<Field>(noun.fields).filter(([, { value }]) => value.is === 'destination');
