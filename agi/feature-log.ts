import type { Logger } from 'pino';
import type { Facts, Outcome } from './prompts.js';

/** A feature code as it came. */
interface Asked {
  /** `sign-in` */
  script: string;
  team: string;
  /** The extension; the endpoint where there is none. */
  phone: string;
  /** Never a PIN: those are keyed, not dialled. */
  digits: string;
}

/** What changed something, in words. */
const done: Partial<Record<Outcome, string>> = {
  'signed-in': 'signed in',
  moved: 'signed in, moved from another phone',
  'signed-out': 'signed out',
  paused: 'paused',
  'paused-for': 'paused',
  ready: 'ready',
  'mode-all': 'work mode all',
  'mode-inbound': 'work mode inbound',
  'mode-outbound': 'work mode outbound',
  'group-set': 'current group set',
  'hours-day': 'hours switched to day',
  'hours-night': 'hours switched to night',
  'hours-automatic': 'hours switched to automatic',
  'supervise-go': 'listens to a call',
  'control-signed-out': 'signed an agent out',
  'control-ready': 'made an agent ready',
  'control-resumed': 'ended the wrap-up of an agent',
};

/** What only asks for more, or tells where somebody stands. */
const isQuestion = (outcome: Outcome): boolean =>
  /^(standing-|queue-waiting$|queue-empty$|.*-wanted$)/.test(outcome);

/** Writes what became of a feature code: what changed something, and what was refused, for whoever is asked why. */
export function noteFeature(log: Logger, asked: Asked, outcome: Outcome, facts: Facts): void {
  const { script, team, phone, digits } = asked;
  const isSignIn = script.startsWith('sign-in');
  const own = isSignIn && digits !== '' ? digits : undefined;
  const word = done[outcome];
  if (word !== undefined) {
    log.info({ team, phone, agent: own ?? facts['agent'], hours: facts['hours'], ...reasonOf(facts) }, word);
  } else if (isQuestion(outcome)) {
    log.debug({ team, phone, script, outcome }, 'asked at a phone');
  } else {
    const holder = facts['agent'] === undefined ? {} : { holder: facts['agent'] };
    log.info(
      { team, phone, agent: own, reason: outcome, ...holder },
      `${isSignIn ? 'sign-in' : script} refused`,
    );
  }
}

const reasonOf = ({ reason }: Facts): object => (reason === undefined ? {} : { reason });
