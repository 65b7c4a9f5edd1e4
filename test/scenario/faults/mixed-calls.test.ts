import t from 'tap';
import { needLab } from '../../support/centre.js';
import { mixedCalls } from '../../support/trials/mixed-calls.js';

await needLab(t);
await t.test('64 calls of eight kinds, counted by three', (t) => mixedCalls(t, 8, 6));
