import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { columnOf, snake, type Field } from '../../domain/provisioning/fields/description.js';
import { nouns } from '../../domain/provisioning/nouns/index.js';
import { addGroup, groups, setGroup } from '../../domain/provisioning/people/group.js';
import { extensions } from '../../domain/provisioning/numbers/extension.js';
import { selectOf } from '../../domain/provisioning/values/rows.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
const root = fileURLToPath(new URL('../../../', import.meta.url));

await t.test('every field that is kept has its column, and every default is the database’s', async (t) => {
  const { rows } = await db.raw<{ rows: { table: string; column: string; fallback: string | null }[] }>(
    `select table_name as table, column_name as column, column_default as fallback
     from information_schema.columns where table_schema = 'public'`,
  );
  const found = new Map(rows.map(({ table, column, fallback }) => [`${table}.${column}`, fallback]));
  for (const { table, fields } of nouns) {
    for (const [key, field] of Object.entries<Field>(fields)) {
      if (
        ['computed', 'references', 'destinations', 'destination', 'number-by-name', 'lines'].includes(
          field.value.is,
        )
      )
        continue;
      const column = `${table}.${columnOf(key, field)}`;
      t.ok(found.has(column), column);
      const fallback = found.get(column);
      const { unless } = field;
      if (!fallback || unless === undefined) continue;
      const words: Record<string, string> = { off: 'false', on: 'true' };
      const meant = field.value.is === 'yes-no' ? (words[unless] ?? unless) : unless;
      t.equal(fallback.replace(/^'(.*)'::.*$/, '$1'), meant, `${column} is ${unless} unless given`);
    }
  }
});

await t.test('whatever a thing leads to is read at once, not for each of its destinations', async (t) => {
  for (const noun of nouns) {
    const { rows } = await db.raw<{ rows: { 'QUERY PLAN': string }[] }>(`explain ${selectOf(noun)}`);
    const scans = rows.filter((row) => / on destinations d\b/.test(row['QUERY PLAN'])).length;
    const leads = Object.values<Field>(noun.fields).some(({ value }) => value.is === 'destination');
    t.equal(scans, leads ? 1 : 0, noun.noun);
  }
});

/** Stretches of lines of our own code that speak of a setting, but for migrations and the text of the dialplan. */
function placesOf(setting: RegExp): string[] {
  return ['agi', 'cli', 'domain', 'pbx'].flatMap((room) =>
    readdirSync(`${root}${room}`, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ts$/.test(file))
      .flatMap((file) => {
        const lines = readFileSync(`${root}${room}/${file}`, 'utf8').split('\n');
        const hits = lines.flatMap((line, at) => (setting.test(line) ? [at] : []));
        // Neighbouring lines are one place.
        return hits
          .filter((at, index) => at - (hits[index - 1] ?? -9) > 4)
          .map((at) => `${room}/${file}:${at + 1}`);
      }),
  );
}

await t.test(
  'a yes-or-no setting of a group is written in few places: its description, and where it has an effect',
  (t) => {
    for (const key of ['announceAgent', 'announceCall']) {
      const places = placesOf(new RegExp(`${key}|${snake(key)}`));
      t.ok(places.length >= 2 && places.length <= 4, `${key}: ${places.join(', ')}`);
      t.equal(places.filter((place) => place.startsWith('domain/')).length, 1, 'once in the domain');
      t.equal(places.filter((place) => place.startsWith('cli/')).length, 0, 'nowhere on the command line');
    }
    t.end();
  },
);

await t.test(
  'what an import or a request could bring is refused by name, and nothing is written',
  async (t) => {
    await addUser(db, 'astercc', { username: 'anna' });
    await addGroup(db, 'astercc', { name: 'support' });
    const set = (given: object) => setGroup(db, 'astercc', 'support', given);
    for (const [given, words] of [
      [{ colour: 'red' }, ['"colour"', 'it has name, number']],
      [{ agents: ['1001'] }, ['"agents"']],
      [{ __proto__: null, constructor: 'x' }, ['"constructor"']],
      [{ strategy: null }, ['group "support" needs strategy']],
      [{ strategy: 7 }, ['strategy is no text']],
      [{ ringSeconds: 'soon' }, ['ring time NaN']],
      [{ announceAgent: 'maybe' }, ['announce agent "maybe"', 'on, off']],
      [{ link: ['https://x.example'] }, ['link is no text']],
    ] as const) {
      await refused(t, 'usage', words, () => set(given));
    }
    t.match(await set({ announceAgent: 'on' }), { announceAgent: true }, 'typed as on the command line');
    await refused(t, 'usage', ['extension "5000" needs user', '--user'], () =>
      extensions.add(db, 'astercc', '5000', {}),
    );
    t.match(await groups.show(db, 'astercc', 'support'), { strategy: 'rrmemory', ringSeconds: 15 });
  },
);
