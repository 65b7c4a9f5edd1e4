/** Names by which Asterisk knows what the database knows by team and number. */
import { deviceOf, memberOf, type PhoneName } from '../../domain/presence/phone.js';

export { deviceOf, memberOf, type PhoneName };

/** The queue of an agent group: `astercc-support`. */
export const queueOf = (team: string, group: string): string => `${team}-${group}`;

/**
 * The phone behind a queue member or device whose name is ours; undefined for another, which may still be an endpoint of
 * the operator's that is an extension: see `phonesAt`.
 */
export function phoneOf(device: string): PhoneName | undefined {
  const sip = /^PJSIP\/([a-z][a-z0-9]{1,19})-([0-9]{2,10})$/.exec(device);
  if (sip) return { team: sip[1] ?? '', extension: sip[2] ?? '', extensionKind: 'sip', endpoint: null };
  const telephone = /^Local\/([0-9]{2,10})@([a-z][a-z0-9]{1,19})-telephones(?:\/n)?$/.exec(device);
  if (telephone)
    return {
      team: telephone[2] ?? '',
      extension: telephone[1] ?? '',
      extensionKind: 'external',
      endpoint: null,
    };
  return undefined;
}

/** The reason of every pause for a wrap-up: one word, by which other tools that read queue_log may count it. */
export const wrapUpReason = 'wrapup';

/**
 * The reason of a break's pause: a digit, since what people call their reasons is text of theirs. Without a digit it is
 * the server's, for calls that were missed.
 */
export const pauseReason = (digit: string | null): string => (digit === null ? 'missed' : `pause:${digit}`);

/** The word for a phone in the dialplan's own names, as that of its mark: `astercc-5000`, `7000@astercc-telephones`. */
export const wordFor = (phone: PhoneName): string => deviceOf(phone).split('/')[1] ?? '';

/** The device that shows others what the agent at a phone does. */
export const lampOf = (phone: PhoneName): string => `Custom:star64-${wordFor(phone)}`;

/**
 * Where in astdb star64-offer-end marks a phone in wrap-up, by which Asterisk ends the wrap-up alone when no server is
 * left: `PJSIP/astercc-5000|<offer>`, the queue member and the offer that the wrap-up follows.
 */
export const wrapUpMark = (phone: PhoneName): { family: string; key: string } => ({
  family: 'star64-wrapup',
  key: wordFor(phone),
});

/**
 * The mark of a wrap-up that has come to the phone with its agent: as the presence `CustomPresence:<this>`, which stands
 * in astdb, since that is where a manager may write (see claim.ts).
 */
export const carriedWrapUp = (phone: PhoneName): string => `star64-wrapup/${wordFor(phone)}`;

/**
 * What calls that no queue gives do to who is signed in at a phone, as the presence `CustomPresence:<this>`: by it the
 * dialplan knows it with no question (star64-own-call.conf). A presence with a slash in its name would never be in Asterisk's list of them.
 */
export const directCallsMark = (phone: PhoneName): string => `${directCallsMarks}${wordFor(phone)}`;
export const directCallsMarks = 'star64-direct-';

/** Until when (Asterisk's epoch) a server has promised to end wrap-ups. */
export const leaseVariable = 'STAR64_LEASE';

/** A device of nobody's phone, whose state the server sets to see the news of it come (EventRoundTrip). */
export const eventsDevice = 'Custom:star64-events';
