import { codes, kinds, type ErrorCode, type ErrorKind } from './error-codes.js';

export type { ErrorCode, ErrorKind } from './error-codes.js';

/** Something to do about an error, as data: a command line types it, HTTP would name a method and a path. */
export interface Step {
  /** Whatever comes after `star64`, without the team: `user`, `feature-code`. */
  readonly noun: string;
  readonly verb: string;
  /** The name of the thing, as it is typed; none for `list`. */
  readonly name?: string;
  /** Further words: `--no-trunk`. */
  readonly options?: string;
  /** Identity of the team; null for the system; undefined when no team plays a part. */
  readonly team?: string | null | undefined;
}

/** The way out: a sentence in which `{0}`, `{1}` … are the steps. Begins small and ends without a full stop. */
export interface Remedy {
  readonly text: string;
  readonly steps?: readonly Step[];
}

type Fact = string | number | boolean | null | undefined | readonly string[];

/** What an error is about. Never a secret. */
export interface ErrorDetails {
  /** What it is about: `extension`, as in `star64 extension`. */
  readonly noun?: string | undefined;
  /** Its name or number. */
  readonly name?: string | undefined;
  /** What a program may want to know without reading the sentence. */
  readonly facts?: Readonly<Record<string, Fact>>;
  /** The sentence without the way out and the full stop: it names the object and the rule. */
  readonly says: string;
  readonly remedy?: Remedy;
}

/** An expected error: `message` names the object, the rule and the way out, ready to be shown to a person. */
export class Star64Error extends Error {
  override readonly name = 'Star64Error';
  /** One of `codes`, or of the manager connection, which has its own. */
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(
    readonly kind: ErrorKind,
    message: string | (ErrorDetails & { code: ErrorCode }),
    options?: ErrorOptions,
  ) {
    super(typeof message === 'string' ? message : sentence(message), options);
    this.code = typeof message === 'string' ? kind : message.code;
    this.details = typeof message === 'string' ? { says: message } : message;
  }

  /** The exit status of the command line for this error. */
  get exitCode(): number {
    return kinds[this.kind].exit;
  }

  /** The error without its sentence: for a problem document, or the line of an import. */
  toJSON(): object {
    const { noun = null, name = null, facts = {}, remedy = null } = this.details;
    return { kind: this.kind, code: this.code, noun, name, facts, remedy, message: this.message };
  }
}

/** An error of a code, made from data. */
export const fail = (code: ErrorCode, details: ErrorDetails, options?: ErrorOptions): Star64Error =>
  new Star64Error(codes[code].kind, { ...details, code }, options);

/** An error by its sentence alone, for what has no code of its own. */
export const usage = (message: string): Star64Error => new Star64Error('usage', message);
export const notFound = (message: string): Star64Error => new Star64Error('not_found', message);
export const conflict = (message: string): Star64Error => new Star64Error('conflict', message);

/** Problem and way out in one sentence; `show` writes a step for the reader at hand, a command line unless given. */
export function sentence({ says, remedy }: ErrorDetails, show: (step: Step) => string = commandOf): string {
  if (!remedy) return `${says}.`;
  const steps = remedy.steps ?? [];
  const wayOut = remedy.text.replace(/\{([0-9])\}/g, (whole, index: string) => {
    const step = steps[Number(index)];
    return step ? show(step) : whole;
  });
  return `${says}${/[.?!]$/.test(says) ? '' : ':'} ${wayOut}.`;
}

/** A step as a command to type. */
export function commandOf({ noun, verb, name, options, team }: Step): string {
  const words = [noun, verb, name, options].filter((word) => word !== undefined).join(' ');
  return team === undefined ? `\`star64 ${words}\`` : command(team, words);
}

/** A star64 command line to be shown to somebody; `team` is added where the default would not do. */
export function command(team: string | null, line: string): string {
  const where = team === null ? ' --system' : team === 'astercc' ? '' : ` --team ${team}`;
  return `\`star64 ${line}${where}\``;
}

/** Rows of `star64 help exit-codes`: status and meaning, in order. */
export function exitCodes(): { status: number; meaning: string }[] {
  const rows: { status: number; meaning: string }[] = [
    { status: 0, meaning: 'done' },
    ...Object.values(kinds).map(({ exit, title }) => ({ status: exit, meaning: title })),
  ];
  return rows.sort((a, b) => a.status - b.status);
}
