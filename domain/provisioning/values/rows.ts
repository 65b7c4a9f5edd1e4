import type { Queryable } from '../../database/pool.js';
import { canBeName, unknown, type NounName } from '../../names.js';
import { columnOf, type Field, type Noun } from '../fields/description.js';
import { nounNamed } from '../nouns/index.js';
import type { Scope } from './scope.js';
import { ownerColumn, slotOf } from '../fields/slots.js';
import { unknownTrunk } from './trunk-names.js';

/** A row as the table has it; secrets included, so it never leaves the domain. */
export type Stored = { readonly id: number } & Readonly<Record<string, unknown>>;

type Lock = '' | 'for key share' | 'for no key update' | 'for update';

/** SQL of the rows of a noun that are still there, of `o`. */
export const there = ({ outlived, there: own }: Noun): string =>
  own ?? (outlived ? 'o.removed_at is null' : 'true');

/** SQL of those that belong to a team (`:teamId`), or to none. */
export function owned(noun: Noun, { teamId }: Scope, orSystem = false): string {
  if (noun.owner === 'none') return 'true';
  if (teamId === null) return 'o.team_id is null';
  return orSystem ? '(o.team_id = :teamId or o.team_id is null)' : 'o.team_id = :teamId';
}

/**
 * The row of a thing by its name, locked if asked for; `not_found` when the team (or the system) has none of it.
 * `orSystem`: of two of one name the team's own is meant.
 */
export async function requireRow(
  db: Queryable,
  noun: Noun,
  scope: Scope,
  name: string,
  { lock = '', orSystem = false }: { lock?: Lock; orSystem?: boolean } = {},
): Promise<Stored> {
  const column = columnOf(noun.key, keyField(noun));
  const { rows } = canBeName(noun.noun, name)
    ? await db.raw<{ rows: Stored[] }>(
        `select o.* from ${noun.table} o
         where ${owned(noun, scope, orSystem)} and o.${column} = :name and ${there(noun)}
         ${orSystem ? 'order by o.team_id nulls last limit 1' : ''} ${lock && `${lock} of o`}`,
        { teamId: scope.teamId, name },
      )
    : { rows: [] };
  const row = rows[0];
  if (row) return row;
  throw noun.noun === 'trunk' && !orSystem
    ? unknownTrunk(scope.team, name)
    : unknown(noun.noun, scope.team, name);
}

/** The row of a thing that another refers to, kept from removal until the end of the transaction. */
export function requireReferred(
  db: Queryable,
  to: NounName,
  scope: Scope,
  name: string,
  options: { lock?: Lock; orSystem?: boolean } = {},
): Promise<Stored> {
  return requireRow(db, nounNamed(to), scope, name, { lock: 'for key share', ...options });
}

/** What a row says of itself, by its id. */
export async function readRow<T>(db: Queryable, noun: Noun, id: number): Promise<T> {
  const { rows } = await db.raw<{ rows: T[] }>(`${selectOf(noun)} where o.id = ?`, [id]);
  const [row] = rows;
  if (!row) throw new Error(`a row of ${noun.table} vanished under its lock`);
  return row;
}

/** What a thing says of itself, by its name. */
export async function showRow<T>(db: Queryable, noun: Noun, scope: Scope, name: string): Promise<T> {
  const { id } = await requireRow(db, noun, scope, name);
  return readRow<T>(db, noun, id);
}

/** All of a team, or of the system, in the noun's order. */
export async function listRows<T>(db: Queryable, noun: Noun, scope: Scope): Promise<T[]> {
  const withSystem = typeof noun.owner === 'object' && noun.owner.listedInTeams === true;
  const { rows } = await db.raw<{ rows: T[] }>(
    `${selectOf(noun)} where ${owned(noun, scope, withSystem)} and ${there(noun)} order by ${noun.order}`,
    { teamId: scope.teamId },
  );
  return rows;
}

/** The field that names the thing. */
export function keyField(noun: Noun): Field {
  const field = noun.fields[noun.key];
  if (!field) throw new Error(`noun ${noun.noun} has no field ${noun.key}`);
  return field;
}

/** SQL that reads things as they are shown, with more columns behind. */
export function selectOf(noun: Noun, ...more: string[]): string {
  const columns = Object.entries<Field>(noun.fields).flatMap(([key, field]) => {
    const sql = shownAs(key, field);
    return sql === undefined ? [] : [`${sql} as "${key}"`];
  });
  if (noun.owner !== 'none') columns.unshift('t.identity as team');
  if (noun.dated !== false) columns.push('o.created_at as "createdAt"');
  columns.push(...more);
  const teams = noun.owner === 'none' ? '' : 'left join teams t on t.id = o.team_id';
  // All of them at once: PostgreSQL plans the nine tables behind each mention of the view, which took longer than all the rest.
  const ways = Object.values<Field>(noun.fields).some(({ value }) => value.is === 'destination')
    ? `left join lateral (select jsonb_object_agg(d.slot, d.kind || ':' || d.name) as slots from destination_targets d
        where d.${ownerColumn(noun.noun)} = o.id) as ways on true`
    : '';
  return `select ${columns.join(', ')} from ${noun.table} o ${teams} ${ways}`;
}

/** SQL of what a field shows; undefined for what is shown only where it is asked for. */
function shownAs(key: string, field: Field): string | undefined {
  const { value } = field;
  const column = `o.${columnOf(key, field)}`;
  switch (value.is) {
    case 'computed':
    case 'number-by-name':
    case 'lines':
      return value.sql;
    case 'time-of-day':
      return `to_char(${column}, 'HH24:MI')`;
    case 'words':
      return `string_to_array(${column}, ',')`;
    case 'name':
      return value.empty === undefined
        ? column
        : `case ${column} when '' then '${value.empty}' else ${column} end`;
    case 'secret':
      return value.kept === 'hashed' ? `${column} is not null` : undefined;
    case 'reference': {
      const to = nounNamed(value.to);
      return `(select r.${columnOf(to.key, keyField(to))} from ${to.table} r where r.id = ${column})`;
    }
    case 'references': {
      const to = nounNamed(value.to);
      const { table, own, their, position } = value.through;
      const name = `r.${columnOf(to.key, keyField(to))}`;
      const order = position === undefined ? name : `m.${position}, ${name}`;
      return `array(select ${name} from ${table} m join ${to.table} r on r.id = m.${their}
        where m.${own} = o.id order by ${order})`;
    }
    case 'destination':
      return `ways.slots ->> '${slotOf(key, field)}'`;
    case 'destinations': {
      const { table, own, their } = value.through;
      const entries = value.of.map((kind, at) => {
        const entry = `m.${their[at] ?? ''}`;
        if (kind === 'outside') return `'outside:' || ${entry}`;
        const to = nounNamed(kind as NounName);
        return `'${kind}:' || (select r.${columnOf(to.key, keyField(to))} from ${to.table} r where r.id = ${entry})`;
      });
      return `array(select coalesce(${entries.join(', ')}) from ${table} m where m.${own} = o.id order by m.position)`;
    }
    default:
      return column;
  }
}
