import t from 'tap';
import { keysByKind } from '../../support/trials/keys-by-kind.js';
import { onward } from '../../support/trials/keys-rows.js';

/** Outbound, direct and by a telephone: the agent has left. Of a queue: consult-keys.test.ts. */
await keysByKind(t, onward);
