import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { Star64Error } from '../domain/errors.js';
import type { PortBlock } from '../domain/machine/ports.js';
import { LabProcess, until, type Exit } from '../domain/machine/processes.js';
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
  /**
   * `false`: what comes in is played at once, which hears nothing but the last of what two send at a time. The jitter buffer of
   * baresip 1.0.0 is not emptied where a stream goes on with lower numbers, nor where there is another one behind the first few
   * packets of a call (`rtp_handler` of stream.c): it drops them, and nothing is heard any more. So it is for a phone that is
   * called again at once, as the packets may still be of the call before, on the same port, and for one that is taken from
   * bridge to bridge. Default: true.
   */
  jitterBuffer?: boolean;
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
type PhoneResponse = z.infer<typeof PhoneResponse>;

/** Something that happened at the phone: baresip's name for it, such as `CALL_INCOMING`, and about whom. */
export type PhoneEvent = z.infer<typeof PhoneEvent>;

/** The program behind a telephone of the lab: its configuration, its process, and the socket that steers it. */
export class Baresip {
  /** Everything that happened so far, oldest first. */
  readonly events: PhoneEvent[] = [];
  #control: Socket | undefined;
  #process: LabProcess | undefined;
  #replies: { resolve: (reply: PhoneResponse) => void; reject: (reason: Error) => void }[] = [];
  /** Why nothing can be had of it any more. */
  #gone: Star64Error | undefined;
  #crashed = false;
  #stopped: Promise<void> | undefined;

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

  /** Fails once the program is gone, whoever ended it, with what it said last: nothing more will happen there. */
  alive(): void {
    if (this.#gone) throw this.#gone;
  }

  /** Fails once the program has ended by itself: nobody has killed it or switched it off. */
  unbroken(): void {
    if (this.#crashed) this.alive();
  }

  /** Gives it a command; fails when it refuses, and at once when the program ends. */
  async command(command: string, params = ''): Promise<void> {
    await this.commands([command, params]);
  }

  /** Gives it commands between which nothing else happens at the phone; fails when it refuses one of them. */
  async commands(...commands: readonly (readonly [command: string, params: string])[]): Promise<void> {
    this.alive();
    const control = this.#control;
    if (control === undefined) throw new Star64Error('failure', `phone ${this.options.user} is off`);
    const replies = Promise.all(
      commands.map(
        () => new Promise<PhoneResponse>((resolve, reject) => this.#replies.push({ resolve, reject })),
      ),
    );
    // In one piece, so that baresip reads and obeys them in one turn of its loop.
    control.write(
      commands.map(([command, params]) => netstring(JSON.stringify({ command, params }))).join(''),
    );
    const given = new AbortController();
    const text = commands.map((one) => one.join(' ').trim()).join(', ');
    const patience = sleep(commandDeadlineMs, undefined, { signal: given.signal }).then(
      () => {
        throw new Star64Error('failure', `phone ${this.options.user} does not answer ${text}`);
      },
      () => replies,
    );
    const answers = await Promise.race([replies, patience]).finally(() => given.abort());
    for (const [index, { ok, data = '' }] of answers.entries())
      if (!ok)
        throw new Star64Error(
          'failure',
          `phone ${this.options.user} refused ${commands[index]?.join(' ') ?? ''}: ${data}`,
        );
  }

  /**
   * Ends the program in good order and starts it anew, without an account. baresip hangs up, takes its registration
   * back, and ends when all that is answered: later than `deadlineMs` is a failure.
   */
  async restart(root: string, deadlineMs: number): Promise<void> {
    this.alive();
    const { user } = this.options;
    const exit = await this.#end(deadlineMs);
    if (exit?.status !== 0) {
      const how = exit?.signal === 'SIGKILL' ? `was not answered within ${deadlineMs} ms` : said(exit);
      this.#gone = new Star64Error('failure', `phone ${user} was to end, and ${how}:\n${this.#lastWords()}`);
      throw this.#gone;
    }
    await this.#switchOn(root);
  }

  /** SIGKILL: it vanishes without a word. */
  async kill(): Promise<void> {
    this.#gone ??= new Star64Error('failure', `phone ${this.options.user} has been killed`);
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
    this.#gone ??= new Star64Error('failure', `phone ${this.options.user} is switched off`);
    // A second SIGTERM would have baresip unload its modules in the middle of a call.
    this.#stopped ??= (async () => {
      await this.#end(2000);
      await this.ports.release();
      await rm(this.dir, { recursive: true, force: true });
    })();
    await this.#stopped;
  }

  async #end(graceMs: number): Promise<Exit | undefined> {
    const [child, control] = [this.#process, this.#control];
    this.#process = this.#control = undefined;
    child?.signal('SIGCONT');
    const ended = child?.stop(graceMs);
    // After the signal: baresip may have looked for one just before, and then sleeps until something comes in.
    control?.destroy();
    return await ended;
  }

  async #configure(root: string): Promise<void> {
    const config = join(this.dir, 'config');
    await mkdir(config);
    await mkdir(this.heardDirectory);
    const speak = this.options.speak ?? (await writeSilence(join(this.dir, 'silence.wav')));
    const { first } = this.ports;
    const { address = '127.0.0.1', jitterBuffer = true } = this.options;
    await writeFile(
      join(config, 'config'),
      `poll_method epoll
call_max_calls 4
net_interface ${address}
sip_listen ${address}:${first}
rtp_ports ${first + 4}-${first + 8}
${jitterBuffer ? '' : 'jitter_buffer_delay 0-0\n'}audio_source aufile,${speak}
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
    void child.exited.then((exit) => this.#over(child, exit));
    const control = await until(`phone ${this.options.user} to start`, async () => {
      this.alive();
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
    control.on('data', (data) => frames.push(data).forEach((frame) => this.#receive(frame)));
    // The program is gone: its end tells that to all who wait.
    control.on('error', () => undefined);
    this.#control = control;
  }

  /** The program has ended: whoever waits for it learns that now, and whoever asks it from now on. */
  #over(child: LabProcess, exit: Exit): void {
    const { user } = this.options;
    if (child === this.#process && this.#gone === undefined) {
      this.#crashed = true;
      this.#gone = new Star64Error(
        'failure',
        `the program of phone ${user} ${said(exit)}; it said last:\n${this.#lastWords()}`,
      );
    }
    const reason = this.#gone ?? new Star64Error('failure', `phone ${user} has ended`);
    if (child === this.#process || this.#process === undefined)
      for (const { reject } of this.#replies.splice(0)) reject(reason);
  }

  /** The tail of what it has printed, without colours and the line that it writes again and again in a call. */
  #lastWords(): string {
    return stripVTControlCharacters(readFileSync(join(this.dir, 'output'), 'utf8'))
      .replace(/[^\n]*\r(?!\n)/g, '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-12)
      .join('\n');
  }

  #receive(frame: string): void {
    const message: unknown = JSON.parse(frame);
    const event = PhoneEvent.safeParse(message);
    if (!event.success) {
      this.#replies.shift()?.resolve(PhoneResponse.parse(message));
      return;
    }
    this.events.push(event.data);
  }
}

function said(exit: Exit | undefined): string {
  return exit?.signal ? `was ended by ${exit.signal}` : `ended with status ${String(exit?.status)}`;
}
