import { AgiError } from './errors.js';

/** Longest command line, in bytes without its LF, that Asterisk 20.16, 21.11, 22.6 and later read in one piece. */
export const LINE_LIMIT = 8190;

/** The same for every Asterisk before those: set it as `lineLimit` when such a node is served. */
export const OLD_LINE_LIMIT = 2046;

// LF ends the command and what follows would be executed as the next one; NUL makes the channel thread spin. The
// others are control characters that no honest value holds, and line ends for one reader of logs or another.
const forbidden = '\\u0000-\\u0008\\u000a-\\u001f\\u007f\\u0085\\u2028\\u2029';
const FORBIDDEN = new RegExp(`[${forbidden}]`);
const BARE = /^[A-Za-z0-9_]+$/;
const SPECIAL = /["\\]/;
const SPECIALS = /["\\]/g;

/**
 * A command's name, and at most 99 words after it, each bare or quoted: more than 127 arguments overwrite Asterisk's
 * stack (asterisk issue 2069), 100 leaves a margin. A quote that nobody escaped does not fit.
 */
const LINE = new RegExp(
  `^[A-Z]+(?: (?:[A-Za-z0-9_]+|"[^"\\\\${forbidden}]*(?:\\\\["\\\\][^"\\\\${forbidden}]*)*")){0,99}$`,
);

/**
 * Text as it stands between two `"` of a command, so that Asterisk's AGI parser (`parse_args`) reads it back unchanged:
 * `"` and `\` are escaped. Control characters have no escape: {@link checkedLine} refuses them.
 */
export function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, '\\$&') : text;
}

/** One argument as it stands in a command: a plain word is left bare, anything else {@link escaped} and quoted. */
export function quoted(word: string): string {
  return BARE.test(word) ? word : `"${escaped(word)}"`;
}

/**
 * Returns `line`, a finished command without its LF, if Asterisk will read exactly one command in it. The last look at
 * every command of every session. It cannot see that a quote inside a value has split the value into several words:
 * that is what {@link escaped} is for.
 *
 * @throws AgiError `syntax` for a control character (TAB passes), U+0085, U+2028 or U+2029; for a line that does not
 * begin with a name in capitals, holds a stray quote or more than 100 words; and for one of more than `limit` bytes
 * (Asterisk would run the rest of it as the next command).
 */
export function checkedLine(line: string, limit: number): string {
  if (!LINE.test(line)) {
    const what = FORBIDDEN.test(line)
      ? 'an argument holds a control character'
      : 'not one well-formed command';
    throw new AgiError('syntax', `${nameOf(line)}: ${what}`);
  }
  // A UTF-16 unit is at most 3 bytes of UTF-8: short lines need no counting.
  if (line.length * 3 > limit) {
    const bytes = Buffer.byteLength(line);
    if (bytes > limit) throw new AgiError('syntax', `${nameOf(line)}: ${bytes} bytes, more than ${limit}`);
  }
  return line;
}

/** The command's name for an error message, which quotes no value: the words in capitals that it begins with. */
export function nameOf(line: string): string {
  return /^[A-Z]+(?: [A-Z]+(?= |$))*/.exec(line)?.[0] ?? 'AGI command';
}
