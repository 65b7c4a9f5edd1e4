/** What was called to the outside in a stretch of time; the rest of each pair is of what was called at night. */
export interface Sum {
  calls: number;
  talkedMs: number;
  nightCalls: number;
  nightTalkedMs: number;
}

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

const nothing = (): Sum => ({ calls: 0, talkedMs: 0, nightCalls: 0, nightTalkedMs: 0 });

function add(sum: Sum, { calls, talkedMs }: Pick<Sum, 'calls' | 'talkedMs'>, night: boolean): void {
  sum.calls += calls;
  sum.talkedMs += talkedMs;
  if (!night) return;
  sum.nightCalls += calls;
  sum.nightTalkedMs += talkedMs;
}

/** A call of which somebody talks: since when, and whether it was let out at night. */
export interface Running {
  readonly since: number;
  readonly night: boolean;
}

/**
 * What one team, user group or extension has spent: the last hour by minutes, the day as a whole, so that it takes little
 * room however much is called. An hour counts whole minutes, and so is up to a minute longer. Moments are milliseconds
 * since 1970; `day` is the midnight with which the day began.
 */
export class Spent {
  readonly #minutes = new Map<number, Sum>();
  #day = nothing();
  #dayFrom = 0;

  /** One call more that began at this moment; or one less, that turned out to be none. */
  call(at: number, night: boolean, day: number, calls: 1 | -1 = 1): void {
    const one = { calls, talkedMs: 0 };
    add(this.#minute(Math.floor(at / minuteMs)), one, night);
    if (at >= day) add(this.#today(day), one, night);
  }

  /** A talk that is over. What of it is longer ago than an hour before its end needs no minutes. */
  talk(from: number, to: number, night: boolean, day: number): void {
    for (let at = Math.max(from, to - hourMs - minuteMs); at < to;) {
      const minute = Math.floor(at / minuteMs);
      const until = Math.min(to, (minute + 1) * minuteMs);
      add(this.#minute(minute), { calls: 0, talkedMs: until - at }, night);
      at = until;
    }
    const talkedMs = to - Math.max(from, day);
    if (talkedMs > 0) add(this.#today(day), { calls: 0, talkedMs }, night);
  }

  /** What is spent of the hour and of the day at a moment, talks that go on included. */
  at(now: number, day: number, running: readonly Running[] = []): { hour: Sum; day: Sum } {
    const hour = nothing();
    const hourFrom = Math.floor((now - hourMs) / minuteMs) * minuteMs;
    for (const [minute, sum] of this.#minutes) {
      if (minute * minuteMs < hourFrom) continue;
      hour.calls += sum.calls;
      hour.talkedMs += sum.talkedMs;
      hour.nightCalls += sum.nightCalls;
      hour.nightTalkedMs += sum.nightTalkedMs;
    }
    const today = { ...this.#today(day) };
    for (const { since, night } of running) {
      add(hour, { calls: 0, talkedMs: Math.max(0, now - Math.max(since, hourFrom)) }, night);
      add(today, { calls: 0, talkedMs: Math.max(0, now - Math.max(since, day)) }, night);
    }
    return { hour, day: today };
  }

  /** Lets go of minutes that count no more; true: nothing is left, so that nobody need keep it. */
  prune(now: number, day: number): boolean {
    for (const minute of this.#minutes.keys())
      if ((minute + 1) * minuteMs < now - hourMs) this.#minutes.delete(minute);
    const { calls, talkedMs } = this.#today(day);
    return this.#minutes.size === 0 && calls === 0 && talkedMs === 0;
  }

  #minute(minute: number): Sum {
    let sum = this.#minutes.get(minute);
    if (!sum) this.#minutes.set(minute, (sum = nothing()));
    return sum;
  }

  #today(day: number): Sum {
    if (day > this.#dayFrom) {
      this.#dayFrom = day;
      this.#day = nothing();
    }
    return this.#day;
  }
}
