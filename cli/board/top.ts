import type { ReadStream, WriteStream } from 'node:tty';
import { setTimeout as sleep } from 'node:timers/promises';
import { Star64Error } from '../../domain/errors.js';
import type { TeamStatus } from '../../domain/monitor/status.js';
import { renderBoard, sortings, type Sorting } from './render.js';
import { Screen } from './screen.js';

export interface TopOptions {
  team: string;
  sort: Sorting;
  input: ReadStream;
  output: WriteStream;
  /** How the team stands now. */
  read: () => Promise<TeamStatus>;
  /** The signal that ends it from outside. */
  signalled: Promise<NodeJS.Signals>;
}

type End = 'quit' | 'interrupted';

const refreshMs = 1000;

/**
 * The board of a team on a terminal, which it gives back in any case. With PostgreSQL away it says so and tries again;
 * every other failure ends it.
 */
export class Top {
  #status: TeamStatus | undefined;
  #trouble: string | undefined;
  #screen: Screen | undefined;
  #skip = 0;
  #page = 1;
  #sort: Sorting;
  #end: (how: End) => void = () => undefined;

  constructor(private readonly options: TopOptions) {
    this.#sort = options.sort;
  }

  /** Shows the board until it is quit. */
  async run(): Promise<void> {
    const end = new Promise<End>((resolve) => (this.#end = resolve));
    void this.options.signalled.then((signal) => this.#end(signal === 'SIGINT' ? 'interrupted' : 'quit'));
    try {
      if ((await this.#untilEnd(end)) === 'quit') return;
    } finally {
      this.#screen?.close();
    }
    throw new Star64Error('interrupted', 'interrupted');
  }

  async #untilEnd(end: Promise<End>): Promise<End> {
    // What is wrong from the beginning is said on the screen of the shell.
    let how = await Promise.race([this.#look(), end]);
    const { input, output } = this.options;
    if (how === undefined) {
      this.#screen = new Screen(input, output, (key) => this.#press(key), this.#draw);
      this.#draw();
    }
    while (how === undefined) {
      how = await Promise.race([sleep(refreshMs, undefined, { ref: false }), end]);
      how ??= await Promise.race([this.#look(), end]);
    }
    return how;
  }

  async #look(): Promise<undefined> {
    try {
      this.#status = await this.options.read();
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof Star64Error) || error.kind !== 'database_unreachable') throw error;
      this.#trouble = `PostgreSQL cannot be reached${this.#status ? ', this is how it was' : ''}: trying again`;
    }
    this.#draw();
  }

  readonly #draw = (): void => {
    if (!this.#screen) return;
    const board = renderBoard(this.options.team, this.#status, {
      ...this.#screen.size,
      sort: this.#sort,
      skip: this.#skip,
      trouble: this.#trouble,
    });
    this.#skip = board.skip;
    this.#page = board.page;
    this.#screen.show(board.lines);
  };

  #press(key: string): void {
    if (key === 'q') this.#end('quit');
    if (key === 'ctrl-c') this.#end('interrupted');
    this.#sort = sortingOf(key) ?? this.#sort;
    this.#skip = Math.max(0, this.#skip + (scrolling(key, this.#page) ?? 0));
    this.#draw();
  }
}

function sortingOf(key: string): Sorting | undefined {
  return (Object.keys(sortings) as Sorting[]).find((name) => sortings[name].key === key);
}

/** By how many agents a key scrolls. */
function scrolling(key: string, page: number): number | undefined {
  return { up: -1, down: 1, pageup: -page, pagedown: page, space: page, home: -Infinity, end: Infinity }[key];
}
