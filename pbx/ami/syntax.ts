import { AmiError } from './errors.js';

/** An array becomes a repeated header, an object (for `Variable` only) one `NAME=value` each, undefined nothing. */
export type AmiHeaderValue =
  | string
  | number
  | boolean
  | undefined
  | readonly (string | number)[]
  | Readonly<Record<string, string | number>>;

/** Header names as Asterisk documents them, in any case; `Action` and `ActionID` are not the caller's to give. */
export type AmiHeaders = Readonly<Record<string, AmiHeaderValue>>;

/** The longest line, in bytes without its CRLF, that Asterisk reads; one byte more and the rest becomes a line. */
export const LINE_LIMIT = 1022;

/** Headers that Asterisk takes in one action, `Action` and `ActionID` included. */
export const HEADER_LIMIT = 128;

const ACTION = /^[A-Za-z]{1,64}$/;
const KEY = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const OURS = new Set(['action', 'actionid']);
/** Variables, and the functions that a channel which is to be made is given by Originate: headers of its INVITE, its group. */
const VARIABLE =
  /^(?:[A-Za-z_][A-Za-z0-9_]{0,79}|GROUP\(star64\)|PJSIP_HEADER\(add,(?:Call-Info|Alert-Info)\))$/;
/** Names that Setvar and Getvar take: a variable, or a function with plain words for arguments (a contact's has a `;`). */
const EXPRESSION = /^[A-Za-z_][A-Za-z0-9_]*(\([A-Za-z0-9_,/.@:;+-]*\))?$/;
// LF and CR end a header (an empty line the action: what follows runs as the next one), NUL the string; the others are
// control characters that no honest value holds, and line ends for one reader of logs or another.
// eslint-disable-next-line no-control-regex -- refusing control characters is the purpose
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** Half a surrogate pair: it would be sent as another character. */
const BROKEN = /\p{Surrogate}/u;
/** Asterisk splits a `Variable` header at commas and minds quotes and brackets while it does; a backslash protects. */
const VARIABLE_SYNTAX = /[\\",()[\]]/g;

function fail(action: string, what: string): never {
  throw new AmiError('syntax', `${action}: ${what}`);
}

/**
 * Text that may stand in an AMI header.
 * @throws AmiError `syntax`, without quoting the value.
 */
export function checkText(action: string, key: string, value: string): string {
  if (FORBIDDEN.test(value)) fail(action, `the value of ${key} holds a control character`);
  if (BROKEN.test(value)) fail(action, `the value of ${key} is not well-formed text`);
  return value;
}

function text(action: string, key: string, value: unknown): string {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return String(value);
  if (typeof value !== 'string') fail(action, `the value of ${key} is neither text nor a number`);
  return checkText(action, key, value);
}

function variables(action: string, value: AmiHeaderValue): string[] {
  if (action.toLowerCase() === 'setvar' || action.toLowerCase() === 'getvar') {
    if (typeof value !== 'string' || !EXPRESSION.test(value)) {
      fail(action, 'Variable is the name of one variable or function');
    }
    return [value];
  }
  if (typeof value !== 'object' || Array.isArray(value))
    fail(action, 'Variable takes an object of names and values');
  return Object.entries(value).map(([name, entry]) => {
    if (!VARIABLE.test(name)) fail(action, 'a variable name is not letters, digits and _');
    return `${name}=${text(action, `variable ${name}`, entry).replace(VARIABLE_SYNTAX, '\\$&')}`;
  });
}

function texts(action: string, key: string, value: AmiHeaderValue): string[] {
  if (key.toLowerCase() === 'variable') return variables(action, value);
  return Array.isArray(value) ? value.map((entry) => text(action, key, entry)) : [text(action, key, value)];
}

/**
 * The headers of one action, in order, ready to be written as `Key: value` lines. Every action of every session passes
 * here, so that nothing a value holds can become a header or an action of its own.
 *
 * @throws AmiError `syntax` for a control character (CR, LF, NUL, TAB and all others) or broken Unicode in a value, a
 * header name that is not letters, digits, `_` and `-`, a name given twice in different case (Asterisk takes the
 * first), a line of more than 1022 bytes, more than 128 headers, and an Originate without `Async: true`, which would
 * hold every later answer back until somebody picks up.
 */
export function checkedHeaders(
  action: string,
  id: string,
  headers: AmiHeaders,
): [key: string, value: string][] {
  if (!ACTION.test(action)) throw new AmiError('syntax', 'an action name is letters only');
  const lines: [string, string][] = [
    ['Action', action],
    ['ActionID', id],
  ];
  const seen = new Set(OURS);
  for (const [key, value] of Object.entries(headers)) {
    if (!KEY.test(key)) fail(action, 'a header name is not letters, digits, _ and -');
    if (seen.has(key.toLowerCase()))
      fail(action, `header ${key} is given twice, or is not the caller's to give`);
    seen.add(key.toLowerCase());
    if (value === undefined) continue;
    for (const line of texts(action, key, value)) {
      const bytes = Buffer.byteLength(key) + 2 + Buffer.byteLength(line);
      if (bytes > LINE_LIMIT) fail(action, `header ${key} is ${bytes} bytes long, more than ${LINE_LIMIT}`);
      lines.push([key, line]);
    }
  }
  if (lines.length > HEADER_LIMIT) fail(action, `${lines.length} headers, more than ${HEADER_LIMIT}`);
  if (action.toLowerCase() === 'originate') {
    const async = lines.find(([key]) => key.toLowerCase() === 'async');
    if (async?.[1] !== 'true') fail(action, 'needs Async: true');
  }
  return lines;
}
