import type { Queryable } from '../../database/pool.js';
import { callsBehind, type PaidCall, type Place, type Whose } from './limit-calls.js';

/** Rows of one page: a statement must be quick, however much was called within the day. */
const pageRows = 5000;

/** What is missing of the calls of a day: it is read page after page, and goes on where it was when a page fails. */
export class DayReading {
  /** For whom its calls are counted; see `pairOf`. */
  readonly wanted: Set<string>;
  failures = 0;
  readonly #whose: Whose[];
  readonly #from: Place;
  #place: Place;

  constructor(
    wanted: Iterable<string>,
    /** By their ids; undefined: of the whole team. */
    extensionIds: readonly number[] | undefined,
    began: number,
    /** Calls that have ended before this count no more. */
    private readonly ended: number,
  ) {
    this.wanted = new Set(wanted);
    this.#whose = extensionIds?.map((extensionId) => ({ extensionId })) ?? ['phones', 'sent-on'];
    this.#place = this.#from = { arrivedAt: new Date(began).toISOString(), id: 0 };
  }

  get over(): boolean {
    return this.#whose.length === 0;
  }

  /** The next page. @throws when it cannot be read: the same one is the next one still. */
  async page(db: Queryable, teamId: number): Promise<PaidCall[]> {
    const [whose] = this.#whose;
    if (whose === undefined) return [];
    const calls = await callsBehind(db, teamId, whose, this.#place, pageRows);
    const last = calls.at(-1);
    if (last && calls.length === pageRows) this.#place = { arrivedAt: last.arrivedAt, id: last.id };
    else {
      this.#whose.shift();
      this.#place = this.#from;
    }
    return calls.filter(({ ended }) => ended === null || ended >= this.ended);
  }
}
