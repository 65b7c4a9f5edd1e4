import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { Star64Error } from '../errors.js';

/**
 * Started in front of every command. A watcher waits on descriptor 3, a pipe that only this Node process holds open
 * at its other end: the kernel closes it however Node ends, kill -9 included. One line on the pipe says "the command
 * is gone, go too"; an end of file says "Node is gone": end the command, and five seconds later its whole group.
 * `exec` keeps the process id, so that the id which Node knows is the command itself. The watcher is not the
 * command's child: PostgreSQL takes the end of a child that it does not know for a crash.
 */
const guarded = `
end=$1; shift
( (
  exec </dev/null >/dev/null 2>&1
  if read -r word <&3; then exit 0; fi
  kill -s "$end" "$$"; kill -s CONT "$$"
  left=50
  while kill -0 "$$" && [ "$left" -gt 0 ]; do left=$((left - 1)); sleep 0.1; done
  kill -s KILL -- "-$$"
) & )
exec "$@" 3<&-
`;

export interface Exit {
  /** Exit status, or null when a signal ended the process. */
  status: number | null;
  signal: NodeJS.Signals | null;
}

export interface LaunchOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** File that receives what the command prints (appended, 0600). Without it the text is kept for `output()`. */
  outputFile?: string;
  /** Called with every line the command prints, without its line end; stdout and stderr alike. */
  onLine?: (line: string) => void;
  /** The signal that ends the command in good order. */
  endSignal?: 'SIGTERM' | 'SIGINT' | 'SIGUSR1';
  uid?: number;
  gid?: number;
  /** An open pipe that the watcher waits on, instead of one of its own: its end means "end the command". */
  watched?: number;
  /** Open descriptors that the command inherits as 4, 5, …: a lock held by it outlives this process. */
  inherit?: number[];
}

/**
 * A child process that cannot outlive its parent, known and ended by its process id only. It has a process group of
 * its own, so that a Ctrl-C on the terminal reaches the parent alone, which then ends its children in order.
 */
export class LabProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  #running = true;
  #stdout = '';
  #stderr = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly options: LaunchOptions,
    readonly command: string,
  ) {
    if (child.pid === undefined) throw new Error('a process without an id cannot be tracked');
    this.pid = child.pid;
    // Who has it watched for several processes ends before it does, where others still use it.
    if (options.watched !== undefined) child.unref();
    // Null when the watcher was given a pipe by the caller, who then also tells it when the command is gone.
    const pipe = child.stdio[3] as Socket | null;
    // The watcher may have closed its end first; there is nobody left to tell then.
    pipe?.on('error', () => undefined);
    pipe?.resume();
    pipe?.unref();
    const ended = new Promise<Exit>((resolve) => {
      child.once('exit', (status, signal) => {
        this.#running = false;
        pipe?.end('gone\n', () => pipe.destroy());
        resolve({ status, signal });
      });
    });
    // Not the event 'close' of the child: it waits for the watcher's pipe as well.
    this.exited = Promise.all([
      ended,
      this.#collect(child.stdout, (text) => (this.#stdout += text)),
      this.#collect(child.stderr, (text) => (this.#stderr += text)),
    ]).then(([exit]) => exit);
  }

  /** Starts the command; fails with a `failure` when it cannot be executed at all. */
  static async launch(command: string, args: string[], options: LaunchOptions = {}): Promise<LabProcess> {
    const file = options.outputFile === undefined ? undefined : openSync(options.outputFile, 'a', 0o600);
    const out = file ?? 'pipe';
    const child = spawn(
      '/bin/sh',
      ['-c', guarded, 'sh', (options.endSignal ?? 'SIGTERM').slice(3), command, ...args],
      {
        cwd: options.cwd,
        env: options.env ?? process.env,
        uid: options.uid,
        gid: options.gid,
        detached: true,
        stdio: ['ignore', out, out, options.watched ?? 'pipe', ...(options.inherit ?? [])],
      },
    );
    if (file !== undefined) closeSync(file);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        reject(new Star64Error('failure', `cannot start ${command}: ${cause.message}`, { cause }));
      });
    });
    return new LabProcess(child, options, command);
  }

  get running(): boolean {
    return this.#running;
  }

  /** What the command has printed so far, when it has no output file. */
  output(): { stdout: string; stderr: string } {
    return { stdout: this.#stdout, stderr: this.#stderr };
  }

  /** Sends a signal to the command itself; does nothing once it has ended. */
  signal(name: NodeJS.Signals): void {
    if (this.#running) this.child.kill(name);
  }

  /** Ends the command in good order, and by SIGKILL to its whole group after `graceMs`. Waits until it is gone. */
  async stop(graceMs = 5000): Promise<Exit> {
    this.signal(this.options.endSignal ?? 'SIGTERM');
    const timer = setTimeout(() => this.#killGroup(), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** SIGKILL to the command and everything in its group, then waits until it is gone. */
  async kill(): Promise<Exit> {
    this.#killGroup();
    return await this.exited;
  }

  #killGroup(): void {
    if (!this.#running) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      // The group is gone already: exactly what was wanted.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  async #collect(stream: Readable | null, add: (text: string) => void): Promise<void> {
    if (stream === null) return;
    let partial = '';
    stream.setEncoding('utf8');
    for await (const text of stream as AsyncIterable<string>) {
      add(text);
      if (this.options.onLine === undefined) continue;
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      lines.forEach(this.options.onLine);
    }
  }
}

/** Runs a command to its end and returns what it printed; a status other than 0 is a `failure` with its last words. */
export async function run(
  command: string,
  args: string[],
  options: LaunchOptions = {},
): Promise<{ stdout: string; stderr: string }> {
  const child = await LabProcess.launch(command, args, options);
  const { status, signal } = await child.exited;
  const output = child.output();
  if (status !== 0) {
    const words = (output.stderr.trim() || output.stdout.trim()).split('\n').slice(-5).join('\n');
    throw new Star64Error(
      'failure',
      `${command} ended with ${signal ?? `status ${String(status)}`}: ${words}`,
    );
  }
  return output;
}

/**
 * The kernel's start time of a process (clock ticks after boot), or undefined when there is no such process. Process
 * id and start time together name one process for good; an id alone may belong to a stranger by now. A zombie counts
 * as gone.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may itself contain spaces and parentheses (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    // No such process, or it ended while being read.
    return undefined;
  }
}

/** Process ids of the children of a process; none when it is gone. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text
      .split(' ')
      .filter((id) => id !== '')
      .map(Number);
  } catch {
    // No such process, or it ended while being read.
    return [];
  }
}

/**
 * Polls `ready` until it returns something other than undefined; after `deadlineMs` fails, saying what was awaited. A
 * function says it as it is then.
 */
export async function until<T>(
  what: string | (() => string),
  ready: () => T | undefined | Promise<T | undefined>,
  deadlineMs = 30_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await ready();
    if (value !== undefined) return value;
    if (performance.now() > end)
      throw new Star64Error(
        'failure',
        `waited ${deadlineMs} ms in vain for ${typeof what === 'string' ? what : what()}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
