import type { Test } from 'tap';
import type { LabAsterisk } from '../../lab/asterisk.js';
import type { LabServer } from '../../lab/server.js';

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

/**
 * What servers have last said of troubles, of what they have mended, and of watching Asterisk, the latest first: a state that is
 * missing was not told, or not written, and the name of the assertion that finds it missing says which.
 */
export async function troublesOf(servers: readonly LabServer[]): Promise<string> {
  const said = /"level":(40|50|60)|"msg":"(watching Asterisk|Asterisk and the database differ)"/;
  const logs = await Promise.all(servers.map(({ log }) => log.lines()));
  const last = logs.flatMap((lines) =>
    lines
      .filter((line) => said.test(line))
      .slice(-5)
      .reverse(),
  );
  return `; the servers say: ${last.map((line) => line.replace(/"pid":\d+,"hostname":"[^"]*",/, '')).join(' | ')}`;
}
