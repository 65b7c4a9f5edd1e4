/**
 * Every error that star64 raises on purpose, in one place. The code strings are public: tests, scripts and the
 * exit status of the command line depend on them, so they are never renamed.
 */
const kinds = {
  usage: { exit: 2, title: 'wrong usage or invalid input' },
  not_found: { exit: 4, title: 'the named thing does not exist' },
  conflict: { exit: 5, title: 'something else stands in the way' },
  database_unreachable: { exit: 6, title: 'PostgreSQL cannot be reached' },
  asterisk_unreachable: { exit: 7, title: 'Asterisk cannot be reached' },
  failure: { exit: 1, title: 'anything else' },
  interrupted: { exit: 130, title: 'interrupted' },
} as const;

export type ErrorKind = keyof typeof kinds;

/** An expected error: `message` names the object, the rule and the way out, ready to be shown to a person. */
export class Star64Error extends Error {
  override readonly name = 'Star64Error';
  constructor(
    readonly kind: ErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
  /** The exit status of the command line for this error. */
  get exitCode(): number {
    return kinds[this.kind].exit;
  }
}

export const usage = (message: string): Star64Error => new Star64Error('usage', message);
export const notFound = (message: string): Star64Error => new Star64Error('not_found', message);
export const conflict = (message: string): Star64Error => new Star64Error('conflict', message);

/** Rows of `star64 help exit-codes`: status and meaning, in order. */
export function exitCodes(): { status: number; meaning: string }[] {
  const rows: { status: number; meaning: string }[] = [
    { status: 0, meaning: 'done' },
    { status: 3, meaning: 'differences found' },
    ...Object.values(kinds).map(({ exit, title }) => ({ status: exit, meaning: title })),
  ];
  return rows.sort((a, b) => a.status - b.status);
}
