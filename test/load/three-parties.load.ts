import t from 'tap';
import { needLab } from '../support/centre.js';
import { threeParties, type ThreeParties } from '../support/trials/three-parties.js';

/** In full what test/scenario/in-call/three-parties.test.ts is in small. */
await needLab(t);

/** Every order in which two of three hang up; of one who has given the call away only two are left. */
const orders = [
  ['A', 'B'],
  ['A', 'C'],
  ['B', 'A'],
  ['B', 'C'],
  ['C', 'A'],
  ['C', 'B'],
] as const;
const queue = (phase: ThreeParties['phase']): ThreeParties[] =>
  orders
    .filter(([first]) => phase !== 'given' || first === 'A')
    .map(([first, second]) => ({ kind: 'queue', phase, first, second }));
/** That C is the first while it rings is the end for all. */
const rows = [...queue('rings').slice(0, 5), ...queue('asked'), ...queue('three')];

await threeParties(t, [
  rows.slice(0, 7),
  rows.slice(7, 14),
  [
    ...rows.slice(14),
    { kind: 'direct', phase: 'asked', first: 'C', second: 'A' },
    { kind: 'direct', phase: 'three', first: 'A', second: 'B' },
    { kind: 'direct', phase: 'given', first: 'A', second: 'C' },
    { kind: 'queue', phase: 'three', first: 'A', second: 'B' },
  ],
  [
    { kind: 'outbound', phase: 'asked', first: 'A', second: 'B' },
    { kind: 'outbound', phase: 'three', first: 'A', second: 'C' },
    { kind: 'outbound', phase: 'three', first: 'C', second: 'B' },
    { kind: 'outbound', phase: 'given', first: 'A', second: 'B' },
    ...queue('given'),
  ],
]);
