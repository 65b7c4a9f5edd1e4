/**
 * Does a piece of work again and again, one at a time: after the milliseconds that it returns, and at once when poked.
 * `work` must not throw.
 */
export class Loop {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #started = false;
  #stopped = false;

  constructor(private readonly work: () => Promise<number>) {}

  start(): void {
    this.#started = true;
    this.poke();
  }

  /** Resolves when what is under way is done; nothing begins after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Works at once, or once more after what is under way. Before the start it does nothing: that works at once. */
  poke(): void {
    if (!this.#started || this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.work().then((waitMs) => {
      this.#running = undefined;
      if (this.#stopped) return;
      if (this.#again) {
        this.#again = false;
        this.poke();
      } else {
        this.#timer = setTimeout(() => this.poke(), waitMs);
      }
    });
  }
}
