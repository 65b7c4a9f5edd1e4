import type { Attempt } from '../refusals/attempt.js';
import { change, type Ready } from './change.js';
import { columnOf, type Changes, type Field, type Noun, type Row, type Verb } from '../fields/description.js';
import type { Along } from './along.js';
import { dependents, stillNeeded } from '../refusals/dependents.js';
import { changeDestinations } from './destinations.js';
import { hide } from './hide.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import type { Queryable } from '../../database/pool.js';
import { checkName } from '../../names.js';
import { hashPassword } from '../../password.js';
import { changeReferences, leaveLists } from './references.js';
import { removalPending } from '../values/removal-pending.js';
import {
  keyField,
  listRows,
  readRow,
  requireReferred,
  requireRow,
  showRow,
  type Stored,
} from '../values/rows.js';
import { scopeOf, type Scope } from '../values/scope.js';
import { checkTimeZone } from '../values/time.js';
import { checkGiven, checkRequired } from '../values/values.js';
import { requireVersion, versionOf } from './versions.js';

/** A change under way, for what is special about a noun. */
export interface Change<G> {
  readonly trx: Queryable;
  readonly scope: Scope;
  readonly name: string;
  /** What was given, checked; for add with what is taken when nothing is. */
  readonly given: G;
  /** The row as it was, locked; undefined for add. */
  readonly before: Stored | undefined;
  /** What was reckoned `Beforehand`. */
  readonly ready: Ready;
  /** The rows that were referred to, locked, by field; null where a reference is taken away. */
  readonly refers: Readonly<Record<string, Stored | null>>;
}

/** What a change has written. */
export interface Written {
  readonly id: number;
  /** The columns of the row that were set. */
  readonly written: Readonly<Record<string, unknown>>;
}

/** A removal under way. */
export interface Removal {
  readonly trx: Queryable;
  readonly scope: Scope;
  readonly name: string;
  /** Locked: nothing that refers to it is being added. */
  readonly row: Stored;
}

/** What came of a removal, for whoever asked for it. */
export interface Removed {
  /** Added to the sentence that says so, or said instead of it. */
  readonly note?: string;
  readonly says?: string;
  /** The thing as it is now, where it is still seen. */
  readonly record?: object;
}

/** What is special about a noun: code beside its description. Every hook may refuse. */
export interface Hooks<G> {
  /** The name under which a thing is kept, where it can be typed in more than one way. */
  readonly named?: (db: Queryable, scope: Scope, typed: string, verb: Verb) => Promise<string>;
  /** Before the database is asked; `before` the fields are checked one by one. */
  readonly check?: (change: { team: string | null; name: string; given: G; verb: 'add' | 'set' }) => void;
  /** In the transaction: columns that depend on more than one field, which win over the usual ones. */
  readonly columns?: (change: Change<G>) => Promise<Record<string, unknown>> | Record<string, unknown>;
  /** After the row is written: other tables. Returns what is shown beside the row this one time. */
  readonly after?: (change: Change<G> & Written) => Promise<Record<string, unknown> | undefined>;
  /** Before the row goes, or is hidden. */
  readonly remove?: (
    removal: Removal,
  ) => Promise<
    (Omit<Removed, 'record'> & { /** It is still seen for a while. */ seen?: boolean }) | undefined
  >;
}

/**
 * The five operations of a noun. `team` is the identity of a team, or null for what belongs to the system, or is a team.
 * `along`: what somebody else does in the transaction of a change.
 */
export interface Operations<R = object, G = object> {
  add: (db: Queryable, team: string | null, name: string, given?: G, along?: Along) => Promise<R>;
  list: (db: Queryable, team: string | null) => Promise<R[]>;
  show: (db: Queryable, team: string | null, name: string) => Promise<R>;
  /** One thing with its secrets, to set a machine up with. */
  showSecrets: (db: Queryable, team: string | null, name: string) => Promise<R & Record<string, unknown>>;
  /** One thing, and the version of what can be set of it. */
  read: (db: Queryable, team: string | null, name: string) => Promise<{ row: R; version: string }>;
  set: (db: Queryable, team: string | null, name: string, given: G, along?: Along) => Promise<R>;
  remove: (db: Queryable, team: string | null, name: string, along?: Along) => Promise<Removed>;
}

type Dated = { createdAt: Date };
type Whole<N extends Noun> = (N['owner'] extends 'none'
  ? unknown
  : N['owner'] extends 'team'
    ? { team: string }
    : { team: string | null }) &
  Row<N> &
  (N['dated'] extends false ? unknown : Dated);

/** The operations of a noun by its description, with what is special about it. */
export function operationsOf<N extends Noun>(
  noun: N,
  hooks: Hooks<Changes<N>> = {},
): Operations<Whole<N>, Changes<N>> {
  type G = Changes<N>;
  type R = Whole<N>;
  const fields = Object.entries<Field>(noun.fields);
  const named = (db: Queryable, scope: Scope, typed: string, verb: Verb): Promise<string> =>
    hooks.named?.(db, scope, typed, verb) ?? Promise.resolve(typed);

  /** Checks what was given, as far as that goes without the database. */
  function prepare(verb: 'add' | 'set', team: string | null, name: string, given: object): G {
    const checked = checkGiven(noun, name, given as Record<string, unknown>);
    hooks.check?.({ team, name, given: checked as G, verb });
    if (verb === 'add') checkRequired(noun, name, checked);
    return checked as G;
  }

  /** The hashes of secrets, by column; made before anything is locked, since a hash takes long on purpose. */
  async function hashes(given: G): Promise<Record<string, string | null>> {
    const columns: Record<string, string | null> = {};
    for (const [key, field] of fields) {
      const value = (given as Record<string, unknown>)[key];
      if (field.value.is !== 'secret' || field.value.kept !== 'hashed' || value === undefined) continue;
      columns[columnOf(key, field)] = value === null ? null : await hashPassword(value as string);
    }
    return columns;
  }

  /** The columns of what was given, and the rows that it refers to. */
  async function columnsOf(trx: Queryable, scope: Scope, given: G) {
    const columns: Record<string, unknown> = {};
    const refers: Record<string, Stored | null> = {};
    for (const [key, field] of fields) {
      const value = (given as Record<string, unknown>)[key];
      if (value === undefined) continue;
      const column = columnOf(key, field);
      switch (field.value.is) {
        case 'reference': {
          const { to, lock, orSystem = false } = field.value;
          const row =
            value === null
              ? null
              : await requireReferred(trx, to, scope, value as string, { orSystem, ...(lock && { lock }) });
          if (row?.['leaving_since']) throw removalPending(scope.team, value as string);
          refers[key] = row;
          columns[column] = row?.id ?? null;
          break;
        }
        case 'time-zone':
          columns[column] = await checkTimeZone(trx, value as string);
          break;
        case 'secret':
          if (field.value.kept === 'clear') columns[column] = value;
          break;
        case 'references':
        case 'destination':
        case 'destinations':
        case 'number-by-name':
        case 'lines':
          break;
        default:
          columns[column] = value;
      }
    }
    return { columns, refers };
  }

  /** Writes the row and what belongs to it, and reads it again. */
  async function write(
    trx: Queryable,
    scope: Scope,
    given: G,
    hashed: object,
    rest: Attempt,
    { ready, along }: { ready: Ready; along: Along },
    before?: Stored,
  ): Promise<R> {
    const { name } = rest;
    // What a team refers to is its own.
    const within = before && noun.owner === 'none' ? { team: name, teamId: before.id } : scope;
    const { columns, refers } = await columnsOf(trx, within, given);
    const about = { trx, scope, name, given, before, ready, refers };
    const row = { ...columns, ...hashed, ...(await hooks.columns?.(about)) };
    const id = before ? before.id : await insert(trx, scope, row);
    if (before && Object.keys(row).length > 0) await trx(noun.table).where({ id }).update(row);
    await changeReferences(trx, noun, scope, { id, name }, given);
    await changeDestinations(trx, noun, within, { id, name }, given);
    const more = await hooks.after?.({ ...about, id, written: row });
    const shown = await readRow<R>(trx, noun, id);
    await along.last?.(trx, { row: { ...shown, ...more }, version: await versionOf(trx, noun, id, shown) });
    return { ...shown, ...more };
  }

  async function insert(trx: Queryable, { teamId }: Scope, row: object): Promise<number> {
    const owner = noun.owner === 'none' ? {} : { team_id: teamId };
    const [created] = await trx(noun.table)
      .insert({ ...owner, ...row })
      .returning<{ id: number }[]>('id');
    if (!created) throw new Error(`the database returned no row for a new ${noun.noun}`);
    return created.id;
  }

  return {
    add: async (db, team, name, values, along = {}) => {
      const key = keyField(noun);
      if (key.value.is === 'name') checkName(key.value.of, name);
      const defaults = Object.fromEntries(
        fields.filter(([, { defaultsToKey }]) => defaultsToKey).map(([key]) => [key, name]),
      );
      const typed = Object.fromEntries(
        Object.entries(values ?? {}).filter(([, value]) => value !== undefined),
      );
      const given = prepare('add', team, name, { ...defaults, ...typed, [noun.key]: name });
      const hashed = await hashes(given);
      return change(db, async (trx, tell, ready) => {
        await along.first?.(trx);
        const scope = await scopeOf(trx, team);
        const kept = await named(trx, scope, name, 'add');
        const whole = { ...given, [noun.key]: kept };
        const attempt = { verb: 'add', noun, scope, name: kept, given: whole } as const;
        tell(attempt);
        return write(trx, scope, whole, hashed, attempt, { ready, along });
      });
    },

    list: (db, team) => withDatabaseErrors(async () => listRows<R>(db, noun, await scopeOf(db, team))),

    show: (db, team, name) =>
      withDatabaseErrors(async () => {
        const scope = await scopeOf(db, team);
        return showRow<R>(db, noun, scope, await named(db, scope, name, 'show'));
      }),

    showSecrets: (db, team, name) =>
      withDatabaseErrors(async () => {
        const scope = await scopeOf(db, team);
        const row = await requireRow(db, noun, scope, await named(db, scope, name, 'show'));
        const secrets = fields
          .filter(([, { value }]) => value.is === 'secret' && value.kept === 'clear')
          .map(([key, field]) => [key, row[columnOf(key, field)]]);
        return { ...(await readRow<R>(db, noun, row.id)), ...(Object.fromEntries(secrets) as object) };
      }),

    read: (db, team, name) =>
      withDatabaseErrors(async () => {
        const scope = await scopeOf(db, team);
        const { id } = await requireRow(db, noun, scope, await named(db, scope, name, 'show'));
        const row = await readRow<R>(db, noun, id);
        return { row, version: await versionOf(db, noun, id, row) };
      }),

    set: async (db, team, typed, values, along = {}) => {
      const given = prepare('set', team, typed, values);
      const hashed = await hashes(given);
      return change(db, async (trx, tell, ready) => {
        const scope = await scopeOf(trx, team);
        const name = await named(trx, scope, typed, 'set');
        const attempt = { verb: 'set', noun, scope, name, given: given as Record<string, unknown> } as const;
        tell(attempt);
        const before = await requireRow(trx, noun, scope, name, { lock: 'for no key update' });
        if (before['removed_at']) throw removalPending(team, name);
        await requireVersion(trx, noun, { id: before.id, name, team }, along);
        return write(trx, scope, given, hashed, attempt, { ready, along }, before);
      });
    },

    remove: (db, team, typed, along = {}) =>
      change(db, async (trx, tell) => {
        const scope = await scopeOf(trx, team);
        const name = await named(trx, scope, typed, 'remove');
        // The lock makes whatever is just being added to it wait, and then see that it has gone.
        const row = await requireRow(trx, noun, scope, name, { lock: 'for update' });
        const attempt = { verb: 'remove', noun, scope, name, id: row.id, given: {} } as const;
        tell(attempt);
        await requireVersion(trx, noun, { id: row.id, name, team }, along);
        const held = await dependents(trx, noun, row.id);
        if (held.length > 0) throw stillNeeded(attempt, held);
        const removed = await hooks.remove?.({ trx, scope, name, row });
        const left = await leaveLists(trx, noun, row.id);
        await hide(trx, noun, row);
        const { seen, ...said } = removed ?? {};
        const record = seen ? { record: await readRow<object>(trx, noun, row.id) } : {};
        return { ...(left.length > 0 && { note: left.join('; ') }), ...said, ...record };
      }),
  };
}
