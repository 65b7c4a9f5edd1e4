import { byNearness, covers, longestNumber, readPattern, type NumberPattern } from '../../number-pattern.js';
import { bare } from '../../telephone-numbers.js';

/** A DID that has a number, and what is known of it. */
export interface Found<T> {
  /** As it is kept: a number, a range, or a beginning. */
  readonly did: string;
  /** The number that was called, as it is kept where the DID is one number, else as it was asked for. */
  readonly number: string;
  readonly value: T;
}

/** The DIDs of a team: which of them has a number. The nearest: one number, then the shortest range, then the longest beginning. */
export class DidIndex<T> {
  readonly #numbers = new Map<string, T>();
  /** The nearest first. */
  #ranges: { did: string; pattern: NumberPattern; value: T }[] = [];
  /** By the digits with which their numbers begin. */
  readonly #prefixes = new Map<string, { did: string; value: T }>();
  #longest = 0;

  add(did: string, value: T): void {
    const pattern = readPattern(did);
    if (pattern.is === 'one') this.#numbers.set(did, value);
    else if (pattern.is === 'range') {
      const before = this.#ranges.findIndex((other) => byNearness(pattern, other.pattern) < 0);
      this.#ranges.splice(before < 0 ? this.#ranges.length : before, 0, { did, pattern, value });
    } else {
      const digits = bare(pattern.prefix);
      this.#prefixes.set(digits, { did, value });
      this.#longest = Math.max(this.#longest, digits.length);
    }
  }

  /** Which DID has a number, written with a + or without; undefined: none. */
  find(number: string): Found<T> | undefined {
    const digits = bare(number);
    for (const did of [number, digits, `+${digits}`]) {
      const value = this.#numbers.get(did);
      if (value !== undefined) return { did, number: did, value };
    }
    // What was called may be hostile: as long as it likes, and no number.
    if (digits.length > longestNumber || !/^[0-9]+$/.test(digits)) return undefined;
    for (const { did, pattern, value } of this.#ranges)
      if (covers(pattern, digits)) return { did, number: written(did, digits), value };
    for (let length = Math.min(this.#longest, digits.length); length > 0; length--) {
      const found = this.#prefixes.get(digits.slice(0, length));
      if (found) return { did: found.did, number: written(found.did, digits), value: found.value };
    }
    return undefined;
  }
}

/** A number in the way of the DID that has it. */
const written = (did: string, digits: string): string => (did.startsWith('+') ? `+${digits}` : digits);
