import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { begin, end, nounReference } from '../../cli/noun-reference.js';
import { codes, errorReference, kinds } from '../../domain/error-codes.js';
import { nouns } from '../../domain/provisioning/nouns/index.js';

const page = (name: string) => new URL(`../../../docs/${name}`, import.meta.url);
const update = process.env['STAR64_UPDATE_FIXTURES'] === '1';

await t.test('docs/commands.md says of each noun what its description says', (t) => {
  const file = page('commands.md');
  const made = nounReference();
  const text = existsSync(file) ? readFileSync(file, 'utf8') : `# Commands\n\n${begin}\n${end}\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  t.ok(from >= 0 && to > from, 'its marks are there');
  if (update) writeFileSync(file, `${text.slice(0, from)}${made}${text.slice(to + end.length)}`);
  else t.equal(text.slice(from, to + end.length), made);
  for (const { noun, verbs } of nouns) {
    for (const verb of Object.keys(verbs)) t.match(made, new RegExp(`star64 ${noun} ${verb}`));
  }
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
