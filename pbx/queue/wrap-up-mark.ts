import { callKinds, type CallKind } from '../../domain/presence/agent-state.js';
import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { carriedWrapUp, memberOf, wrapUpMark, type PhoneName } from './names.js';

/** What a hangup handler has marked a phone with; undefined: nothing. */
async function readMark(manager: ManagerActions, phone: PhoneName): Promise<string | undefined> {
  const { family, key } = wrapUpMark(phone);
  try {
    // Asterisk lets no manager read DB(), unless live_dangerously is set; this action is of the class `reporting`.
    const [entry] = await manager.list('DBGet', { Family: family, Key: key });
    return entry?.headers.get('val');
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected' && /not found/i.test(error.message))
      return undefined;
    throw error;
  }
}

/**
 * The offer after which the hangup handler has paused a phone, and what kind of call it was if no queue gave it: by it a
 * wrap-up that the database has not heard of yet is told from the one that is over. Undefined: the phone has no mark, or
 * that of a wrap-up which has come from another one. @throws AmiError.
 */
export async function readMarkedOffer(
  manager: ManagerActions,
  phone: PhoneName,
): Promise<{ offerId: string; kind: CallKind | undefined } | undefined> {
  const [, offerId, kind] = (await readMark(manager, phone))?.split('|') ?? [];
  if (offerId === undefined) return undefined;
  return { offerId, kind: callKinds.find((one) => one === kind) };
}

/**
 * Marks a phone whose agent is in wrap-up, if no hangup handler has: by the mark Asterisk ends the wrap-up alone when no
 * server is left. @throws AmiError.
 */
export async function markWrapUp(manager: ManagerActions, phone: PhoneName): Promise<void> {
  if ((await readMark(manager, phone)) !== undefined) return;
  await manager.action('Setvar', {
    Variable: `PRESENCE_STATE(CustomPresence:${carriedWrapUp(phone)})`,
    Value: `not_set,wrapup,${memberOf(phone)}`,
  });
}

/** Takes the mark of a phone away, whoever has set it. @throws AmiError. */
export async function unmarkWrapUp(manager: ManagerActions, phone: PhoneName): Promise<void> {
  const { family, key } = wrapUpMark(phone);
  for (const entry of [`${family}/${key}`, `CustomPresence/${carriedWrapUp(phone)}`])
    await manager.action('Setvar', { Variable: `DB_DELETE(${entry})`, Value: '' });
}
