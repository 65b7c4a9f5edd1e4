import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { directCallsMark, directCallsMarks, memberOf, type PhoneName } from './names.js';
import type { Wanted } from './wanted.js';

const presence = 'CustomPresence';

/** The mark of a phone as a presence is written: state, wrap-up mode, queue member. It is never deleted: see readMarks. */
const markOf = (phone: PhoneName, mode: Wanted['directCalls']): string =>
  `not_set,${mode ?? 'none'},${memberOf(phone)}`;

/** What a mark says; one that is not there says the same as `none`. */
const modeIn = (subtype = ''): string => (subtype === '' ? 'none' : subtype);

/** Tells the dialplan, where it does not know it, what calls that no queue gives do at a phone. @throws AmiError. */
export async function markDirectCalls(
  manager: ManagerActions,
  phone: PhoneName,
  mode: Wanted['directCalls'],
): Promise<void> {
  if (modeIn((await read(manager, phone)).split(',')[1]) === (mode ?? 'none')) return;
  await manager.action('Setvar', {
    Variable: `PRESENCE_STATE(${presence}:${directCallsMark(phone)})`,
    Value: markOf(phone, mode),
  });
}

/**
 * The modes of all marks by their phones' words; a phone without one has `none`. Asterisk lists a presence that was deleted
 * until it starts anew, so none is. Undefined: this Asterisk has no list of them (res_manager_presencestate is not loaded).
 * @throws AmiError.
 */
export async function readMarks(manager: ManagerActions): Promise<Map<string, string> | undefined> {
  let all;
  try {
    all = await manager.list('PresenceStateList', {}, { deadlineMs: 30_000 });
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected') return undefined;
    throw error;
  }
  const ours = `${presence}:${directCallsMarks}`;
  return new Map(
    all.flatMap(({ headers }) => {
      const presentity = headers.get('presentity') ?? '';
      return presentity.startsWith(ours)
        ? [[presentity.slice(ours.length), modeIn(headers.get('subtype'))]]
        : [];
    }),
  );
}

async function read(manager: ManagerActions, phone: PhoneName): Promise<string> {
  try {
    const [entry] = await manager.list('DBGet', { Family: presence, Key: directCallsMark(phone) });
    return entry?.headers.get('val') ?? '';
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected' && /not found/i.test(error.message)) return '';
    throw error;
  }
}
