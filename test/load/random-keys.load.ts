import t from 'tap';
import { needLab } from '../support/centre.js';
import { randomKeys } from '../support/trials/random-keys.js';

await needLab(t);
await t.test('200 calls in which everybody keys what they like, while servers are killed', (t) =>
  randomKeys(t, { calls: 200, customers: 8, kills: 6 }),
);
