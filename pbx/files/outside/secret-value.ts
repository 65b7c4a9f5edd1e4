import { Star64Error } from '../../../domain/errors.js';

/**
 * A secret as it stands behind `=> ` in one of Asterisk's files, where it may have signs that no other value of ours has:
 * only a ; is syntax there, and a \ in front makes it one of the value. It has no property that a log or JSON would show;
 * a template that names it gets its text.
 */
export class SecretValue {
  readonly #text: string;

  constructor(secret: string) {
    // Never quoted: it would be in a log.
    if (!/^[!-~]([ -~]{0,126}[!-~])?$/.test(secret))
      throw new Star64Error('usage', 'The secret of a trunk cannot be written to an Asterisk file.');
    this.#text = secret.replaceAll(';', '\\;');
  }

  toString(): string {
    return this.#text;
  }
}
