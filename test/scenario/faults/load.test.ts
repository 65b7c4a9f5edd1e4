import t from 'tap';
import { needLab } from '../../support/centre.js';
import { threeRounds } from '../../support/load/rounds.js';

/** In small what test/load/offers.load.ts is at full size. */
await needLab(t);
await threeRounds(t, {
  calm: { patient: 24, hurried: 3, impatient: 6 },
  careless: { patient: 12, hurried: 2, impatient: 0 },
  pulses: { patient: 12, hurried: 2, impatient: 0 },
});
