import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { LabProcess } from '../domain/machine/processes.js';
import { LogFile } from './log.js';

/** The star64 command as a user runs it: the compiled program in a process of its own. */
export const star64 = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/**
 * A command line that runs star64 by Node alone, as a user's shell does: a test runner would otherwise have every Node
 * program load its own modules first, which costs as much CPU as star64's start.
 */
export function star64Command(...args: string[]): [command: string, args: string[]] {
  return ['env', ['--unset=NODE_OPTIONS', process.execPath, star64, ...args]];
}

export interface LabServerOptions {
  /** Environment with `DATABASE_URL` and the STAR64_… settings. */
  env: NodeJS.ProcessEnv;
  /** Receives the log. */
  dir: string;
  agiPort: number;
}

/** One `star64 serve`, which can be stopped, killed, hung and started again on the same port. */
export class LabServer {
  #process: LabProcess | undefined;
  readonly log: LogFile;

  constructor(private readonly options: LabServerOptions) {
    this.log = new LogFile(join(options.dir, `serve-${options.agiPort}.log`));
  }

  get pid(): number | undefined {
    return this.#process?.running === true ? this.#process.pid : undefined;
  }

  get address(): string {
    return `127.0.0.1:${this.options.agiPort}`;
  }

  /** Starts it and waits until it answers calls. */
  async start(): Promise<void> {
    const from = await this.log.mark();
    await this.launch();
    await this.log.waitFor(/"msg":"serving"/, from, 60_000);
  }

  /** Starts it without waiting. */
  async launch(): Promise<void> {
    // A second one would have its port taken, and the first would never be stopped.
    if (this.#process?.running === true) throw new Error(`the server ${this.address} runs already`);
    this.#process = await LabProcess.launch(...star64Command('serve'), {
      env: { ...this.options.env, STAR64_AGI_PORT: String(this.options.agiPort) },
      outputFile: this.log.path,
    });
  }

  /** SIGTERM, and waits until it has drained. Returns its exit status. */
  async stop(): Promise<number | null> {
    this.thaw();
    return (await this.#process?.stop(15_000))?.status ?? null;
  }

  /** SIGKILL, as a crash would. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** SIGSTOP: the kernel still accepts connections, and nobody answers. */
  freeze(): void {
    this.#process?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signal('SIGCONT');
  }
}
