/** What became of an offer, as far as it was seen. `answered` is written by the answer itself. */
export type OfferResult = 'missed' | 'rejected' | 'refused' | 'cancelled';

/** An offer of which it is known now what became of it. */
export interface SettledOffer {
  team: string;
  /** Null: of no group, or of one that is not kept any more. */
  group: string | null;
  result: OfferResult | 'answered';
}

/**
 * Offers by what became of them, since this process began: counted as it is written down, so each is counted once, by the
 * process that wrote it, and the database is asked nothing for it.
 */
export class OfferCounts {
  readonly #counts = new Map<string, SettledOffer & { count: number }>();

  add(offers: readonly SettledOffer[]): void {
    for (const { team, group, result } of offers) {
      const key = `${team}\t${group ?? ''}\t${result}`;
      const counted = this.#counts.get(key) ?? { team, group, result, count: 0 };
      counted.count++;
      this.#counts.set(key, counted);
    }
  }

  all(): (SettledOffer & { count: number })[] {
    return [...this.#counts.values()];
  }
}
