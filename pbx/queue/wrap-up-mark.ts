import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { wrapUpMark, type PhoneName } from './names.js';

/**
 * The offer after which the hangup handler has paused a phone: by it a wrap-up that the database has not heard of yet is
 * told from the one that is over. Undefined: the phone has no mark, or one that a server asked for, without an offer.
 * @throws AmiError.
 */
export async function readMarkedOffer(
  manager: ManagerActions,
  phone: PhoneName,
): Promise<string | undefined> {
  const { family, key } = wrapUpMark(phone);
  try {
    // Asterisk lets no manager read DB(), unless live_dangerously is set; this action is of the class `reporting`.
    const [entry] = await manager.list('DBGet', { Family: family, Key: key });
    return entry?.headers.get('val')?.split('|')[1];
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected' && /not found/i.test(error.message))
      return undefined;
    throw error;
  }
}
