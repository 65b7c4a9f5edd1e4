import t from 'tap';
import { needLab } from '../../support/centre.js';
import { killedProvider } from '../../support/trials/killed-provider.js';

await needLab(t);
await t.test('16 calls, and the provider of half of them dies', (t) => killedProvider(t, { each: 2 }));
