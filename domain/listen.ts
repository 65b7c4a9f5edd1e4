import pg from 'pg';
import type { Logger } from 'pino';
import { connectionSettings } from './database.js';

/**
 * Calls `onChange` when provisioning has changed, and once after every (re)connection, since changes may have been
 * missed before it. A connection that breaks is opened again after a second, for as long as it takes.
 */
export class ProvisioningListener {
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly url: string,
    private readonly onChange: () => void,
    private readonly log: Logger,
  ) {}

  /** Never throws: with PostgreSQL away it keeps trying. */
  async start(): Promise<void> {
    if (this.#stopped) return;
    const client = new pg.Client(connectionSettings(this.url));
    this.#client = client;
    client.on('error', (error) => this.#again(client, error));
    client.on('end', () => this.#again(client, new Error('connection ended')));
    client.on('notification', () => this.onChange());
    try {
      await client.connect();
      await client.query('listen star64_provisioning');
      this.onChange();
    } catch (error) {
      this.#again(client, error as Error);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#end(this.#client);
  }

  #again(client: pg.Client, error: Error): void {
    if (this.#stopped || client !== this.#client) return;
    this.#client = undefined;
    this.log.warn({ reason: error.message }, 'changes in provisioning are not heard: listening again in 1 s');
    void this.#end(client);
    this.#timer = setTimeout(() => void this.start(), 1000);
  }

  async #end(client: pg.Client | undefined): Promise<void> {
    try {
      await client?.end();
    } catch {
      // It was broken already, which is why it is being left.
    }
  }
}
