import type { Test } from 'tap';
import { star64Command } from '../../../lab/server.js';
import { freePort } from '../../../domain/machine/ports.js';
import { metricsToken } from '../doors/web.js';
import { LabProcess, until } from '../../../domain/machine/processes.js';

/** `star64 web` as an operator runs it, which can be killed and started again at the same address. */
export class WebProcess {
  readonly lines: string[] = [];
  #process: LabProcess | undefined;

  private constructor(
    readonly url: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Starts it; it ends with the test. `env`: settings beside the database's. */
  static async start(t: Test, databaseUrl: string, env: NodeJS.ProcessEnv = {}): Promise<WebProcess> {
    const port = await freePort();
    const web = new WebProcess(`http://127.0.0.1:${port}`, {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      STAR64_CONFIG: '/dev/null',
      STAR64_DATA_DIR: '/nonexistent/data',
      DATABASE_URL: databaseUrl,
      STAR64_WEB_PORT: String(port),
      STAR64_WEB_METRICS_TOKEN: metricsToken,
      STAR64_LOG_FORMAT: 'json',
      ...env,
    });
    t.teardown(() => web.stop());
    await web.start();
    return web;
  }

  /** Starts it again, and waits until it answers. */
  async start(): Promise<void> {
    const from = this.lines.length;
    const { env } = this;
    this.#process = await LabProcess.launch(...star64Command('web'), {
      env,
      onLine: (line) => void this.lines.push(line),
    });
    const started = this.#process;
    await until(
      'star64 web to serve',
      () => {
        if (!started.running) throw new Error(`star64 web has ended: ${this.lines.slice(from).join('\n')}`);
        return this.lines.slice(from).some((line) => line.includes('serving the HTTP API'))
          ? true
          : undefined;
      },
      60_000,
    );
  }

  /** SIGKILL, as a crash would. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }
}
