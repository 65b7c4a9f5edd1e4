import { fail } from '../../errors.js';
import type { NounName } from '../../names.js';
import type { Change } from './operations.js';

/**
 * Refuses a trunk and a trunk group at the same time (spec 6), of what has a column for each. One given while the other
 * is taken away in the same change stands instead of it.
 */
export function refuseTwoWaysOut(
  owner: { noun: NounName; name: string; team?: string | null },
  {
    given,
    before,
    refers,
  }: Pick<
    Change<{ trunk?: string | null | undefined; trunkGroup?: string | null | undefined }>,
    'given' | 'before' | 'refers'
  >,
): void {
  const id = (field: 'trunk' | 'trunkGroup', column: string): unknown =>
    refers[field] === undefined ? before?.[column] : refers[field]?.id;
  if (typeof (id('trunk', 'trunk_id') ?? undefined) === 'undefined') return;
  if (typeof (id('trunkGroup', 'trunk_group_id') ?? undefined) === 'undefined') return;
  const { noun, name, team } = owner;
  const wanted = typeof given.trunkGroup === 'string' ? 'trunk group' : 'trunk';
  const other = wanted === 'trunk' ? 'trunk group' : 'trunk';
  const both = typeof given.trunk === 'string' && typeof given.trunkGroup === 'string';
  const chosen = (wanted === 'trunk' ? given.trunk : given.trunkGroup) ?? '';
  throw fail(both ? 'options_exclude' : 'two_ways_out', {
    noun,
    name,
    facts: { trunk: given.trunk, trunkGroup: given.trunkGroup },
    says: both
      ? `calls of ${noun} ${name} go out over a trunk or over a trunk group, not over both`
      : `calls of ${noun} ${name} go out over a ${other} already`,
    remedy: both
      ? { text: 'give --trunk or --trunk-group' }
      : {
          text: 'to have this one instead, {0}',
          steps: [
            {
              noun,
              verb: 'set',
              name,
              options: `--${wanted.replace(' ', '-')} ${chosen} --no-${other.replace(' ', '-')}`,
              ...(team !== undefined && { team }),
            },
          ],
        },
  });
}
