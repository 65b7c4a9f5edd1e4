import { open } from 'node:fs/promises';
import { until } from '../domain/machine/processes.js';

/** Reads a growing text file from where the last reading ended. A missing file counts as empty. */
export class LogFile {
  #offset = 0;
  #partial = '';
  readonly #lines: string[] = [];
  #reading: Promise<void> | undefined;

  constructor(readonly path: string) {}

  /** All whole lines written so far. */
  async lines(): Promise<readonly string[]> {
    // One reading at a time: two would take the same bytes twice. Who comes during one begins another afterwards.
    while (this.#reading) await this.#reading;
    this.#reading = this.#read();
    try {
      await this.#reading;
    } finally {
      this.#reading = undefined;
    }
    return this.#lines;
  }

  async #read(): Promise<void> {
    const file = await open(this.path, 'r').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return;
    try {
      const { size } = await file.stat();
      if (size > this.#offset) {
        const { buffer, bytesRead } = await file.read(
          Buffer.alloc(size - this.#offset),
          0,
          undefined,
          this.#offset,
        );
        this.#offset += bytesRead;
        const lines = (this.#partial + buffer.toString('latin1', 0, bytesRead)).split('\n');
        this.#partial = lines.pop() ?? '';
        this.#lines.push(...lines.map((line) => Buffer.from(line, 'latin1').toString('utf8')));
      }
    } finally {
      await file.close();
    }
  }

  /** A place in the log: lines after it are the ones written from now on. */
  async mark(): Promise<number> {
    return (await this.lines()).length;
  }

  /** Waits for a line that matches, among those after `from`. */
  async waitFor(pattern: RegExp, from = 0, deadlineMs = 30_000): Promise<string> {
    return await until(
      `${String(pattern)} in ${this.path}`,
      async () => (await this.lines()).slice(from).find((line) => pattern.test(line)),
      deadlineMs,
    );
  }
}
