import type { Test } from 'tap';
import type { LabAsterisk } from '../../lab/asterisk.js';

/**
 * Asterisk has written no WARNING and no ERROR, but lines that `expected` matches and those that nobody's configuration
 * makes. The first of those that it has are in the name of the assertion, which every summary of a failure has.
 */
export async function noWarnings(t: Test, asterisk: LabAsterisk, expected?: RegExp): Promise<void> {
  const lines = (await asterisk.warnings()).filter((line) => expected?.test(line) !== true);
  const first = lines.slice(0, 20);
  const but = lines.length > 0 ? `, but ${lines.length} lines: ${first.join(' | ')}` : '';
  t.same(first, [], `nothing is wrong to Asterisk${but}`);
}
