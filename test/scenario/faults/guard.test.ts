import t from 'tap';
import { guardedFromFaults } from '../../support/trials/guard.js';

/** In small what test/load/guard.load.ts has in full. */
await guardedFromFaults(t, { slow: false });
