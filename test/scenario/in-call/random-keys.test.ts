import t from 'tap';
import { needLab } from '../../support/centre.js';
import { randomKeys } from '../../support/trials/random-keys.js';

/** In small what test/load/random-keys.load.ts is at full size. */
await needLab(t);
await t.test('8 calls in which everybody keys what they like, while the server is killed', (t) =>
  randomKeys(t, { calls: 8, customers: 4, kills: 1, seed: 7 }),
);
