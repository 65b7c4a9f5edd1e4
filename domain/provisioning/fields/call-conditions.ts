import { checkPattern } from '../../number-pattern.js';
import { name, reference, whole } from './description.js';

/** The conditions of a rule about calls; all that are given must hold. `of`: what it is one of. */
export const callConditions = (of: string) => ({
  priority: whole(
    { from: 0, to: 1000 },
    {
      help: `of several ${of} whose conditions hold the largest decides; of the same priority the first by name`,
      unless: '0',
    },
  ),
  did: name('did', {
    placeholder: 'numbers',
    help: "only calls for these numbers: one, a range, or '+49306002*'",
    none: 'for every DID of the team',
  }),
  caller: name('caller', {
    option: 'from',
    placeholder: 'numbers',
    help: "only calls from these numbers: one, a range, '+49171*', or anonymous for none that can be read",
    none: 'from anybody',
  }),
  trunk: reference(
    { to: 'trunk', orSystem: true, freedBy: '--no-trunk' },
    { placeholder: 'name', help: 'only calls over this trunk', none: 'over any trunk' },
  ),
});

/** Refuses ranges that are none. They are kept as they were typed, and read in the country of the team. */
export function checkConditions({ given }: { given: { did?: unknown; caller?: unknown } }): void {
  for (const [what, typed] of [
    ['DID', given.did],
    ['caller number', given.caller],
  ] as const) {
    if (typeof typed === 'string' && typed !== 'anonymous') checkPattern(what, typed, Infinity);
  }
}
