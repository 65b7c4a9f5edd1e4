import { failureOf } from '../domain/database/sql-errors.js';
import { Star64Error } from '../domain/errors.js';
import { notices, prompts, restOf, soundsOf, type Facts, type Outcome } from './prompts.js';
import type { Session } from './wire/session.js';

/**
 * The channel variable that carries every answer. It is also the sentinel: Asterisk reports success for a server
 * that was killed in the middle, so the dialplan believes nothing but this variable, which is set last.
 */
export const answerVariable = 'STAR64_ANSWER';

/** Answers the dialplan with one word or place. Always a script's last command. */
export async function answer(session: Session, value: string): Promise<void> {
  await session.setVariable(answerVariable, value);
}

/** The outcome of a feature code, and the facts that the phone is told with it. */
export type Told = Outcome | { outcome: Outcome; facts: Facts; marked?: boolean };

/** What a phone is told before anything else. */
export type Notice = keyof typeof notices;

/**
 * Answers a feature code with what `decide` found; the phone says it. NOOP comes first, because the question may be old:
 * a server that hung finds it in its socket when the dialplan has long told the agent that nobody answers, and must
 * not do then what they asked for. NOOP fails if the agent is no longer there. With PostgreSQL away the agent hears
 * that, and nothing has changed. `note` is told what they hear.
 */
export async function answerOutcome(
  session: Session,
  decide: (say: (notice: Notice) => void) => Promise<Told>,
  note: (outcome: Outcome, facts: Facts) => void = () => undefined,
): Promise<void> {
  await session.noop();
  let told: Told;
  const first: string[] = [];
  try {
    told = await decide((notice) => first.push(...notices[notice]));
  } catch (error) {
    const away =
      failureOf(error) !== undefined ||
      (error instanceof Star64Error && error.kind === 'database_unreachable');
    if (!away) throw error;
    told = 'unavailable';
  }
  const { outcome, facts, marked = false } = typeof told === 'string' ? { outcome: told, facts: {} } : told;
  note(outcome, facts);
  // `marked` has star64-code see to it that somebody watches the wrap-up of this phone, before the sounds are played.
  const sounds = [...first, ...soundsOf(outcome, facts)].join('&');
  const rest = restOf(outcome, facts).join('&');
  await answer(session, `${marked ? 'marked' : prompts[outcome].next},${sounds}${rest && `,${rest}`}`);
}
