import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';

/** Asterisk before 16.30 and 18.16 warns, in each such call, of an IF() that has neither side or no condition; newer ones say nothing. */

const templates = new URL('../../../dialplan-templates/', import.meta.url);

/** The condition and the two sides of each IF() in a line, nested ones too. */
function conditionals(line: string): { condition: string; sides: string[] }[] {
  return [...line.matchAll(/\$\{IF\(/g)].map(({ index }) => {
    const parts = [''];
    let depth = 0;
    for (const sign of line.slice(index + '${IF('.length)) {
      if (')}]'.includes(sign) && depth-- === 0) break;
      if ('({['.includes(sign)) depth++;
      if (depth === 0 && sign === (parts.length === 1 ? '?' : ':')) parts.push('');
      else parts.push(`${parts.pop() ?? ''}${sign}`);
    }
    const [condition = '', ...sides] = parts;
    return { condition, sides };
  });
}

void t.test(
  'no IF() of the dialplan is without sides or without a condition when values are empty',
  async (t) => {
    const names = await readdir(templates, { recursive: true });
    let seen = 0;
    for (const name of names.filter((one) => /^(star64-.*|team\/.*)\.(conf|hbs)$/.test(one))) {
      const lines = (await readFile(new URL(name, templates), 'utf8')).split('\n');
      for (const [at, line] of lines.entries()) {
        if (line.startsWith(';')) continue;
        for (const { condition, sides } of conditionals(line)) {
          seen++;
          const where = `${name}:${at + 1} IF(${condition}?${sides.join(':')})`;
          t.ok(
            sides.length > 1 || /^[^$]/.test(sides[0] ?? ''),
            `${where}: a colon, where the one side may be empty`,
          );
          // A regular expression with a group gives what is in the group, and nothing where it does not match.
          t.notMatch(condition, /=~ "[^"]*\(/, `${where}: no group`);
        }
      }
    }
    t.ok(seen > 50, 'they were found');
  },
);
