import t from 'tap';
import { guardedFromFaults } from '../support/trials/guard.js';

await guardedFromFaults(t, { slow: true });
