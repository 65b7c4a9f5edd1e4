import type { ErrorCode } from '../domain/errors.js';

/** Asterisk, or things as they are, do not let a command be carried out: nothing was done. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(
    message: string,
    /** The error that who gave it is told; `call_command_refused` unless said. */
    readonly code: ErrorCode | null = null,
    readonly facts: Readonly<Record<string, string>> | null = null,
  ) {
    super(message);
  }
}
