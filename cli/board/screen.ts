import { emitKeypressEvents, type Key } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import type { Line } from './render.js';

/** The other screen, so that the shell's lines come back afterwards; no cursor; no line goes on in the next row. */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** Names of keys as Node knows them (`q`, `up`, `pagedown`); `ctrl-c` for what interrupts. */
export type PressKey = (key: string) => void;

/** A terminal that is taken over until `close`, or until the process ends, however it does. */
export class Screen {
  #open = true;
  readonly #restore = (): void => this.close();
  readonly #keypress = (_text: string | undefined, { name, ctrl }: Key): void => {
    if (name !== undefined) this.press(ctrl === true ? `ctrl-${name}` : name);
  };

  constructor(
    private readonly input: ReadStream,
    private readonly output: WriteStream,
    private readonly press: PressKey,
    private readonly resized: () => void,
  ) {
    process.once('exit', this.#restore);
    output.write(enter);
    output.on('resize', resized);
    // Without a keyboard it can still be looked at.
    if (input.isTTY) {
      emitKeypressEvents(input);
      input.setRawMode(true);
      input.on('keypress', this.#keypress);
      input.resume();
    }
  }

  /** A terminal that does not tell its size has the usual one. */
  get size(): { columns: number; rows: number } {
    return { columns: this.output.columns || 80, rows: this.output.rows || 24 };
  }

  show(lines: readonly Line[]): void {
    if (!this.#open) return;
    // Cleared before it is written: after a full line the cursor still stands on its last column.
    this.output.write(`\x1b[H${lines.map((line) => `\x1b[K${styled(line)}`).join('\r\n')}`);
  }

  /** Gives the terminal back as it was. May be called twice. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.#restore);
    this.output.off('resize', this.resized);
    if (this.input.isTTY) {
      this.input.off('keypress', this.#keypress);
      this.input.setRawMode(false);
      this.input.pause();
    }
    this.output.write(leave);
  }
}

const styles = { title: 'bold', heading: 'inverse', warning: 'red' } as const;

const styled = ({ text, style }: Line): string =>
  style === undefined ? text : styleText(styles[style], text);
