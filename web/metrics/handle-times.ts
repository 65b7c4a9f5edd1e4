import { histogramOf, type Histogram } from '../../domain/machine/exposition.js';
import type { StateChange } from '../../domain/monitor/events.js';

/** Upper ends of the histogram, in seconds. */
const ends = [30, 60, 120, 180, 300, 600, 1200, 3600] as const;

/** A call of a queue with which an agent is busy. */
interface Handled {
  group: string;
  /** When they answered. */
  since: Date;
}

/**
 * How long agents are busy with a call of a queue: from the answer, with holds and consultations, to the end of the wrap-up
 * after it, if there is one. By the events of their states alone; a call that was answered before the first of them counts
 * nothing. What is kept is one entry for each agent in such a call.
 */
export class HandleTimes {
  /** By team and group with a tab between. */
  readonly times = new Map<string, Histogram>();
  readonly #open = new Map<string, Handled>();

  take({ team, agent, state, group, at }: StateChange & { at: Date }): void {
    const key = `${team}\t${agent}`;
    const handled = this.#open.get(key);
    if (state === 'wrap-up') return;
    if (handled) {
      this.#open.delete(key);
      histogramOf(this.times, `${team}\t${handled.group}`, ends).add(
        (at.getTime() - handled.since.getTime()) / 1000,
      );
    }
    if (state === 'talking' && group !== null) this.#open.set(key, { group, since: at });
  }
}
