import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Test } from 'tap';

/** A message as a receiver of webhooks gets it. */
export interface Received {
  id: string;
  timestamp: number;
  signature: string;
  body: string;
  path: string;
}

type Answer = (response: ServerResponse, message: Received, count: number) => void;

export const ok: Answer = (response) => void response.writeHead(204).end();

/** A receiver of webhooks on this machine that answers as it is told to. */
export class Receiver {
  readonly received: Received[] = [];
  readonly sockets = new Set<Socket>();
  /** Connections at a time, at most. */
  most = 0;
  answer: Answer;
  #server: Server;

  private constructor(answer: Answer) {
    this.answer = answer;
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket);
      this.most = Math.max(this.most, this.sockets.size);
      socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket));
    });
  }

  static async open(t: Test, answer: Answer = ok): Promise<Receiver> {
    const receiver = new Receiver(answer);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => receiver.close());
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  get ids(): string[] {
    return this.received.map(({ id }) => id);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const header = (name: string): string => String(request.headers[`webhook-${name}`]);
    const message = {
      id: header('id'),
      timestamp: Number(header('timestamp')),
      signature: header('signature'),
      body: Buffer.concat(chunks).toString(),
      path: request.url ?? '',
    };
    this.received.push(message);
    this.answer(response, message, this.received.length);
  }
}
