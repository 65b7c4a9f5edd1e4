import t from 'tap';
import { needLab } from '../support/centre.js';
import { threeRounds } from '../support/load/rounds.js';

await needLab(t);
const size = { patient: 110, hurried: 10, impatient: 30 };
await threeRounds(t, { calm: size, careless: size, pulses: size });
