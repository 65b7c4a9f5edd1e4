/** One netstring (D. J. Bernstein, 1997): `<length in bytes>:<bytes>,`. */
export function netstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

/** Takes netstrings out of a byte stream, however it is cut. */
export class Netstrings {
  #pending = Buffer.alloc(0);

  /** The texts completed by this piece of the stream. */
  push(data: Buffer): string[] {
    this.#pending = Buffer.concat([this.#pending, data]);
    const texts: string[] = [];
    for (;;) {
      const colon = this.#pending.indexOf(':');
      if (colon < 0) return texts;
      const end = colon + 1 + Number(this.#pending.toString('latin1', 0, colon));
      if (Number.isNaN(end)) throw new Error('not a netstring');
      if (this.#pending.length <= end) return texts;
      texts.push(this.#pending.toString('utf8', colon + 1, end));
      this.#pending = this.#pending.subarray(end + 1);
    }
  }
}
