import type { ManagerActions } from '../ami/manager.js';
import { isInDialplan } from '../loaded-dialplan.js';
import { directCallsMarks } from './names.js';

/** As a version before named what markDirectCalls writes: with a slash, by which Asterisk lists no presence. */
export const earlierMarks = 'CustomPresence/star64-direct';

/**
 * Whether an earlier version has left marks, and whether anything still knows agents by them: the files of that version do, as
 * long as Asterisk has them loaded. @throws AmiError.
 */
export async function leftMarks(manager: ManagerActions): Promise<'none' | 'in use' | 'useless'> {
  const { headers } = await manager.action('Getvar', { Variable: `DB_KEYS(${earlierMarks})` });
  if ((headers.get('value') ?? '') === '') return 'none';
  const ours = `CustomPresence/${directCallsMarks}`;
  return (await isInDialplan(manager, 'star64-called', ours)) ? 'useless' : 'in use';
}

/** Deletes all that is below a family of astdb, and returns what it was. @throws AmiError. */
export async function removeMarks(manager: ManagerActions, family: string): Promise<string[]> {
  const removed = new Set<string>();
  for (;;) {
    const { headers } = await manager.action('Getvar', { Variable: `DB_KEYS(${family})` });
    // The list ends at 4,096 characters: its last name may be half of one, and is the first of a later list.
    const keys = (headers.get('value') ?? '').split(',').filter((key) => key !== '');
    const whole = keys.length > 1 ? keys.slice(0, -1) : keys;
    // Of what is still there although it was deleted, astdb deletes nothing: its disk may be full.
    if (whole.every((key) => removed.has(key))) return [...removed].sort();
    for (const key of whole) {
      await manager.action('Setvar', { Variable: `DB_DELETE(${family}/${key})`, Value: '' });
      removed.add(key);
    }
  }
}
