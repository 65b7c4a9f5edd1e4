import { CommanderError } from 'commander';
import { Star64Error } from '../domain/errors.js';

/** Commander ends these on purpose, after it has printed what was asked for. */
const asked = new Set(['commander.helpDisplayed', 'commander.version']);
const usageStatus = 2;
const failureStatus = 1;

/**
 * What a service says where no setting names a PostgreSQL: a mistake in the settings, so that systemd, which starts it anew
 * while one cannot be reached, leaves it alone. To be thrown; any other error is the same.
 */
export function ofService(error: unknown): unknown {
  if (!(error instanceof Star64Error) || error.code !== 'database_unset') return error;
  return new Star64Error('usage', { ...error.details, code: 'database_unset' }, { cause: error });
}

/** Says on stderr what went wrong, if it has not been said, and returns the exit status for it. */
export function reportError(error: unknown, say: (text: string) => void, env: NodeJS.ProcessEnv): number {
  if (error instanceof CommanderError) return asked.has(error.code) ? 0 : usageStatus;
  const debug = Boolean(env['STAR64_DEBUG']);
  if (error instanceof Star64Error) {
    say(`star64: ${error.message}`);
    if (debug && error.stack !== undefined) say(error.stack);
    return error.exitCode;
  }
  say(`star64: unexpected error: ${error instanceof Error ? error.message : String(error)}`);
  if (debug && error instanceof Error && error.stack !== undefined) say(error.stack);
  else say('With STAR64_DEBUG=1 it says where.');
  return failureStatus;
}
