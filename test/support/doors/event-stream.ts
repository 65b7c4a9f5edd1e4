import { get, type IncomingMessage } from 'node:http';
import { until } from '../../../domain/machine/processes.js';
import { feedMs } from './event-feed.js';

/** An event of a stream. */
export interface Heard {
  id: string;
  event: string;
  data: string;
}

/** A listener to a stream of events, as a browser is one. */
export class Listener {
  readonly heard: Heard[] = [];
  ended = false;
  /** Told of each event as it comes. */
  onEvent: ((heard: Heard) => void) | undefined;
  #rest = '';

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    const end = (): void => {
      this.ended = true;
    };
    response.once('close', end);
    response.once('error', end);
  }

  static open(url: string, token: string, lastEventId?: string): Promise<Listener> {
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    return new Promise((resolve, reject) => {
      const request = get(url, { headers, agent: false }, (response) => {
        if (response.statusCode === 200) resolve(new Listener(response));
        else reject(new Error(`the stream answers ${response.statusCode ?? 0}`));
      });
      request.once('error', reject);
    });
  }

  /** What has happened, without what is said of the stream itself. */
  get events(): Heard[] {
    return this.heard.filter(({ event }) => !['hello', 'away', 'back'].includes(event));
  }

  get lastId(): string | undefined {
    return this.heard.findLast(({ id }) => id !== '')?.id;
  }

  /** Waits for so many events. */
  async has(count: number): Promise<Heard[]> {
    await until(`${count} events`, () => (this.events.length >= count ? true : undefined), feedMs);
    return this.events;
  }

  /** Reads nothing any more. */
  freeze(): void {
    this.response.pause();
  }

  /** Reads on, but slowly: a piece, and then nothing for some milliseconds. */
  sip(restMs: number): void {
    this.response.on('data', () => {
      this.response.pause();
      setTimeout(() => this.response.resume(), restMs);
    });
    this.response.resume();
  }

  thaw(): void {
    this.response.resume();
  }

  close(): void {
    this.response.destroy();
  }

  /** Opens it anew behind its last event until that works, as a browser does. */
  static async again(url: string, token: string, { lastId }: Listener): Promise<Listener> {
    return until(
      'the stream to be there again',
      () => Listener.open(url, token, lastId).catch(() => undefined),
      60_000,
    );
  }

  #take(text: string): void {
    this.#rest += text;
    const blocks = this.#rest.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
      if (field('event') === '') continue;
      const heard = { id: field('id'), event: field('event'), data: field('data') };
      this.heard.push(heard);
      this.onEvent?.(heard);
    }
  }
}
