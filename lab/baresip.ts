import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Star64Error } from '../domain/errors.js';
import type { PortBlock } from '../domain/machine/ports.js';
import { LabProcess, until } from '../domain/machine/processes.js';
import { loaderOf } from './loader.js';
import { Netstrings, netstring } from './netstring.js';
import { writeSilence } from './wav.js';

export interface BaresipOptions {
  /** The SIP user and user of the digest, such as `astercc-5000`. */
  user: string;
  /** Address in 127.0.0.0/8 that it calls from. Default: 127.0.0.1. */
  address?: string;
  /** A WAV file (8 kHz, mono, 16 bit) to speak. Default: silence. */
  speak?: string;
}

/** A phone that hangs must not have a test wait for ever. */
const commandDeadlineMs = 20_000;

const PhoneEvent = z.object({
  event: z.literal(true),
  type: z.string(),
  direction: z.enum(['incoming', 'outgoing']).optional(),
  peeruri: z.string().optional(),
  peerdisplayname: z.string().optional(),
  id: z.string().optional(),
  param: z.string().optional(),
});
const PhoneResponse = z.object({ response: z.literal(true), ok: z.boolean(), data: z.string().optional() });

/** Something that happened at the phone: baresip's name for it, such as `CALL_INCOMING`, and about whom. */
export type PhoneEvent = z.infer<typeof PhoneEvent>;

/** The program behind a telephone of the lab: its configuration, its process, and the socket that steers it. */
export class Baresip {
  /** Everything that happened so far, oldest first. */
  readonly events: PhoneEvent[] = [];
  #control: Socket | undefined;
  #process: LabProcess | undefined;
  #replies: ((reply: z.infer<typeof PhoneResponse>) => void)[] = [];

  constructor(
    private readonly options: BaresipOptions,
    private readonly ports: PortBlock,
    private readonly dir: string,
  ) {}

  /** Where it records what it hears. */
  get heardDirectory(): string {
    return join(this.dir, 'heard');
  }

  /** Starts it from the lab's tree of programs, and waits until it takes commands. */
  async start(root: string): Promise<void> {
    await this.#configure(root);
    await this.#switchOn(root);
  }

  /** Gives it a command; fails when it refuses. */
  async command(command: string, params = ''): Promise<void> {
    const control = this.#control;
    if (control === undefined) throw new Star64Error('failure', `phone ${this.options.user} is off`);
    const reply = new Promise<z.infer<typeof PhoneResponse>>((resolve) => this.#replies.push(resolve));
    control.write(netstring(JSON.stringify({ command, params })));
    const given = new AbortController();
    const patience = sleep(commandDeadlineMs, undefined, { signal: given.signal }).then(
      () => {
        throw new Star64Error('failure', `phone ${this.options.user} does not answer ${command} ${params}`);
      },
      () => reply,
    );
    const { ok, data } = await Promise.race([reply, patience]).finally(() => given.abort());
    if (!ok)
      throw new Star64Error(
        'failure',
        `phone ${this.options.user} refused ${command} ${params}: ${data ?? ''}`,
      );
  }

  /** SIGKILL: it vanishes without a word. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  freeze(): void {
    this.#process?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Ends it, frees its ports and removes its directory. May be called twice. */
  async stop(): Promise<void> {
    this.thaw();
    this.#control?.destroy();
    await this.#process?.stop(2000);
    await this.ports.release();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #configure(root: string): Promise<void> {
    const config = join(this.dir, 'config');
    await mkdir(config);
    await mkdir(this.heardDirectory);
    const speak = this.options.speak ?? (await writeSilence(join(this.dir, 'silence.wav')));
    const { first } = this.ports;
    const { address = '127.0.0.1' } = this.options;
    await writeFile(
      join(config, 'config'),
      `poll_method epoll
call_max_calls 4
net_interface ${address}
sip_listen ${address}:${first}
rtp_ports ${first + 4}-${first + 8}
audio_source aufile,${speak}
snd_path ${this.heardDirectory}
audio_alert aufile,${join(this.dir, 'alert.wav')}
ausrc_srate 8000
auplay_srate 8000
module_path ${join(root, 'usr/lib/baresip/modules')}
module g711.so
module aufile.so
module sndfile.so
module uuid.so
module account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${first + 2}
ring_aufile none
ringback_aufile none
ringback_disabled yes
`,
    );
    await writeFile(join(config, 'accounts'), '');
  }

  async #switchOn(root: string): Promise<void> {
    const { loader, path } = await loaderOf(root);
    const child = await LabProcess.launch(
      loader,
      ['--library-path', path, join(root, 'usr/bin/baresip'), '-f', join(this.dir, 'config')],
      { cwd: this.dir, outputFile: join(this.dir, 'output') },
    );
    this.#process = child;
    this.#control = await until(`phone ${this.options.user} to start`, async () => {
      if (!child.running) {
        throw new Star64Error(
          'failure',
          `the phone ended: ${await readFile(join(this.dir, 'output'), 'utf8')}`,
        );
      }
      const socket = connect(this.ports.first + 2, '127.0.0.1');
      try {
        await once(socket, 'connect');
        return socket;
      } catch {
        // Not listening yet.
        return undefined;
      }
    });
    const frames = new Netstrings();
    this.#control.on('data', (data) => frames.push(data).forEach((frame) => this.#receive(frame)));
    // The phone is gone: whoever waits for it learns that from the deadline of its wait.
    this.#control.on('error', () => undefined);
  }

  #receive(frame: string): void {
    const message: unknown = JSON.parse(frame);
    const event = PhoneEvent.safeParse(message);
    if (!event.success) {
      this.#replies.shift()?.(PhoneResponse.parse(message));
      return;
    }
    this.events.push(event.data);
  }
}
