import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { LogFile } from '../../lab/log.js';

await t.test('however many read a log at once, each line is there once', async (t) => {
  const log = new LogFile(join(t.testdir(), 'log'));
  await appendFile(log.path, 'one\ntwo\n');
  await Promise.all([log.lines(), log.lines(), log.mark()]);
  await appendFile(log.path, 'three\nhal');
  await Promise.all([log.waitFor(/three/), log.lines()]);
  await appendFile(log.path, 'f\n');
  t.same(await log.lines(), ['one', 'two', 'three', 'half']);
});
