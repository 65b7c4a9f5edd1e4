import t from 'tap';
import { guardedFromFaults } from '../support/guard.js';

await guardedFromFaults(t, { slow: true });
