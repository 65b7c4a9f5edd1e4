import type { CallCount } from '../limits/limits.js';
import type { Refusal } from './outbound.js';
import type { TrunkStep } from './ways-out.js';

/** A trunk that is tried, as the dialplan reads it. */
export interface AnswerStep {
  readonly endpoint: string;
  readonly sent: string;
  /** 0: any number. */
  readonly channels: number;
  readonly replySeconds: number;
  readonly nextOn: readonly string[];
}

/** Trunks that are tried, as the dialplan is told them. */
export const answerSteps = (steps: readonly TrunkStep[]): AnswerStep[] =>
  steps.map(({ trunk: { endpoint, channels, replySeconds, nextOn }, sent }) => ({
    endpoint,
    sent,
    channels: channels ?? 0,
    replySeconds,
    nextOn,
  }));

/** The answer to the question `outbound`. */
export type OutboundAnswer =
  | {
      readonly go: true;
      readonly number: string;
      readonly callerId: string | null;
      readonly hide: boolean;
      readonly record: boolean;
      /** Over whatever may work, and no limit counts. */
      readonly emergency: boolean;
      readonly steps: readonly AnswerStep[];
      readonly counts: readonly CallCount[];
      /** The queue member who talks, and the wrap-up mode of their current group. */
      readonly talks: { readonly member: string; readonly wrapUp: string } | null;
    }
  | { readonly go: false; readonly refused: Refusal; readonly sounds: readonly string[] };

/** What an answer may hold: nothing that means anything to the dialplan or to AGI but the separators. */
const alphabet = /^[A-Za-z0-9+*#_.:&=!|/-]*$/;

/** What one value of a field may hold; the separators are the writer's. */
const word = /^[A-Za-z0-9+*#_./-]*$/;

function checked(value: string | number): string {
  const text = String(value);
  if (!word.test(text)) throw new Error(`${JSON.stringify(text)} cannot be in an answer to the dialplan`);
  return text;
}

/** Trunks in their order, as star64-trunks reads them. @throws for a value that would change how it is read. */
export const writeTrunkSteps = (steps: readonly AnswerStep[]): string =>
  steps
    .map(({ endpoint, sent, channels, replySeconds, nextOn }) =>
      [
        checked(endpoint),
        checked(sent),
        checked(channels),
        checked(replySeconds),
        nextOn.map(checked).join('.'),
      ].join(':'),
    )
    .join('&');

/**
 * Asterisk before 20.16, 21.11 and 22.6 cuts a line of AGI at 2,046 bytes, SET VARIABLE and its name included: such an answer
 * would be none. It may be longer where each of ten trunks lists many SIP answers, and in an emergency, for which it has
 * every trunk that a team may use.
 */
const longest = 1950;

/**
 * An answer as star64-out.conf reads it. Of more trunks than a line holds the last ones are left out.
 * @throws for a value that would change how it is read.
 */
export function writeOutbound(answer: OutboundAnswer): string {
  if (!answer.go) return writtenWhole(answer);
  let room = longest - writtenWhole({ ...answer, steps: [] }).length;
  const steps: AnswerStep[] = [];
  for (const step of answer.steps) {
    room -= writeTrunkSteps([step]).length + 1;
    if (room < 0 && steps.length > 0) break;
    steps.push(step);
  }
  return writtenWhole({ ...answer, steps });
}

function writtenWhole(answer: OutboundAnswer): string {
  const fields = answer.go
    ? [
        'go',
        checked(answer.number),
        checked(answer.callerId ?? ''),
        (answer.hide ? 'h' : '') + (answer.record ? 'r' : '') + (answer.emergency ? 'e' : ''),
        writeTrunkSteps(answer.steps),
        answer.counts.map(({ name, most }) => `${checked(name)}=${checked(most)}`).join('&'),
        answer.talks === null ? '' : `${checked(answer.talks.member)}:${checked(answer.talks.wrapUp)}`,
      ]
    : ['refused', checked(answer.refused), answer.sounds.map(checked).join('&')];
  const written = fields.join('|');
  if (!alphabet.test(written)) throw new Error(`${written} is no answer to the dialplan`);
  return written;
}

/** Reads what `writeOutbound` has written, for tests. */
export function readOutbound(written: string): OutboundAnswer {
  const [verdict, second = '', third = '', options = '', steps = '', counts = '', talks = ''] =
    written.split('|');
  if (verdict === 'refused')
    return { go: false, refused: second as Refusal, sounds: third === '' ? [] : third.split('&') };
  if (verdict !== 'go') throw new Error(`${JSON.stringify(written)} is no answer`);
  const [member = '', wrapUp = ''] = talks.split(':');
  return {
    go: true,
    number: second,
    callerId: third === '' ? null : third,
    hide: options.includes('h'),
    record: options.includes('r'),
    emergency: options.includes('e'),
    steps: parts(steps).map((step) => {
      const [endpoint = '', sent = '', channels = '', replySeconds = '', nextOn = ''] = step.split(':');
      return {
        endpoint,
        sent,
        channels: Number(channels),
        replySeconds: Number(replySeconds),
        nextOn: nextOn === '' ? [] : nextOn.split('.'),
      };
    }),
    counts: parts(counts).map((count) => {
      const [name = '', most = ''] = count.split('=');
      return { name, most: Number(most) };
    }),
    talks: talks === '' ? null : { member, wrapUp },
  };
}

const parts = (field: string): string[] => (field === '' ? [] : field.split('&'));
