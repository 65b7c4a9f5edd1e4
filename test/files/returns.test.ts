import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';

/**
 * Of a routine that Asterisk runs in a call (b(), B() and U() of Dial, a connected line) and that ends without Return() it
 * says the same as of one in which somebody hangs up, so its log does not tell the two apart (lab/asterisk-log.ts).
 */

const templates = new URL('../../../dialplan-templates/', import.meta.url);

/** The last step of each extension of a file, by context and extension. What runs at a hang-up (h) returns nowhere. */
function lastSteps(text: string): Map<string, string> {
  const last = new Map<string, string>();
  let [context, extension] = ['', ''];
  for (const line of text.split('\n')) {
    context = /^\[([^\]]+)\]/.exec(line)?.[1] ?? context;
    const [, begun, first] = /^exten => ([^,]+),1(?:\([^)]*\))?,(.*)/.exec(line) ?? [];
    extension = begun ?? extension;
    const step = first ?? /^ same => n(?:\([^)]*\))?,(.*)/.exec(line)?.[1];
    if (extension !== 'h' && step !== undefined) last.set(`${context} ${extension}`, step);
  }
  return last;
}

void t.test('every routine of the dialplan returns, goes on elsewhere, or hangs up', async (t) => {
  let seen = 0;
  for (const name of (await readdir(templates)).filter((one) => one.startsWith('star64-')))
    for (const [routine, step] of lastSteps(await readFile(new URL(name, templates), 'utf8'))) {
      seen++;
      t.match(
        step,
        /^(Return|Goto|Hangup|Congestion)\(|^GotoIf\(.*\?[^:]+:[^:]+\)$/,
        `${name}: ${routine} ends with Return(), Goto() or Hangup()`,
      );
    }
  t.ok(seen > 80, `${seen} were found`);
});
