import type { Phone } from '../../lab/phone.js';

/** How an agent behaves, in milliseconds; each call takes the next value, in turn. */
export interface Habit {
  /** From the first ring to picking up; Infinity lets it ring. */
  answerMs: readonly number[];
  /** From picking up to hanging up, unless the caller does it first. */
  talkMs: readonly number[];
}

const lookEveryMs = 20;

/** Lets somebody answer and end the calls at a phone until `signal` is aborted; resolves with how many were talked. */
export async function atWork(phone: Phone, habit: Habit, signal: AbortSignal): Promise<number> {
  let seen = phone.events.length;
  let rung = 0;
  let talked = 0;
  let answerAt = Infinity;
  let hangUpAt = Infinity;
  const nth = (values: readonly number[], n: number): number => values[n % values.length] ?? 0;
  while (!signal.aborted) {
    for (; seen < phone.events.length; seen++) {
      const type = phone.events[seen]?.type;
      if (type === 'CALL_INCOMING') answerAt = performance.now() + nth(habit.answerMs, rung++);
      else if (type === 'CALL_ESTABLISHED') hangUpAt = performance.now() + nth(habit.talkMs, talked++);
      else if (type === 'CALL_CLOSED') answerAt = hangUpAt = Infinity;
    }
    const now = performance.now();
    if (now >= answerAt) {
      answerAt = Infinity;
      await unlessGone(phone.answer());
    } else if (now >= hangUpAt) {
      hangUpAt = Infinity;
      await unlessGone(phone.hangup());
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  return talked;
}

/** In this very moment the other side may have hung up, or a colleague been faster: then there is nothing to do. */
async function unlessGone(action: Promise<void>): Promise<void> {
  await action.catch((error: unknown) => {
    if (!(error instanceof Error) || !/ refused (accept|hangup) /.test(error.message)) throw error;
  });
}
