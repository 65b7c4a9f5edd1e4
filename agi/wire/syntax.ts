import { AgiError } from './errors.js';

/** Longest command line, in bytes without its LF, that Asterisk 20.16, 21.11, 22.6 and later read in one piece. */
export const LINE_LIMIT = 8190;

/** The same for every Asterisk before those: set it as `lineLimit` when such a node is served. */
export const OLD_LINE_LIMIT = 2046;

/** More than 127 arguments overwrite Asterisk's stack (asterisk issue 2069); 100 leaves a margin. */
const MAX_WORDS = 100;

// LF ends the command and what follows would be executed as the next one; NUL makes the channel thread spin. The
// others are control characters that no honest value holds, and line ends for one reader of logs or another.
// eslint-disable-next-line no-control-regex -- refusing control characters is the purpose
const FORBIDDEN = /[\u0000-\u0008\u000a-\u001f\u007f\u0085\u2028\u2029]/;
const BARE = /^[A-Za-z0-9_]+$/;
const SPECIAL = /["\\]/g;

/**
 * One argument as Asterisk's AGI parser (`parse_args`) reads it back unchanged: `"` and `\` are escaped, everything
 * but a plain word is quoted, the empty string is `""`.
 *
 * @throws AgiError `syntax` for a control character (TAB passes), U+0085, U+2028 or U+2029.
 */
export function quote(word: string): string {
  if (BARE.test(word)) return word;
  if (FORBIDDEN.test(word)) throw new AgiError('syntax', 'an AGI argument holds a control character');
  return `"${word.replace(SPECIAL, '\\$&')}"`;
}

/**
 * The line, without LF, for a command given word by word: `['SET', 'VARIABLE', name, value]`. Every command of every
 * session passes here.
 *
 * @throws AgiError `syntax`: see {@link quote}; also for no words, an empty or quoted command name, more than 100
 * words, and a line of more than `limit` bytes (Asterisk would run the rest of it as the next command).
 */
export function commandLine(words: readonly string[], limit: number): string {
  if (words[0] === undefined || !BARE.test(words[0])) {
    throw new AgiError('syntax', 'an AGI command starts with its name');
  }
  if (words.length > MAX_WORDS) {
    throw new AgiError('syntax', `${words[0]}: ${words.length} words, more than ${MAX_WORDS}`);
  }
  let line = words[0];
  for (let i = 1; i < words.length; i++) line += ' ' + quote(words[i] ?? '');
  // A UTF-16 unit is at most 3 bytes of UTF-8: short lines need no counting.
  if (line.length * 3 > limit) {
    const bytes = Buffer.byteLength(line);
    if (bytes > limit) throw new AgiError('syntax', `${words[0]}: ${bytes} bytes, more than ${limit}`);
  }
  return line;
}
