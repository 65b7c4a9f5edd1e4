import t from 'tap';
import { keysByKind } from '../../support/trials/keys-by-kind.js';
import { back } from '../../support/trials/keys-rows.js';

/** Outbound, direct and by a telephone: whoever is asked does not come, or is gone again. Of a queue: consult-keys.test.ts. */
await keysByKind(t, back);
