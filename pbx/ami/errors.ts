import { managerCodes } from '../../domain/error-codes.js';
import { Star64Error } from '../../domain/errors.js';

/** How a question to Asterisk's manager can fail. */
export type AmiErrorCode = keyof typeof managerCodes;

/** Every error of the manager connection. Callers branch on `code`; messages never quote a value that was sent. */
export class AmiError extends Star64Error {
  constructor(
    override readonly code: AmiErrorCode,
    message: string,
  ) {
    super(managerCodes[code].kind, message);
  }
}
