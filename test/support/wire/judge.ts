import type { Packet } from './pcap.js';
import { parseSip, type SipMessage } from './sip.js';

/** What the judge must know beside what was on the wire. */
export interface Case {
  /** `address:port` of each phone to its name. */
  phones: ReadonlyMap<string, string>;
  /** Conversations, as queue_log has them: `<phone> <number of the caller>`. */
  joined: ReadonlySet<string>;
  /** How long no call may come after a conversation, in seconds. */
  restSeconds: number;
  /** Times in which a phone's agent was paused, in seconds since 1970. */
  pauses?: readonly { phone: string; from: number; to: number }[];
  /**
   * The offers of queues, in their order, each a moment before its INVITE: a rest is only for those, where phones are called by
   * others, too. Default: every call is one.
   */
  offers?: readonly { phone: string; at: number }[];
  /** Times in which no server was there, in seconds since 1970: Asterisk ends wrap-ups then. */
  alone?: readonly { from: number; to: number }[];
}

/** Each list says what was wrong, in words; empty ones are what is promised. */
export interface Verdict {
  /** How many calls were sent to phones. */
  invites: number;
  /** A call that was sent to a phone that had another one. */
  breaches: string[];
  /** A call that came too soon after a conversation. */
  shortRests: string[];
  /** A call to somebody who was paused. */
  inPause: string[];
  /**
   * A call that was sent while the one before, which Asterisk had given up, could not be cancelled yet: the phone had
   * not said anything. It is cancelled as soon as it does. No breach, but worth a number.
   */
  withdrawn: string[];
  /** The shortest time from a conversation to the next call at the same phone, in seconds. */
  shortestRest: number;
}

interface Dialog {
  phone: string;
  caller: string;
  callId: string;
  /** Sent to the phone; otherwise the phone dialled. */
  toPhone: boolean;
  begun: number;
  /** The phone's first reply of any kind. */
  spokeAt?: number;
  rings: boolean;
  /** Picked up; of what the phone dialled: Asterisk answered. */
  upAt?: number;
  /** Asterisk has taken the other side from the phone, which asked for it (REFER) and hangs up when it is told so. */
  sentOnAt?: number;
  /** Over by a final reply, a BYE of either side, or a CANCEL. */
  overAt?: number;
  /** The calls that were sent while this one was alive. */
  overlapping: { at: number; callId: string }[];
}

/** From a phone's first word to the CANCEL or BYE of a call that was given up before. */
const withdrawSeconds = 0.15;
/** From a call that was sent on by REFER to the phone's BYE: Asterisk has let go of it, and a phone on a busy machine is late. */
const sentOnSeconds = 5;
/** From the begin of an offer to its INVITE. */
const offerSeconds = 1;
/** How much a clock that is read a moment later may take from a rest. */
const tolerance = 0.02;

/**
 * Judges by every SIP message, with Asterisk's own clock and in the order of its own socket: did a phone get a call while
 * it had another one, or before its rest was over? A call is over for Asterisk when it has sent CANCEL, whatever crosses it
 * on its way, and by a final reply or a BYE. What a phone dials counts from Asterisk's answer on: before it, both may have
 * dialled each other.
 */
export function judge(
  packets: readonly Packet[],
  { phones, joined, restSeconds, pauses = [], offers, alone = [] }: Case,
): Verdict {
  const dialogs = new Map<string, Dialog>();
  const verdict: Verdict = {
    invites: 0,
    breaches: [],
    shortRests: [],
    inPause: [],
    withdrawn: [],
    shortestRest: Infinity,
  };
  for (const { at, from, to, payload } of packets) {
    const phone = phones.get(from ?? to ?? '');
    const message = phone === undefined ? undefined : parseSip(payload.toString('latin1'));
    if (phone === undefined || !message) continue;
    const { method, status, callId } = message;
    const known = dialogs.get(callId);
    if (known) {
      follow(known, message, at);
    } else if (method === 'INVITE' && status === undefined && !message.inDialog) {
      const toPhone = from === undefined;
      const dialog: Dialog = {
        ...{ phone, caller: message.fromUser, callId, toPhone },
        ...{ begun: at, rings: false, overlapping: [] },
      };
      dialogs.set(callId, dialog);
      if (!toPhone) continue;
      verdict.invites++;
      for (const pause of pauses)
        if (pause.phone === phone && at > pause.from && at < pause.to)
          verdict.inPause.push(`${phone} was sent a call at ${at} in the pause from ${pause.from}`);
      for (const other of dialogs.values())
        if (other.phone === phone && other !== dialog) meet(other, dialog);
    }
  }
  for (const dialog of dialogs.values()) conclude(dialog);
  return verdict;

  /** A new call at a phone: what of the one before? */
  function meet(before: Dialog, { phone, begun, callId }: Dialog): void {
    const { overAt } = before;
    if (overAt === undefined) {
      if (before.toPhone || before.upAt !== undefined) before.overlapping.push({ at: begun, callId });
      return;
    }
    if (
      offers?.some((one) => one.phone === phone && one.at <= begun && begun - one.at < offerSeconds) === false
    )
      return;
    if (before.upAt === undefined || !joined.has(`${phone} ${before.caller}`) || !before.toPhone) return;
    // A caller may have come twice to this phone: they talked the last time.
    const later = [...dialogs.values()].some(
      (one) => one.phone === phone && one.caller === before.caller && one.begun > before.begun && one.upAt,
    );
    if (later) return;
    // They went from the wrap-up into a break, and ended that themselves.
    if (pauses.some((pause) => pause.phone === phone && pause.from > overAt && pause.to < begun)) return;
    // Who calls by themselves has ended their wrap-up.
    if (
      offers &&
      [...dialogs.values()].some((one) => one.phone === phone && !one.toPhone && one.begun > overAt)
    )
      return;
    if (alone.some(({ from, to }) => from < begun && to > overAt)) return;
    // Who has sent a call on rests from then, and not from the moment at which their phone learns of it.
    const rest = begun - (letGo(before) ? before.sentOnAt : overAt);
    verdict.shortestRest = Math.min(verdict.shortestRest, rest);
    if (rest < restSeconds - tolerance)
      verdict.shortRests.push(
        `${phone} was sent a call at ${begun.toFixed(3)}, ${rest.toFixed(3)} s after it had talked to ${before.caller}`,
      );
  }

  function conclude(dialog: Dialog): void {
    const { phone, caller, spokeAt, upAt, overAt, rings, overlapping } = dialog;
    for (const { at } of overlapping) {
      const spokeLater = spokeAt !== undefined && spokeAt > at;
      if (spokeLater && overAt !== undefined && overAt - spokeAt < withdrawSeconds) {
        verdict.withdrawn.push(`${phone} was sent a call ${(spokeAt - at).toFixed(3)} s too early`);
        continue;
      }
      if (letGo(dialog) && dialog.sentOnAt < at) continue;
      const was =
        upAt !== undefined && upAt < at
          ? joined.has(`${phone} ${caller}`)
            ? 'talked to'
            : 'had picked up'
          : rings && !spokeLater
            ? 'rang for'
            : 'had been sent';
      verdict.breaches.push(`${phone} was sent a call at ${at.toFixed(3)} while it ${was} ${caller}`);
    }
  }
}

/** Whether a call ended because it was sent on: Asterisk accepts a REFER also when nobody can be reached, and the phone keeps the call then. */
function letGo(dialog: Dialog): dialog is Dialog & { sentOnAt: number } {
  const { sentOnAt, overAt } = dialog;
  return sentOnAt !== undefined && overAt !== undefined && overAt - sentOnAt < sentOnSeconds;
}

/** What a message does to a call. Retransmissions change nothing. */
function follow(dialog: Dialog, { method, status }: SipMessage, at: number): void {
  if (status === undefined) {
    if (method === 'BYE' || (method === 'CANCEL' && dialog.toPhone)) dialog.overAt ??= at;
    return;
  }
  if (method === 'REFER' && status === 202) dialog.sentOnAt = at;
  if (method !== 'INVITE') return;
  if (dialog.toPhone) dialog.spokeAt ??= at;
  if (status === 180 || status === 183) dialog.rings = true;
  if (status >= 200 && status < 300) dialog.upAt ??= at;
  // What a phone dials is asked for a password first: that reply is final and not the end.
  if (status >= 300 && dialog.upAt === undefined && dialog.toPhone) dialog.overAt ??= at;
}
