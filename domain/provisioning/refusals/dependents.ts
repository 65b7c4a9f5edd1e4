import type { Attempt } from './attempt.js';
import { columnOf, type Field, type Noun } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { destinationKinds, type DestinationKind } from '../../destination.js';
import { fail, type Star64Error, type Step } from '../../errors.js';
import { nounOf, type NounName } from '../../names.js';
import { nounNamed, nouns, removalOrder } from '../nouns/index.js';
import { keyField, there } from '../values/rows.js';
import { ownerColumn, slotOf, targetColumn } from '../fields/slots.js';

/** Something that keeps another thing from being removed. */
export interface Dependent {
  readonly noun: NounName;
  readonly name: string;
  /** Identity of its team; null: of no team. */
  readonly team: string | null;
  /** Options of `set` that let go of it; null: it is to be removed first. */
  readonly freedBy: string | null;
  /** It goes by itself: a removed group whose queue is not empty yet. */
  readonly pending: boolean;
  /** How many there are in all, with those that are not named. */
  readonly count: number;
}

/** How many are named. */
const shown = 5;

/** What keeps a thing from being removed, in the order in which it can be removed itself: the first few. */
export async function dependents(db: Queryable, noun: Noun, id: number): Promise<Dependent[]> {
  const parts = noun.noun === 'team' ? ownedByTeam() : referrers(noun.noun);
  if (parts.length === 0) return [];
  const { rows } = await db.raw<{ rows: Dependent[] }>(
    `select noun, name, team, "freedBy", pending, count(*) over ()::integer as count
     from (${parts.join(' union all ')}) as held order by place, length(name), name limit ${shown}`,
    { id },
  );
  return rows;
}

function partOf(noun: Noun, from: string, freedBy: string | undefined): string {
  // What is seen though it was removed goes by itself.
  const pending = noun.outlived && noun.there !== undefined ? 'o.removed_at is not null' : 'false';
  const freed = freedBy === undefined ? 'null' : `'${freedBy}'`;
  const team = noun.owner === 'none' ? 'null' : '(select t.identity from teams t where t.id = o.team_id)';
  return `select '${noun.noun}' as noun, o.${columnOf(noun.key, keyField(noun))} as name, ${team} as team, ${freed} as "freedBy",
    ${pending} as pending, ${removalOrder.indexOf(noun.noun)} as place from ${from} and ${there(noun)}`;
}

function referrers(to: NounName): string[] {
  return nouns.flatMap((noun) =>
    Object.entries<Field>(noun.fields).flatMap(([key, field]) => {
      const { value } = field;
      if (value.is === 'reference' && value.to === to) {
        return [partOf(noun, `${noun.table} o where o.${columnOf(key, field)} = :id`, value.freedBy)];
      }
      if (value.is === 'references' && value.to === to && !value.leaves) {
        const { table, own, their } = value.through;
        const from = `${table} m join ${noun.table} o on o.id = m.${own} where m.${their} = :id`;
        return [partOf(noun, from, value.freedBy)];
      }
      if (value.is === 'destinations') {
        const { table, own, their } = value.through;
        const at = value.of.findIndex((kind) => kind === to);
        if (at < 0) return [];
        const from = `${table} m join ${noun.table} o on o.id = m.${own} where m.${their[at] ?? ''} = :id`;
        return [partOf(noun, from, `--${slotOf(key, field)} <others>`)];
      }
      if (value.is === 'destination' && isDestinationKind(to)) {
        const from = `destinations m join ${noun.table} o on o.id = m.${ownerColumn(noun.noun)}
          where m.${targetColumn(to)} = :id and m.slot = '${slotOf(key, field)}'`;
        return [partOf(noun, from, freeing(key, field))];
      }
      return [];
    }),
  );
}

/** Options of `set` by which a slot leads elsewhere, or nowhere. */
const freeing = (key: string, field: Field): string =>
  field.none === undefined ? `--${slotOf(key, field)} <other>` : `--no-${slotOf(key, field)}`;

const isDestinationKind = (noun: NounName): noun is NounName & DestinationKind =>
  (destinationKinds as readonly string[]).includes(noun);

const ownedByTeam = (): string[] =>
  nouns
    .filter(({ owner, goesWithTeam }) => owner !== 'none' && !goesWithTeam)
    .map((noun) => partOf(noun, `${noun.table} o where o.team_id = :id`, undefined));

/** The refusal to remove something that is still needed: names what needs it, and how that goes. */
export function stillNeeded({ noun, scope, name }: Attempt, held: readonly Dependent[]): Star64Error {
  const what = `${nounOf(noun.noun)} ${name}${placeOf(noun, scope.team)}`;
  const steps: Step[] = [];
  const list = held.map((dependent) => {
    const described = `${nounOf(dependent.noun)} ${dependent.name}`;
    if (dependent.pending) {
      return `${described} (it goes by itself, once its queue in Asterisk is empty)`;
    }
    steps.push(stepFor(dependent));
    return `${described} ({${steps.length - 1}})`;
  });
  const rest = (held[0]?.count ?? 0) - held.length;
  return fail('still_needed', {
    noun: noun.noun,
    name,
    facts: { team: scope.team, by: held.map(({ noun, name }) => `${noun} ${name}`), more: Math.max(0, rest) },
    says: `${what} cannot be removed, because something still needs it`,
    remedy: {
      text:
        held.length === 0 ? 'try again' : `first ${list.join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`,
      steps,
    },
  });
}

function stepFor({ noun, name, team, freedBy }: Dependent): Step {
  const { owner } = nounNamed(noun);
  // Whatever belongs to no team is named with the option that says so.
  const of = team === null && typeof owner === 'object' ? `--${owner.option}` : undefined;
  const words = [freedBy ?? undefined, of].filter((word) => word !== undefined).join(' ');
  const step = { noun, name, ...(words !== '' && { options: words }), ...(team !== null && { team }) };
  return { ...step, verb: freedBy === null ? 'remove' : 'set' };
}

/** Where a thing is, in messages: ` of team astercc`, ` for every team`. */
export function placeOf({ owner }: Noun, team: string | null): string {
  if (owner === 'none') return '';
  if (team !== null) return ` of team ${team}`;
  return typeof owner === 'object' ? ` ${owner.place}` : '';
}
