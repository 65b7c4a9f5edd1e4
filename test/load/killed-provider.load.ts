import t from 'tap';
import { needLab } from '../support/centre.js';
import { killedProvider } from '../support/trials/killed-provider.js';

/** In full what test/scenario/outbound/killed-provider.test.ts is in small: 105 calls at once at the provider that dies, 150 in all. */
await needLab(t);
await t.test('150 calls, and the provider of most of them dies', (t) =>
  killedProvider(t, { each: 17, patient: true }),
);
