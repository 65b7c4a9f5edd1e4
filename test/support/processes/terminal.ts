import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';

const main = fileURLToPath(new URL('../../../cli/main.js', import.meta.url));

/** How long a screen may take to show what a test waits for; generous, other tests run beside it. */
const deadlineMs = 60_000;

/**
 * `star64` on a terminal of its own, that of script(1) of util-linux: what it shows is read frame by frame, keys are
 * pressed by writing. The settings of the terminal are noted before and after.
 */
export class Terminal {
  #text = '';
  readonly ended: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly dir: string,
    private readonly rows: number,
  ) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#text += text));
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => child.on('close', resolve));
  }

  static start(
    t: Test,
    args: readonly string[],
    env: Record<string, string>,
    size = { columns: 80, rows: 24 },
  ): Terminal {
    const dir = mkdtempSync(join(tmpdir(), 'star64-terminal-'));
    // stty sets the size: a terminal whose keyboard is a pipe has none of its own.
    // tap's modules, which it puts before every Node program, are none of star64's.
    const line = `unset NODE_OPTIONS; stty cols ${size.columns} rows ${size.rows}; stty -a >'${dir}/before'; echo $$ >'${dir}/pid'
      '${process.execPath}' '${main}' ${args.join(' ')}; status=$?; stty -a >'${dir}/after'; exit $status`;
    const child = spawn('script', ['-qefc', line, '/dev/null'], {
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', TERM: 'xterm', ...env },
      stdio: 'pipe',
    });
    const terminal = new Terminal(child, dir, size.rows);
    t.teardown(async () => {
      child.kill('SIGKILL');
      await terminal.ended;
      rmSync(dir, { recursive: true, force: true });
    });
    return terminal;
  }

  /** All that was written, escape sequences included. */
  get raw(): string {
    return this.#text;
  }

  /** The lines of the last whole frame. */
  get screen(): string[] {
    const frames = this.#text.split('\x1b[H').slice(1);
    const lines = frames.map((frame) => stripVTControlCharacters(frame).split(/\r+\n/));
    // The last one may have come in part only.
    return lines.findLast(({ length }) => length >= this.rows) ?? [];
  }

  press(keys: string): void {
    this.child.stdin.write(keys);
  }

  /** Waits until the screen shows this, and returns its lines. */
  async shows(what: RegExp): Promise<string[]> {
    const look = (): string[] | undefined => (what.test(this.screen.join('\n')) ? this.screen : undefined);
    try {
      return await until(`${String(what)} on the screen`, look, deadlineMs);
    } catch (error) {
      throw new Error(`the screen is:\n${this.screen.join('\n')}`, { cause: error });
    }
  }

  /** Process id of star64 itself. */
  get pid(): number {
    const shell = readFileSync(join(this.dir, 'pid'), 'utf8').trim();
    return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim());
  }

  /** The settings of the terminal, before and after. */
  get settings(): { before: string; after: string } {
    const read = (name: string): string => readFileSync(join(this.dir, name), 'utf8');
    return { before: read('before'), after: read('after') };
  }
}
