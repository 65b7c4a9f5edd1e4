import t from 'tap';
import { needLab } from '../../support/centre.js';
import { limitsAfterSendingOn } from '../../support/trials/sent-on.js';

await needLab(t);
await t.test('calls that were sent on, and 20 at one moment', (t) =>
  limitsAfterSendingOn(t, { sentOn: 2, more: 3, starts: 20 }),
);
