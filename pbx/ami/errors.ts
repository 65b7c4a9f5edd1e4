import { type ErrorKind, Star64Error } from '../../domain/errors.js';

/**
 * How a question to Asterisk's manager can fail.
 * - `rejected`: Asterisk understood and refused (`Response: Error`); the message carries its words.
 * - `timeout`: no answer in time; whether the action was carried out is not known.
 * - `down`: there is no connection, or it went away before the answer. Issued while down means: nothing was sent.
 * - `syntax`: the action cannot be written; nothing was sent.
 * - `protocol`: a list came incomplete or with something in it that is no part of it; it must not be believed.
 */
export type AmiErrorCode = 'rejected' | 'timeout' | 'down' | 'syntax' | 'protocol';

const kinds: Record<AmiErrorCode, ErrorKind> = {
  rejected: 'failure',
  timeout: 'asterisk_unreachable',
  down: 'asterisk_unreachable',
  syntax: 'usage',
  protocol: 'failure',
};

/** Every error of the manager connection. Callers branch on `code`; messages never quote a value that was sent. */
export class AmiError extends Star64Error {
  constructor(
    override readonly code: AmiErrorCode,
    message: string,
  ) {
    super(kinds[code], message);
  }
}
