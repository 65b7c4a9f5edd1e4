import type { DestinationKind } from '../../destination.js';
import type { Named, NounName } from '../../names.js';

/**
 * How a noun is described: once, as data. The description gives add, list, show, set and remove with their checks, the
 * options and the help of the command line, and the reference page. It imports neither the database nor a socket, so
 * that help stays light; what is special about a noun is code beside it (`hooks` in `operations.ts`).
 */
export interface Noun<F extends Fields = Fields> {
  readonly noun: NounName;
  readonly table: string;
  /** For the list of nouns: `agent groups: each is one queue`. */
  readonly title: string;
  /** What each command does, as its help says it. */
  readonly verbs: Readonly<Record<Exclude<Verb, 'add' | 'remove'>, string>> &
    // Without them: every team has all of them from its beginning on.
    Partial<Readonly<Record<'add' | 'remove', string>>>;
  /** The field that names the thing. */
  readonly key: string;
  /** To whom it belongs: to a team; to no team, since it is one; to a team or, with this option, to none. */
  readonly owner: 'team' | 'none' | SystemOption;
  /** Removed rows stay, hidden, because history names them; their secrets go. */
  readonly outlived?: boolean;
  /** SQL of the rows that are still there, of `o`; needed where `removed_at is null` is not the answer. */
  readonly there?: string;
  /** Generated files are made of it: a change has its effect when Asterisk has read them. */
  readonly inFiles?: boolean;
  /** Goes with its team without a question. */
  readonly goesWithTeam?: boolean;
  /** SQL of the order in a list. */
  readonly order: string;
  /** The columns of a list, where the usual ones are not right. */
  readonly listed?: readonly string[];
  /** False: a row does not say when it was made. */
  readonly dated?: false;
  readonly fields: F;
}

export type Verb = 'add' | 'list' | 'show' | 'set' | 'remove';

export interface SystemOption {
  /** Without dashes: `system`, `every-team`. */
  readonly option: string;
  readonly help: string;
  /** Where it is, in messages: `of the system`. */
  readonly place: string;
  /** A team's list has those of no team, too. */
  readonly listedInTeams?: boolean;
}

export type Fields = Readonly<Record<string, Field>>;

/** What kind of value a field has: how it is checked, typed, stored and shown follows from it. */
export type Value =
  /** `empty`: a word that is typed for one that is there, and is nothing. */
  | { readonly is: 'name'; readonly of: Named; readonly empty?: string }
  | { readonly is: 'text'; readonly example: string }
  | {
      readonly is: 'whole';
      readonly from: number;
      readonly to: number;
      /** 0 means that there is none. */ readonly zeroIsNone?: boolean;
    }
  /** Typed as `--x on|off`, or as a flag `--x`, `--no-x`. */
  | { readonly is: 'yes-no'; readonly flag?: boolean }
  /** `also`: words that mean one of the choices, for scripts that say it as it was called before. */
  | {
      readonly is: 'choice';
      readonly of: readonly string[];
      readonly also?: Readonly<Record<string, string>>;
    }
  /** Some of a few words, each once: typed with , between, in any order; `none` for not one of them. */
  | { readonly is: 'words'; readonly of: readonly string[] }
  | { readonly is: 'time-of-day' }
  | { readonly is: 'time-zone' }
  /** `plain`: without placeholders. */
  | { readonly is: 'link'; readonly plain?: true }
  | DestinationValue
  | DestinationListValue
  | ReferenceValue
  | ReferencesValue
  /**
   * Lines of text, each checked for itself: all of them at once, or further ones. `sql` reads them (without it they are
   * not shown); where they are stored is a hook's.
   */
  | { readonly is: 'lines'; readonly check: (line: string) => string; readonly sql?: string }
  /** A number for each of some names: `sql` reads them, where they are stored is a hook's. */
  | { readonly is: 'number-by-name'; readonly from: number; readonly to: number; readonly sql: string }
  /**
   * From stdin only. Hashed, it shows only whether there is one; in clear, it shows itself where that is asked for, and
   * star64 can make one.
   */
  | {
      readonly is: 'secret';
      readonly kept: 'hashed' | 'clear';
      readonly check: (name: string, secret: string) => string;
      /** Help of `show --<option>` and of `set --new-<option>`. */
      readonly reveal?: string;
      readonly renew?: string;
    }
  /** Never given: SQL of `o`, the row itself. */
  | { readonly is: 'computed'; readonly sql: string };

/** One other thing, of the same team or, if so said, of the system. */
export interface ReferenceValue {
  readonly is: 'reference';
  readonly to: NounName;
  /** Of two of one name the team's own is meant. */
  readonly orSystem?: boolean;
  /** Options of `set` that let go of what is to be removed; without them this is to be removed first. */
  readonly freedBy?: string;
  readonly lock?: 'for no key update';
}

/** Any number of other things of the same team, through a table of its own with composite keys. */
export interface ReferencesValue {
  readonly is: 'references';
  readonly to: NounName;
  /** Of no team, too: of two of one name the team's own is meant. The table has no `team_id` then. */
  readonly orSystem?: boolean;
  readonly through: {
    readonly table: string;
    readonly own: string;
    readonly their: string;
    readonly position?: string;
  };
  /** All of them at once, `--groups a,b`; or one by one, `--add-administrator x`, `--remove-administrator x`. */
  readonly typed: 'all' | 'one by one';
  /** What happens when one of them is to be removed: it is let go by these options of `set` first, or leaves by itself. */
  readonly freedBy?: string;
  readonly leaves?: boolean;
}

/** Where calls go next: an edge in `destinations`, whose slot is the name of the field in kebab-case. */
export interface DestinationValue {
  readonly is: 'destination';
  /** Kinds that can be typed as options of their own, too, as they were before there was this one. */
  readonly also?: readonly DestinationKind[];
}

/** Any number of destinations of some kinds, in an order; where they are stored is a hook's. */
export interface DestinationListValue {
  readonly is: 'destinations';
  readonly of: readonly DestinationKind[];
  /** What a name alone means. */
  readonly bare: DestinationKind;
  /** Table of the entries, and their columns: the owner's, and those of `of` in its order. */
  readonly through: { readonly table: string; readonly own: string; readonly their: readonly string[] };
}

/** What is said about a field beside its kind of value. */
export interface Details {
  /** What it is called in messages. */
  readonly what?: string;
  readonly help: string;
  /** Column of the table; its name in snake_case unless said. */
  readonly column?: string;
  /** Its option, without dashes; its name in kebab-case unless said. */
  readonly option?: string;
  readonly placeholder?: string;
  /** Needed by add. */
  readonly required?: boolean;
  /** An argument of add, after the key, instead of an option. */
  readonly argument?: boolean;
  /** Can be taken away: help of `--no-<option>`, or of the option that `noneOption` says. */
  readonly none?: string;
  readonly noneOption?: string;
  /** May be empty though nobody can take it away. */
  readonly maybe?: boolean;
  /** Without it: the name of the thing. */
  readonly defaultsToKey?: boolean;
  /** What it is unless given, as the reference page says it. */
  readonly unless?: string;
  readonly on?: 'set';
  /** It reaches beyond the team: an administrator of the team cannot set it over HTTP. */
  readonly operator?: true;
  /** False: too much for a list. */
  readonly listed?: false;
}

/** A field: `Shown` is the type of its value in a row, `Given` of what it is changed to (`never`: not at all). */
export interface Field<Shown = unknown, Given = unknown> extends Details {
  readonly value: Value;
  /** Carries the types; never there. */
  readonly types?: readonly [Shown, Given];
}

type Shown<T, D> = D extends { none: string } | { maybe: true } ? T | null : T;
type Given<T, D> = D extends { none: string } ? T | null : T;

const make =
  <T, G = T>() =>
  <const D extends Details>(value: Value, details: D): Field<Shown<T, D>, Given<G, D>> => ({
    ...details,
    value,
  });

export const name = <const D extends Details>(of: Named, details: D, also: { empty?: string } = {}) =>
  make<string>()({ is: 'name', of, ...also }, details);
export const text = <const D extends Details>(example: string, details: D) =>
  make<string>()({ is: 'text', example }, details);
export const whole = <const D extends Details>(
  range: { from: number; to: number; zeroIsNone?: boolean },
  details: D,
) => make<number>()({ is: 'whole', ...range }, details);
export const yesNo = <const D extends Details>(details: D) => make<boolean>()({ is: 'yes-no' }, details);
export const flag = (details: Details): Field<boolean, boolean> => ({
  ...details,
  value: { is: 'yes-no', flag: true },
});
export const choice = <const C extends string, const D extends Details>(
  of: readonly C[],
  details: D,
  also: Readonly<Record<string, C>> = {},
) => make<C, string>()({ is: 'choice', of, also }, details);
export const words = <const C extends string, const D extends Details>(of: readonly C[], details: D) =>
  make<C[], string | readonly string[]>()({ is: 'words', of }, details);
export const timeOfDay = <const D extends Details>(details: D) =>
  make<string>()({ is: 'time-of-day' }, details);
export const timeZone = <const D extends Details>(details: D) => make<string>()({ is: 'time-zone' }, details);
export const link = <const D extends Details>(details: D, also: { plain?: true } = {}) =>
  make<string>()({ is: 'link', ...also }, details);
/** Typed and shown as `<kind>:<name>`. */
export const destination = <const D extends Details>(
  details: D,
  { also }: Omit<DestinationValue, 'is'> = {},
) => make<string>()({ is: 'destination', ...(also && { also }) }, { placeholder: 'destination', ...details });
export const destinationList = (
  value: Omit<DestinationListValue, 'is'>,
  details: Details,
): Field<string[], readonly string[]> => ({ ...details, value: { is: 'destinations', ...value } });
export const reference = <const D extends Details>(value: Omit<ReferenceValue, 'is'>, details: D) =>
  make<string>()({ is: 'reference', ...value }, details);
/** Names of other things; in their order if they have one. */
export const references = (
  value: Omit<ReferencesValue, 'is'>,
  details: Details,
): Field<string[], readonly string[] | AddRemove> => ({ ...details, value: { is: 'references', ...value } });
export const numberByName = (
  range: { from: number; to: number; sql: string },
  details: Details,
): Field<Record<string, number>, Readonly<Record<string, number>>> => ({
  ...details,
  value: { is: 'number-by-name', ...range },
});
/** Lines of text that a row shows; taken away there are none. */
export const lines = <const D extends Details>(
  check: (line: string) => string,
  sql: string,
  details: D,
): Field<string[], Given<readonly string[], D>> => ({ ...details, value: { is: 'lines', check, sql } });
/** Lines of text that only change something else. */
export const linesOnly = (
  check: (line: string) => string,
  details: Details,
): Field<never, readonly string[]> => ({ ...details, value: { is: 'lines', check } });
/** Kept as a scrypt hash; a row says whether there is one. */
export const hashed = (
  check: (name: string, secret: string) => string,
  details: Details,
): Field<boolean, string | null> => ({ ...details, value: { is: 'secret', kept: 'hashed', check } });
/** Kept in clear, for a machine that needs it; in no row unless that is asked for. */
export const clearSecret = <const D extends Details>(
  check: (name: string, secret: string) => string,
  words: { reveal: string; renew?: string },
  details: D,
): Field<never, Given<string | { generate: true }, D>> => ({
  ...details,
  value: { is: 'secret', kept: 'clear', check, ...words },
});
/** What a row says without being told: `T` is its type. */
export const computed = <T>(
  sql: string,
  details: Pick<Details, 'listed'> & { help: string },
): Field<T, never> => ({
  ...details,
  value: { is: 'computed', sql },
});

/** A change of a list, one by one. */
export interface AddRemove {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

type ShownOf<X> = X extends Field<infer S> ? S : never;
type GivenOf<X> = X extends Field<unknown, infer G> ? G : never;

/** What a row of a noun says of itself, without its team. */
export type Row<N extends Noun> = {
  -readonly [K in keyof N['fields'] as [ShownOf<N['fields'][K]>] extends [never] ? never : K]: ShownOf<
    N['fields'][K]
  >;
};
/** What can be given to add or set. */
export type Changes<N extends Noun> = {
  -readonly [K in keyof N['fields'] as [GivenOf<N['fields'][K]>] extends [never] ? never : K]?:
    GivenOf<N['fields'][K]> | undefined;
};

/** Checks that a description is whole, and keeps its types. */
export const describe = <const N extends Noun>(noun: N & { readonly key: keyof N['fields'] }): N => noun;

export const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
export const kebab = (key: string): string => snake(key).replaceAll('_', '-');

/** The column where a field is kept. */
export const columnOf = (key: string, { column, value }: Field): string =>
  column ?? (value.is === 'reference' ? `${snake(key)}_id` : snake(key));
