import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../../lab/centre.js';
import { LabProcess } from '../../../domain/machine/processes.js';

const program = fileURLToPath(new URL('faulty-process.js', import.meta.url));

/** What a server does to each connection, once it has the question. */
type Conduct = (socket: Socket, question: string) => void;

/** Sends a command and goes on when Asterisk has obeyed it: what follows happens in the middle. */
function halfWay(then: (socket: Socket) => void): Conduct {
  return (socket) => {
    socket.write('VERBOSE "half way" 3\n');
    socket.once('data', () => then(socket));
  };
}

/** Answers, as a server would, with what the dialplan did not expect. */
function answers(answer: string): Conduct {
  return (socket) => {
    socket.write(`SET VARIABLE STAR64_ANSWER "${answer}"\n`);
    socket.once('data', () => socket.end());
  };
}

const conducts = {
  'closes without a command': (socket) => socket.end(),
  'closes in the middle': halfWay((socket) => socket.end()),
  'resets in the middle': halfWay((socket) => socket.resetAndDestroy()),
  'says failure': (socket) => socket.write('failure\n'),
  'never answers': () => undefined,
  'hangs in the middle': halfWay(() => undefined),
  'answers with a place that is not': answers('astercc-groups,nobody,1'),
  'answers with a context that is not': answers('elsewhere,s,1'),
  'answers with nothing': answers(''),
} satisfies Record<string, Conduct>;

export type Fault = keyof typeof conducts | 'refuses' | 'is silent' | 'is killed in the middle';

/** Stands where Asterisk looks for a server, and fails in the way that it is told. */
export class FaultyServer {
  /** Questions that came whole, whatever became of them. */
  asked = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #process: LabProcess | undefined;

  constructor(private readonly port: number) {}

  /** Open connections. */
  get open(): number {
    return this.#sockets.size;
  }

  /** From now on it fails like this, and no other fault is left. */
  async be(fault: Fault): Promise<void> {
    await this.stop();
    switch (fault) {
      case 'refuses':
        return;
      case 'is silent':
        await this.#launch('still');
        this.#process?.signal('SIGSTOP');
        await this.#fillBacklog();
        return;
      case 'is killed in the middle':
        return this.#launch('die');
      default:
        return this.#listen(conducts[fault]);
    }
  }

  /** From now on the real server there does the work, and the answer is lost on its way. */
  async loseAnswersOf(real: Address): Promise<void> {
    await this.stop();
    await this.#listen((socket, question) => {
      const behind = connect(real.port, real.host);
      this.#keep(behind);
      behind.write(question);
      behind.once('data', () => {
        behind.destroy();
        socket.resetAndDestroy();
      });
    });
  }

  /** Leaves the port. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#process?.kill();
    this.#process = undefined;
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Waits until the process that dies of its first question has done so. */
  async died(): Promise<void> {
    await this.#process?.exited;
  }

  async #listen(conduct: Conduct): Promise<void> {
    const server = createServer((socket) => {
      this.#keep(socket);
      let question = '';
      socket.on('data', (data) => {
        if (question.endsWith('\n\n')) return;
        question += data.toString('latin1');
        if (!question.endsWith('\n\n')) return;
        this.asked++;
        conduct(socket, question);
      });
    });
    this.#server = server;
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
  }

  async #launch(fault: string): Promise<void> {
    let line = (): void => undefined;
    const listening = new Promise<void>((resolve) => (line = resolve));
    this.#process = await LabProcess.launch(process.execPath, [program, String(this.port), fault], {
      onLine: () => line(),
    });
    await Promise.race([listening, this.#process.exited]);
    if (!this.#process.running) throw new Error(`no faulty server: ${this.#process.output().stderr}`);
  }

  /** The kernel accepts for a process that does not, until its backlog is full; then it drops who knocks. */
  async #fillBacklog(): Promise<void> {
    for (;;) {
      const socket = connect(this.port, '127.0.0.1');
      this.#keep(socket);
      const accepted = await Promise.race([
        once(socket, 'connect').then(() => true),
        // Loopback connects in microseconds, or when the first SYN is sent again, after a second.
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
      ]);
      if (!accepted) return;
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
