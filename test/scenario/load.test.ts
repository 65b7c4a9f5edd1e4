import t from 'tap';
import { needLab } from '../support/centre.js';
import { threeRounds } from '../support/load/rounds.js';

/** In small what test/load/offers.load.ts is at full size. */
await needLab(t);
await threeRounds(t, {
  calm: { patient: 60, hurried: 5, impatient: 15 },
  careless: { patient: 30, hurried: 5, impatient: 0 },
  pulses: { patient: 35, hurried: 5, impatient: 0 },
});
