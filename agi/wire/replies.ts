import { isUtf8 } from 'node:buffer';

/** A successful answer: `200 result=<result>[ <rest>]`. */
export interface Reply {
  /** The word after `result=`: a number, digits that were dialled, or empty. */
  readonly result: string;
  /** Everything after the result, as sent; empty when there is nothing. */
  readonly rest: string;
  /** What stands between the first `(` and the last `)`: a variable's value, `timeout`, `dtmf`. `null` = no parentheses. */
  readonly value: string | null;
  /** Where playing or recording stopped, in samples. `null` when the answer has none. */
  readonly endpos: number | null;
}

/**
 * Text of bytes that were read as Latin-1: UTF-8 where the bytes are valid UTF-8, otherwise Latin-1 letter by letter,
 * so that a name from an old trunk keeps its accents instead of turning into U+FFFD.
 */
export function decode(latin1: string): string {
  if (!/[\u0080-\u00ff]/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1;
}

const STOPPED = /^(?:\(([a-z]+)\) )?endpos=(\d+)/;
const SUCCESS = /^200 result=([^ ]*)(?: ([^]*))?$/;

/**
 * Parses a whole 200 answer (values may hold line feeds, CR or U+2028); `null` when it is not one. An answer that is a
 * variable's value (`takesValue`) may look like anything, also like the end of a recording.
 */
export function parseReply(answer: string, takesValue: boolean): Reply | null {
  const match = SUCCESS.exec(answer);
  if (!match) return null;
  const rest = match[2] ?? '';
  const result = match[1] ?? '';
  const stopped = takesValue ? null : STOPPED.exec(rest);
  if (stopped) return { result, rest, value: stopped[1] ?? null, endpos: Number(stopped[2]) };
  const close = rest.startsWith('(') ? rest.lastIndexOf(')') : -1;
  return { result, rest, value: close > 0 ? rest.slice(1, close) : null, endpos: null };
}

/** Whether this command's answer is a value sent raw, which may therefore go on over several lines. */
export function answersWithValue(words: readonly string[]): boolean {
  const first = words[0]?.toUpperCase();
  const second = words[1]?.toUpperCase();
  if (first === 'GET')
    return second === 'VARIABLE' || (second === 'FULL' && words[2]?.toUpperCase() === 'VARIABLE');
  return first === 'DATABASE' && second === 'GET';
}

/** Whether a value was opened on this line and not closed by its end. */
export function valueIsOpen(answer: string): boolean {
  return /^200 result=[^ ]* \(/.test(answer) && !answer.endsWith(')');
}

/** The last line of a long 520 answer. Asterisk before 13.17 glues it to the end of the usage text. */
export const END_OF_USAGE = '520 End of proper usage.';
