import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { provisioningChannel } from './changes.js';
import { agentChannel, callCommandChannel, phoneQuestionChannel } from './notifications.js';
import { LastingFault } from '../machine/lasting-fault.js';
import { connectionSettings, sessionSettings } from './pool.js';

/** How often the connection is tried, when a broken one is opened again, and for how long its end is waited for. */
const times = { pulseMs: 10_000, againMs: 1000, endMs: 1000 };

/** What is done when something is heard. */
export interface Heard {
  /**
   * Provisioning has changed: what the change told, unchecked. Undefined after every (re)connection, since anything may
   * have been missed before it.
   */
  provisioning: (payload: string | undefined) => void;
  /** A command has changed agents: what it told, unchecked. */
  agents: (payload: string) => void;
  /** A command to a call was given at this node, unchecked. */
  calls: (node: string) => void;
  /** Somebody asks from where phones of this node have registered, unchecked. */
  phones?: (node: string) => void;
}

/**
 * Hears of what others have changed in the database. A connection that breaks is opened again after a second, for as
 * long as it takes.
 */
export class ChangeListener {
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pulse: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #deaf: LastingFault;

  constructor(
    private readonly url: string,
    private readonly heard: Heard,
    log: Logger,
    private readonly settings = times,
  ) {
    this.#deaf = new LastingFault(log, {
      fault: 'changes in the database are not heard: listening again every second',
      over: 'changes in the database are heard again',
    });
  }

  /** Never throws: with PostgreSQL away it keeps trying. */
  async start(): Promise<void> {
    if (this.#stopped) return;
    const client = new pg.Client(connectionSettings(this.url));
    this.#client = client;
    client.on('error', (error) => this.#again(client, error));
    client.on('end', () => this.#again(client, new Error('connection ended')));
    client.on('notification', ({ channel, payload = '' }) => {
      if (channel === agentChannel) this.heard.agents(payload);
      else if (channel === callCommandChannel) this.heard.calls(payload);
      else if (channel === phoneQuestionChannel) this.heard.phones?.(payload);
      else this.heard.provisioning(payload);
    });
    try {
      await client.connect();
      await client.query(sessionSettings());
      for (const channel of [provisioningChannel, agentChannel, callCommandChannel, phoneQuestionChannel])
        await client.query(`listen ${channel}`);
      // Nothing else is sent here, and a connection that somebody has dropped in silence says nothing by itself.
      this.#pulse = setInterval(() => {
        client.query('select 1').catch((error: unknown) => this.#again(client, error as Error));
      }, this.settings.pulseMs);
      this.#deaf.over();
      this.heard.provisioning(undefined);
    } catch (error) {
      this.#again(client, error as Error);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
    await this.#end(this.#client);
  }

  #again(client: pg.Client, error: Error): void {
    if (this.#stopped || client !== this.#client) return;
    this.#client = undefined;
    clearInterval(this.#pulse);
    this.#deaf.met(error.message);
    void this.#end(client);
    this.#timer = setTimeout(() => void this.start(), this.settings.againMs);
  }

  async #end(client: pg.Client | undefined): Promise<void> {
    if (!client) return;
    const given = new AbortController();
    // A connection that somebody has dropped in silence does not answer a farewell either.
    const patience = sleep(this.settings.endMs, undefined, { signal: given.signal }).catch(() => undefined);
    // It may be broken already, which is why it is being left.
    await Promise.race([client.end().catch(() => undefined), patience]);
    given.abort();
  }
}
