import t from 'tap';
import { needLab } from '../support/centre.js';
import { limitsAfterSendingOn } from '../support/trials/sent-on.js';

/** In full what test/scenario/in-call/sent-on.test.ts is in small. */
await needLab(t);
await t.test('calls that were sent on, and 100 at one moment', (t) =>
  limitsAfterSendingOn(t, { sentOn: 10, more: 10, starts: 100 }),
);
