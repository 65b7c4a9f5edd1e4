import type { PhoneEvent } from '../../../lab/baresip.js';
import type { Phone } from '../../../lab/phone.js';

/** How an agent behaves, in milliseconds; each call takes the next value, in turn. */
export interface Habit {
  /** From the first ring to picking up; Infinity lets it ring. */
  answerMs: readonly number[];
  /** From picking up to hanging up, unless the caller does it first. */
  talkMs: readonly number[];
}

/** A call as the phone saw it; moments in milliseconds of this process, at most `lookEveryMs` late. */
export interface SeenCall {
  /** The caller's number in the phone's display. */
  caller: string;
  rangAt: number;
  /** Undefined: it only rang. */
  talkedAt?: number;
  /** The agent hung up; otherwise the other side did. */
  byAgent: boolean;
  /** Undefined while it goes on. */
  closedAt?: number;
}

const lookEveryMs = 20;

/**
 * Lets somebody answer and end the calls at a phone until `signal` is aborted; resolves with what the phone saw,
 * call by call in the order in which they rang.
 */
export async function atWork(phone: Phone, habit: Habit, signal: AbortSignal): Promise<SeenCall[]> {
  let seen = phone.events.length;
  const calls: SeenCall[] = [];
  const open = new Map<string, SeenCall>();
  /** The one that is answered next: a new call may ring before the phone has told of the end of the last. */
  let current: SeenCall | undefined;
  /** The one that is ended next, if nobody else has done it by then. */
  let talking: SeenCall | undefined;
  let talked = 0;
  let answerAt = Infinity;
  let hangUpAt = Infinity;
  const nth = (values: readonly number[], n: number): number => values[n % values.length] ?? 0;

  const look = ({ type, id = '', peeruri = '' }: PhoneEvent, now: number): void => {
    const call = open.get(id);
    if (type === 'CALL_INCOMING') {
      const caller = /^sips?:([^@;]*)/.exec(peeruri)?.[1] ?? peeruri;
      answerAt = now + nth(habit.answerMs, calls.length);
      current = { caller, rangAt: now, byAgent: false };
      open.set(id, current);
      calls.push(current);
    } else if (type === 'CALL_ESTABLISHED' && call) {
      call.talkedAt = now;
      talking = call;
      hangUpAt = now + nth(habit.talkMs, talked++);
    } else if (type === 'CALL_CLOSED' && call) {
      call.closedAt = now;
      open.delete(id);
      if (call === current) answerAt = Infinity;
      if (call === talking) hangUpAt = Infinity;
    }
  };

  while (!signal.aborted) {
    const now = performance.now();
    for (let event = phone.events[seen]; event; event = phone.events[++seen]) look(event, now);
    if (now >= answerAt) {
      answerAt = Infinity;
      await unlessGone(phone.answer());
    } else if (now >= hangUpAt) {
      hangUpAt = Infinity;
      const call = talking;
      if ((await unlessGone(phone.hangup())) && call) call.byAgent = true;
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  return calls;
}

/** False: in this very moment the other side has hung up, or a colleague been faster, and there was nothing to do. */
async function unlessGone(action: Promise<void>): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !/ refused (accept|hangup) /.test(error.message)) throw error;
    return false;
  }
}
