import { readFile } from 'node:fs/promises';
import t from 'tap';

/** A place in a queue is given to Queue() as the argument that it is in each Asterisk, and the rule by which others help out stays. */

/** As app_queue of each has them (apps/app_queue.c, AST_DECLARE_APP_ARGS). */
const since21 = ['queue', 'options', 'url', 'announce', 'timeout', 'agi', 'gosub', 'rule', 'position'];
const before21 = [
  'queue',
  'options',
  'url',
  'announce',
  'timeout',
  'agi',
  'macro',
  'gosub',
  'rule',
  'position',
];

const templates = new URL('../../../dialplan-templates/', import.meta.url);
const text = await readFile(new URL('team/callbacks.hbs', templates), 'utf8');
const shared = await readFile(new URL('star64-callback.conf', templates), 'utf8');

/** What STAR64_AT is in an Asterisk of this number, by the two lines of star64-callback-at. */
function placeIn(version: string): string {
  const [, most = ''] = /\$\{version\} > 0 & \$\{version\} < ([0-9]+)\]\?,:\)\}\$\{FILTER/.exec(shared) ?? [];
  t.match(most, /^[0-9]+$/, 'the line is there');
  const number = Number(`0${version.replace(/[^0-9]/g, '')}`);
  return `${number > 0 && number < Number(most) ? ',' : ''}3`;
}

/** The arguments of each Queue() of the template with that place, by their names. */
function argumentsIn(version: string, names: readonly string[]): Record<string, string>[] {
  const lines = text.split('\n').flatMap((line) => /Queue\((.*)\)$/.exec(line)?.[1] ?? []);
  return lines.map((line) => {
    const flat = line.replaceAll('${STAR64_AT}', placeIn(version)).split(',');
    return Object.fromEntries(names.map((name, index) => [name, flat[index] ?? '']));
  });
}

void t.test('Asterisk 16 to 20', (t) => {
  for (const version of ['162800', '182604', '202000']) {
    const all = argumentsIn(version, before21);
    t.equal(all.length, 2);
    for (const given of all) t.match(given, { rule: '', position: '3', gosub: '', macro: '' });
  }
  t.end();
});

void t.test('Asterisk 21 and later, one built from git, and one without func_version', (t) => {
  for (const version of ['210000', '221001', '230000', '999999', ''])
    for (const given of argumentsIn(version, since21)) t.match(given, { rule: '', position: '3', gosub: '' });
  t.end();
});
