import type { ReadStream, WriteStream } from 'node:tty';
import { setTimeout as sleep } from 'node:timers/promises';
import { Star64Error } from '../../domain/errors.js';
import type { TeamStatus } from '../../domain/monitor/status.js';
import { renderBoard, sortings, type Sorting, type View } from './render.js';
import { Screen } from './screen.js';

export interface TopOptions {
  team: string;
  sort: Sorting;
  input: ReadStream;
  output: WriteStream;
  /** How the team stands now. */
  read: () => Promise<TeamStatus>;
  /** What star64 rests on, asked again some seconds after each answer; not at all: no line of it. */
  health?: () => Promise<View['health']>;
  /** The signal that ends it from outside. */
  signalled: Promise<NodeJS.Signals>;
}

type End = 'quit' | 'interrupted';

const refreshMs = 1000;
const healthMs = 5000;

/**
 * The board of a team on a terminal, which it gives back in any case. With PostgreSQL away it says so and tries again;
 * every other failure ends it.
 */
export class Top {
  #status: TeamStatus | undefined;
  #health: View['health'];
  #trouble: string | undefined;
  #screen: Screen | undefined;
  #skip = 0;
  #page = 1;
  #sort: Sorting;
  #end: (how: End) => void = () => undefined;

  constructor(private readonly options: TopOptions) {
    this.#sort = options.sort;
    // Its line is there from the beginning, so that nothing moves when it is known.
    if (options.health) this.#health = { text: '', wrong: false };
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
      void this.#watchHealth(end);
    }
    while (how === undefined) {
      how = await Promise.race([sleep(refreshMs, undefined, { ref: false }), end]);
      how ??= await Promise.race([this.#look(), end]);
    }
    return how;
  }

  /** Beside the rest, since a server that hangs keeps it waiting. */
  async #watchHealth(end: Promise<End>): Promise<void> {
    const { health } = this.options;
    let how: End | undefined;
    while (health && how === undefined) {
      // Of the database alone it says nothing: that is said already.
      this.#health = await health().catch(() => undefined);
      this.#draw();
      how = await Promise.race([sleep(healthMs, undefined, { ref: false }), end]);
    }
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
      health: this.#health,
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
