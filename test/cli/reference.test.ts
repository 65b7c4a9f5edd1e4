import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { beginCommands, commandReference, endCommands } from '../../cli/command-reference.js';
import type { Context } from '../../cli/context.js';
import { eventReference } from '../../cli/event-reference.js';
import { begin, end, nounReference } from '../../cli/noun-reference.js';
import { wholeProgram } from '../../cli/program.js';
import { codes, errorReference, kinds } from '../../domain/error-codes.js';
import { nouns } from '../../domain/provisioning/nouns/index.js';

const page = (name: string) => new URL(`../../../docs/${name}`, import.meta.url);
const update = process.env['STAR64_UPDATE_FIXTURES'] === '1';

/** Holds a part of `docs/commands.md` between its marks against what was made. */
function part(t: Test, begin: string, end: string, made: string): void {
  const file = page('commands.md');
  const text = readFileSync(file, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  t.ok(from >= 0 && to > from, 'its marks are there');
  if (update) writeFileSync(file, `${text.slice(0, from)}${made}${text.slice(to + end.length)}`);
  else t.equal(text.slice(from, to + end.length), made);
}

await t.test('docs/commands.md says of each noun what its description says', (t) => {
  const made = nounReference();
  part(t, begin, end, made);
  for (const { noun, verbs } of nouns) {
    for (const verb of Object.keys(verbs)) t.match(made, new RegExp(`star64 ${noun} ${verb}`));
  }
  t.end();
});

await t.test('docs/commands.md lists every other command with its options', async (t) => {
  const out = (): void => undefined;
  const program = await wholeProgram({ out, err: out, env: {} } as unknown as Context);
  const made = commandReference(program);
  part(t, beginCommands, endCommands, made);
  for (const typed of ['star64 apply', 'star64 agent sign-in', 'star64 call list', 'star64 token add'])
    t.match(made, typed);
  t.notMatch(made, 'star64 group add', 'which stands among the nouns');
});

await t.test('docs/events.md says what each event has', (t) => {
  const file = page('events.md');
  if (update) writeFileSync(file, eventReference());
  else t.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', eventReference());
  t.end();
});

await t.test('docs/errors.md lists every code; a code is never renamed', (t) => {
  const file = page('errors.md');
  if (update) writeFileSync(file, errorReference());
  else t.equal(readFileSync(file, 'utf8'), errorReference());
  for (const [code, { kind, meaning }] of Object.entries(codes)) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/);
    t.ok(kind in kinds && meaning.length > 10, code);
  }
  // What scripts know already: one that is missing here is a broken promise.
  for (const code of [
    'unknown',
    'taken',
    'number_taken',
    'still_needed',
    'signed_in',
    'invalid_name',
    'required',
  ]) {
    t.ok(code in codes, code);
  }
  t.end();
});
