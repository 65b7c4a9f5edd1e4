import { LINE_LIMIT } from './syntax.js';

/** Limits of one conversation. Times in milliseconds, sizes in bytes. */
export interface SessionOptions {
  /** Time and size for the whole environment block. */
  readonly environmentTimeoutMs: number;
  readonly environmentBytes: number;
  /** Time for one answer, unless the command brings its own. */
  readonly commandTimeoutMs: number;
  /** The same for GET DATA, which plays a prompt; the time that the caller may take to key digits comes on top. */
  readonly slowCommandTimeoutMs: number;
  /** Size of one answer, with all its lines. */
  readonly replyBytes: number;
  /** After HANGUP the script may finish for this long; then the session ends itself. */
  readonly hangupGraceMs: number;
  /** After our end() Asterisk may take this long to close; then the socket is destroyed. */
  readonly endGraceMs: number;
  /** Longest command line: `LINE_LIMIT`, or `OLD_LINE_LIMIT` for Asterisk before 20.16, 21.11 and 22.6. */
  readonly lineLimit: number;
}

export const sessionDefaults: SessionOptions = {
  environmentTimeoutMs: 5_000,
  environmentBytes: 65_536,
  commandTimeoutMs: 5_000,
  slowCommandTimeoutMs: 60_000,
  replyBytes: 1_048_576,
  hangupGraceMs: 2_000,
  endGraceMs: 1_000,
  lineLimit: LINE_LIMIT,
};
