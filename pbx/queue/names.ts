/** Names by which Asterisk knows what the database knows by team and number. */
import type { Phone } from '../../domain/presence/phone.js';

/** What of a phone makes its name in Asterisk. */
export type PhoneName = Pick<Phone, 'team' | 'extension' | 'extensionKind'>;

/** The device of an extension, as in the names of its channels: `PJSIP/astercc-5000`, `Local/7000@astercc-telephones`. */
export const deviceOf = ({ team, extension, extensionKind }: PhoneName): string =>
  extensionKind === 'external' ? `Local/${extension}@${team}-telephones` : `PJSIP/${team}-${extension}`;

/** The extension as a queue member. A telephone keeps its two Local channels: its state and wrap-up hang on them. */
export const memberOf = (phone: PhoneName): string =>
  phone.extensionKind === 'external' ? `${deviceOf(phone)}/n` : deviceOf(phone);

/** The queue of an agent group: `astercc-support`. */
export const queueOf = (team: string, group: string): string => `${team}-${group}`;

/** The phone behind a queue member or device; undefined for one that is not ours. */
export function phoneOf(device: string): PhoneName | undefined {
  const sip = /^PJSIP\/([a-z][a-z0-9]{1,19})-([0-9]{2,10})$/.exec(device);
  if (sip) return { team: sip[1] ?? '', extension: sip[2] ?? '', extensionKind: 'sip' };
  const telephone = /^Local\/([0-9]{2,10})@([a-z][a-z0-9]{1,19})-telephones(?:\/n)?$/.exec(device);
  if (telephone)
    return { team: telephone[2] ?? '', extension: telephone[1] ?? '', extensionKind: 'external' };
  return undefined;
}

/** The pause of a wrap-up names the offer that it follows, so that no one ends a newer wrap-up for an older one. */
export const wrapUpReason = (offerId: string): string => `wrapup:${offerId}`;

/** The offer in the reason of a pause, undefined when the pause is not a wrap-up's. */
export function wrapUpOffer(reason: string): string | undefined {
  return /^wrapup:(.+)$/.exec(reason)?.[1];
}

/** The reason of a break's pause: a digit, since what people call their reasons is text of theirs. */
export const pauseReason = (digit: string | null): string => `pause:${digit ?? ''}`;

/** The word for a phone in the dialplan's own names, as that of its mark: `astercc-5000`, `7000@astercc-telephones`. */
export const wordFor = (phone: PhoneName): string => deviceOf(phone).split('/')[1] ?? '';

/** The device that shows others what the agent at a phone does. */
export const lampOf = (phone: PhoneName): string => `Custom:star64-${wordFor(phone)}`;

/**
 * Deletes, when it is written to, the mark of a phone in wrap-up: an entry of astdb that star64-offer-end makes, and by
 * which Asterisk ends the wrap-up alone when no server is left.
 */
export const wrapUpUnmarked = (phone: PhoneName): string => `DB_DELETE(star64-wrapup/${wordFor(phone)})`;

/** Until when (Asterisk's epoch) a server has promised to end wrap-ups. */
export const leaseVariable = 'STAR64_LEASE';
