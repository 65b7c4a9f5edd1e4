import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { directCallsMark, directCallsMarks, memberOf, queueOf, type PhoneName } from './names.js';
import type { Wanted } from './wanted.js';

const presence = 'CustomPresence';

/** What the dialplan is told of who is signed in at a phone. */
export type DirectCalls = Pick<Wanted, 'directCalls' | 'currentGroup'>;

/**
 * What a mark says: the wrap-up mode, the queue member, and the queue of the current group, to which calls belong that no queue
 * gives (star64-own-group). It is written as a presence behind its state, and never deleted: see readMarks.
 */
export const markOf = (phone: PhoneName, { directCalls, currentGroup }: DirectCalls): string =>
  `${directCalls ?? 'none'},${memberOf(phone)}${currentGroup === null ? '' : `|${queueOf(phone.team, currentGroup)}`}`;

/** Tells the dialplan, where it does not know it, of which group such calls are, and what they do. @throws AmiError. */
export async function markDirectCalls(
  manager: ManagerActions,
  phone: PhoneName,
  wanted: DirectCalls,
): Promise<void> {
  const value = `not_set,${markOf(phone, wanted)}`;
  if ((await read(manager, phone)) === value) return;
  await manager.action('Setvar', {
    Variable: `PRESENCE_STATE(${presence}:${directCallsMark(phone)})`,
    Value: value,
  });
}

/**
 * What all marks say by their phones' words. Asterisk lists a presence that was deleted
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
        ? [[presentity.slice(ours.length), `${headers.get('subtype') ?? ''},${headers.get('message') ?? ''}`]]
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
