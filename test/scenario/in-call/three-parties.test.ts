import t from 'tap';
import { needLab } from '../../support/centre.js';
import { threeParties } from '../../support/trials/three-parties.js';

/** One order of each kind; test/load/three-parties.load.ts has them all. */
await needLab(t);
await threeParties(t, [
  [
    { kind: 'queue', phase: 'rings', first: 'A', second: 'B' },
    { kind: 'queue', phase: 'asked', first: 'C', second: 'A' },
  ],
  [
    { kind: 'queue', phase: 'three', first: 'A', second: 'B' },
    { kind: 'queue', phase: 'rings', first: 'C', second: 'A' },
  ],
  [
    { kind: 'queue', phase: 'three', first: 'A', second: 'B' },
    { kind: 'direct', phase: 'three', first: 'C', second: 'A' },
  ],
  [
    { kind: 'outbound', phase: 'asked', first: 'A', second: 'B' },
    { kind: 'queue', phase: 'given', first: 'A', second: 'C' },
  ],
]);
