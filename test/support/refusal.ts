import type { Test } from 'tap';
import { Star64Error, type ErrorKind } from '../../domain/errors.js';

/**
 * Asserts that a change is refused for the right reason, and that the message says each of `words`: in one line, unless it
 * quotes files or logs (`lines`).
 */
export async function refused(
  t: Test,
  kind: ErrorKind,
  words: readonly string[],
  work: () => unknown,
  { lines = false } = {},
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Star64Error)) throw error;
    t.equal(error.kind, kind, error.message);
    for (const word of words) t.ok(error.message.includes(word), `says ${word}: ${error.message}`);
    if (!lines) t.notMatch(error.message, /[\p{Cc}\p{Zl}\p{Zp}]/u, 'one line without control characters');
    return;
  }
  t.fail(`expected a refusal (${kind}) that says ${words.join(', ')}`);
}
