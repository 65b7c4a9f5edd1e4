import t from 'tap';
import type { Database } from '../../domain/database/pool.js';
import { addDid, listDids, removeDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addTrunk, setTrunk, showTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { numberPlan } from '../../domain/telephone-numbers.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

/** DIDs that people typed before the trunk had a country. */
const count = 1050;
const typed = (index: number): string => `030${1_000_000 + index}`;

const { db } = await freshDatabase(t);
await addUser(db, 'astercc', { username: 'anna' });
await addGroup(db, 'astercc', { name: 'support', number: '6000' });
await addExtension(db, 'astercc', {
  number: '7000',
  user: 'anna',
  kind: 'external',
  telephone: '0401234567',
});
await addTrunk(db, null, { name: 'provider', endpoint: 'provider' });
const to = { to: 'group:support' };
const all = Array.from({ length: count }, (_, index) => typed(index));
while (all.length > 0)
  await Promise.all(all.splice(0, 10).map((number) => addDid(db, 'astercc', { number, ...to })));

const numbers = async (): Promise<string[]> => (await listDids(db, 'astercc')).map(({ number }) => number);
/** Whether all numbers are as they were typed: nothing of a change is there. */
const untouched = async (): Promise<boolean> =>
  (await numbers()).filter((number) => number.startsWith('030')).length >= count &&
  (await showTrunk(db, null, 'provider')).country === null;

/** Another one's commands between two transactions of the one that is tested. */
function meanwhile(work: () => Promise<unknown>): Database {
  let transactions = 0;
  return new Proxy(db, {
    get: (target, name) =>
      name !== 'transaction'
        ? (Reflect.get(target, name) as unknown)
        : async (run: Parameters<Database['transaction']>[0]) => {
            if (++transactions === 2) await work();
            return target.transaction(run);
          },
  });
}

/** Those that are open, and what they did: an entry for each transaction. */
function watchTransactions(): { open: () => boolean; all: string[][]; stop: () => void } {
  const all: string[][] = [];
  let open = false;
  const listener = ({ sql }: { sql: string }): void => {
    if (sql.startsWith('BEGIN')) all.push([]);
    if (sql.startsWith('BEGIN')) open = true;
    else if (/^(COMMIT|ROLLBACK)/.test(sql)) open = false;
    all.at(-1)?.push(sql);
  };
  db.on('query', listener);
  return { open: () => open, all, stop: () => void db.removeListener('query', listener) };
}

await t.test('who has added the number meanwhile is named, and nothing is written', async (t) => {
  const number = `+4930${1_000_000 + count - 1}`;
  const slow = meanwhile(() => addDid(db, 'astercc', { number, ...to }));
  await refused(t, 'conflict', [`DID ${typed(count - 1)} of team astercc`, number, 'one number'], () =>
    setTrunk(slow, null, 'provider', { country: 'DE' }),
  );
  t.ok(await untouched());
  await removeDid(db, 'astercc', number);
});

await t.test('what changes each time is left to be tried again, not waited for', async (t) => {
  let added = 0;
  const busy = new Proxy(db, {
    get: (target, name) =>
      name !== 'transaction'
        ? (Reflect.get(target, name) as unknown)
        : async (run: Parameters<Database['transaction']>[0]) => {
            await addDid(db, 'astercc', { number: `0308${100_000 + added++}`, ...to });
            return target.transaction(run);
          },
  });
  await refused(t, 'conflict', ['trunk provider was not changed', 'Try again'], () =>
    setTrunk(busy, null, 'provider', { country: 'DE' }),
  );
  t.ok(await untouched());
  while (added > 0) await removeDid(db, 'astercc', `0308${100_000 + --added}`);
});

await t.test('numbers are reckoned with no transaction open, and written a few at a time', async (t) => {
  const plan = await numberPlan('DE');
  const canonical = plan.canonical.bind(plan);
  const watched = watchTransactions();
  let [reckoned, inside] = [0, 0];
  plan.canonical = (number) => {
    reckoned++;
    if (watched.open()) inside++;
    return canonical(number);
  };
  t.teardown(() => (plan.canonical = canonical));
  const slow = meanwhile(async () => {
    await removeDid(db, 'astercc', typed(0));
    await addDid(db, 'astercc', { number: '0307000000', ...to });
    await setExtension(db, 'astercc', '7000', { telephone: '0407654321' });
  });
  await setTrunk(slow, null, 'provider', { country: 'DE' });
  watched.stop();
  plan.canonical = canonical;
  t.ok(reckoned > count);
  t.equal(inside, 0, 'nobody waits for it');
  const writing = watched.all.filter((statements) => statements.some((sql) => /update dids/.test(sql)));
  t.equal(writing.length, 1, 'all in one transaction');
  t.equal(writing[0]?.filter((sql) => /update dids/.test(sql)).length, 2, 'a thousand at a time');

  const now = await numbers();
  t.equal(now.length, count);
  t.ok(
    now.every((number) => number.startsWith('+49')),
    'those that were added meanwhile as well',
  );
  t.ok(now.includes('+49307000000'));
  const keys = await db('extensions').where({ number: '7000' }).pluck<string[]>('telephone_key');
  t.same(keys, ['49407654321'], 'and the one that was changed');
});
