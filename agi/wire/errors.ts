/**
 * How a conversation with Asterisk can fail.
 * - `hangup`: the caller is gone (Asterisk said HANGUP); the session closes by itself within seconds.
 * - `closed`: the connection ended, or was ended by us, before the answer.
 * - `timeout`: no answer in time; the session is over, because a late answer could not be told from the next one.
 * - `rejected`: Asterisk understood and refused; `agiCode` says how (510, 511, 520, 503, or 200 with a failure result).
 *   The session goes on.
 * - `protocol`: Asterisk said something that cannot be; the session is over.
 * - `syntax`: the command cannot be written as one AGI line; nothing was sent and the session goes on.
 */
export type AgiErrorCode = 'hangup' | 'closed' | 'timeout' | 'rejected' | 'protocol' | 'syntax';

/** Every error of a session. Scripts branch on `code`; the message is for the log and never quotes a value. */
export class AgiError extends Error {
  override readonly name = 'AgiError';
  constructor(
    readonly code: AgiErrorCode,
    message: string,
    /** The three digits of Asterisk's answer, when there was one. */
    readonly agiCode: number | null = null,
  ) {
    super(message);
  }
}
