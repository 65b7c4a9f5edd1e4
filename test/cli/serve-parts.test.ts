import { pino } from 'pino';
import t from 'tap';
import { Parts, type Part } from '../../cli/serve/parts.js';

/** Parts that note what is done to them; `trouble` replaces what one of them does at its start or end. */
function noted(trouble: Record<string, () => Promise<void> | void> = {}): { parts: Parts; notes: string[] } {
  const notes: string[] = [];
  const part = (name: string): Part => ({
    name,
    start: () => {
      notes.push(`+${name}`);
      return trouble[`+${name}`]?.();
    },
    stop: () => {
      notes.push(`-${name}`);
      return trouble[`-${name}`]?.();
    },
  });
  const write = (line: string): void => {
    const { level, part: name } = JSON.parse(line) as { level: number; part?: string };
    if (level >= 50) notes.push(`!${name ?? ''}`);
  };
  return { notes, parts: new Parts(['db', 'tables', 'agi'].map(part), pino({}, { write })) };
}

await t.test('each is started after those that it relies on, and stopped before them', async (t) => {
  const { parts, notes } = noted();
  await parts.start();
  t.same(notes, ['+db', '+tables', '+agi']);
  await parts.stop();
  await parts.stop();
  t.same(notes.slice(3), ['-agi', '-tables', '-db'], 'once');
});

await t.test(
  'one that cannot be started: those before it are stopped, those after it never begin',
  async (t) => {
    const { parts, notes } = noted({ '+tables': () => Promise.reject(new Error('no such table')) });
    await t.rejects(parts.start(), { message: 'no such table' });
    t.same(notes, ['+db', '+tables', '-tables', '-db']);
  },
);

await t.test('one that cannot be stopped keeps none of the others, and is told', async (t) => {
  const { parts, notes } = noted({ '-tables': () => Promise.reject(new Error('stuck')) });
  await parts.start();
  await parts.stop();
  t.same(notes.slice(3), ['-agi', '-tables', '!tables', '-db']);
});

await t.test('stopped while one is being started: it is told, and no other begins', async (t) => {
  let give = (): void => undefined;
  const { parts, notes } = noted({
    '+tables': () => new Promise((resolve) => (give = resolve)),
    '-tables': () => give(),
  });
  const started = parts.start();
  await Promise.resolve();
  await parts.stop();
  await t.rejects(started, { message: /stopped before it served/ });
  t.same(notes, ['+db', '+tables', '-tables', '-db']);
});
