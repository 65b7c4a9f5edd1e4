import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { cacheDirectory, cached, type Recipe } from '../../domain/machine/cache.js';
import { FileLock } from '../../domain/machine/lock.js';
import { until } from '../../domain/machine/processes.js';

const recipe = (count: { made: number }, version = 'one'): Recipe => ({
  name: 'tree',
  recipe: version,
  make: async ({ root }) => {
    count.made++;
    await writeFile(join(root, 'file'), version);
    return { file: version };
  },
});

await t.test('the cache lies where STAR64_CACHE or the XDG variables say', (t) => {
  t.equal(cacheDirectory({ STAR64_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a/star64');
  t.equal(cacheDirectory({ STAR64_CACHE: '', XDG_CACHE_HOME: '/b' }), '/b/star64');
  t.match(cacheDirectory({}), /\/\.cache\/star64$/);
  t.end();
});

await t.test('of several starters at once, one makes the tree and all get it', async (t) => {
  const directory = t.testdir();
  const count = { made: 0 };
  const trees = await Promise.all(Array.from({ length: 5 }, () => cached(recipe(count), { directory })));
  t.equal(count.made, 1);
  t.equal(new Set(trees.map(({ root }) => root)).size, 1);
});

await t.test('a tree with a file missing or cut short is made anew', async (t) => {
  const directory = t.testdir();
  const count = { made: 0 };
  const { root } = await cached(recipe(count), { directory });
  await writeFile(join(root, 'file'), 'o');
  await cached(recipe(count), { directory });
  await rm(join(root, 'file'));
  await cached(recipe(count), { directory });
  t.equal(count.made, 3);
  t.equal(await readFile(join(root, 'file'), 'utf8'), 'one');
});

await t.test(
  'a newer tree replaces an older one; when it cannot be made, the older one is used',
  async (t) => {
    const directory = t.testdir();
    const count = { made: 0 };
    const { root } = await cached(recipe(count), { directory });
    const reasons: string[] = [];
    const broken: Recipe = { ...recipe(count, 'two'), make: () => Promise.reject(new Error('no network')) };
    const old = await cached(broken, { directory, onStale: ({ message }) => reasons.push(message) });
    t.equal(old.manifest.recipe, 'one');
    t.same(reasons, ['no network']);
    await cached(recipe(count, 'two'), { directory });
    t.equal(await readFile(join(root, 'file'), 'utf8'), 'two');
    t.same((await readdir(directory)).sort(), ['tree', 'tree.lock']);
  },
);

await t.test('without any tree, the failure is the caller’s', async (t) => {
  const broken: Recipe = { name: 'x', recipe: '1', make: () => Promise.reject(new Error('no network')) };
  await t.rejects(cached(broken, { directory: t.testdir() }), { message: 'no network' });
});

await t.test('a starter killed in the middle leaves no tree, and its lock dies with it', async (t) => {
  const directory = t.testdir();
  const module = new URL('../../domain/machine/cache.js', import.meta.url).href;
  const script = `import { cached } from ${JSON.stringify(module)};
    import { writeFileSync } from 'node:fs';
    await cached({ name: 'tree', recipe: 'one', make: async ({ root }) => {
      writeFileSync(root + '/half', 'half'); setInterval(() => {}, 1000); await new Promise(() => {});
    } }, { directory: ${JSON.stringify(directory)} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  t.teardown(() => child.kill('SIGKILL'));
  await until('the half-made tree', () =>
    existsSync(join(directory, 'tree.new/root/half')) ? true : undefined,
  );

  const count = { made: 0 };
  let waited = false;
  const second = cached(recipe(count), { directory, onWait: () => (waited = true) });
  await until('the second starter to wait', () => (waited ? true : undefined));
  t.equal(count.made, 0, 'it waits as long as the first one lives');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { root } = await second;
  t.same(await readdir(root), ['file'], 'nothing of the interrupted run is left in the tree');
});

await t.test('a lock is held until it is released, and once only', async (t) => {
  const path = join(t.testdir(), 'lock');
  const order: string[] = [];
  const first = await FileLock.acquire(path);
  const second = FileLock.acquire(path, () => order.push('waits')).then((lock) => {
    order.push('has it');
    return lock;
  });
  await until('the second to wait', () => (order.includes('waits') ? true : undefined));
  order.push('released');
  await first.release();
  await (await second).release();
  t.same(order, ['waits', 'released', 'has it']);
});
