import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { Star64Error } from '../domain/errors.js';
import { tree, type TreeOptions } from './debian.js';
import { loaderOf } from './loader.js';
import { Netstrings, netstring } from './netstring.js';
import { PortBlock } from '../domain/machine/ports.js';
import { LabProcess, until } from '../domain/machine/processes.js';
import { temporaryDirectory } from '../domain/machine/temporary.js';
import { writeSilence } from './wav.js';

export interface PhoneOptions extends TreeOptions {
  /** The SIP user and user of the digest, such as `astercc-5000`. */
  user: string;
  /** The digest password. Default: none, for a trunk that is known by its address. */
  secret?: string;
  /** Name shown to the called side. */
  name?: string;
  /** Address in 127.0.0.0/8 that it calls from. Default: 127.0.0.1. */
  address?: string;
  server: { host: string; port: number };
  /** Its ports, where somebody must know before it is switched on that it listens on the first; freed with it. */
  ports?: PortBlock;
  /** `auto` picks up at once, `manual` (default) rings until `answer()` or `hangup()`. */
  mode?: 'auto' | 'manual';
  /** A WAV file (8 kHz, mono, 16 bit) to speak. Default: silence. */
  speak?: string;
}

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

/** A SIP telephone that a script drives: registers, dials, rings, answers, presses keys, and records what it hears. */
export class Phone {
  /** Everything that happened so far, oldest first. */
  readonly events: PhoneEvent[] = [];
  #taken = 0;
  #hasAccount = false;
  #control: Socket | undefined;
  #process: LabProcess | undefined;
  #replies: ((reply: z.infer<typeof PhoneResponse>) => void)[] = [];

  private constructor(
    private readonly options: PhoneOptions,
    private readonly ports: PortBlock,
    private readonly dir: string,
  ) {}

  /** Switches the phone on; it does not register yet. */
  static async start(options: PhoneOptions): Promise<Phone> {
    const { user, secret = '', name = '', address = '127.0.0.1' } = options;
    // These go into baresip's configuration, where quotes, semicolons and brackets are syntax.
    if (!/^[A-Za-z0-9_.+*-]+$/.test(user))
      throw new Star64Error('usage', `not a user for a lab phone: ${user}`);
    if (!/^[A-Za-z0-9_.-]*$/.test(secret)) throw new Star64Error('usage', 'not a secret for a lab phone');
    if (!/^[\p{L}\p{N} .,'-]*$/u.test(name))
      throw new Star64Error('usage', `not a name for a lab phone: ${name}`);
    if (!/^127(\.\d{1,3}){3}$/.test(address))
      throw new Star64Error('usage', `not a loopback address: ${address}`);
    const { root } = await tree('phones', options);
    const dir = await temporaryDirectory('phone');
    const phone = new Phone(options, options.ports ?? (await PortBlock.reserve('phone')), dir);
    try {
      await phone.#configure(root);
      await phone.#switchOn(root);
      await phone.#account(0);
    } catch (error) {
      await phone.stop();
      throw error;
    }
    return phone;
  }

  get user(): string {
    return this.options.user;
  }

  /** Registers and waits until the registrar has accepted; fails with its refusal. */
  async register(deadlineMs = 10_000): Promise<void> {
    const from = this.events.length;
    await this.#account(60);
    const event = await this.event(/^REGISTER_(OK|FAIL)$/, { from, deadlineMs });
    if (event.type === 'REGISTER_FAIL') {
      throw new Star64Error('failure', `${this.user} cannot register: ${event.param ?? 'no reason given'}`);
    }
  }

  /** Takes the registration back and waits for the confirmation. */
  async unregister(deadlineMs = 10_000): Promise<void> {
    const from = this.events.length;
    await this.#account(0);
    await this.event(/^UNREGISTERING$/, { from, deadlineMs });
  }

  /** Dials a number at the server. Returns at once: wait for `established()` or `closed()`. */
  async dial(number: string): Promise<void> {
    await this.#command('dial', this.#uri(number));
  }

  /** Picks up the ringing call. */
  async answer(): Promise<void> {
    await this.#command('accept');
  }

  /** Hangs up, or refuses the ringing call as busy. */
  async hangup(): Promise<void> {
    await this.#command('hangup');
  }

  /** Mutes the microphone of the call: it sends silence. */
  async mute(): Promise<void> {
    await this.#command('mute');
  }

  /** Puts the call on hold (`a=sendonly`). */
  async hold(): Promise<void> {
    await this.#command('hold');
  }

  /** Sends the other party of the call to a number at the server, blind, by SIP REFER. */
  async transfer(number: string): Promise<void> {
    await this.#command('transfer', this.#uri(number));
  }

  /** Presses keys, one after the other, as RFC 4733 events in the call. Returns when the last one is sent. */
  async digits(keys: string): Promise<void> {
    if (!/^[0-9A-D*#]+$/.test(keys)) throw new Star64Error('usage', `not keys of a telephone: ${keys}`);
    for (const key of keys) {
      await this.#command('sndcode', key);
      // baresip sends a key for 180 ms and leaves a gap of 60 ms; a key pressed earlier than that would queue up.
      await new Promise((resolve) => setTimeout(resolve, 240));
    }
  }

  /** Waits for the next incoming call that no earlier wait has returned. */
  async incoming(deadlineMs?: number): Promise<PhoneEvent> {
    return await this.#next(/^CALL_INCOMING$/, deadlineMs);
  }

  /** Waits until the dialled side rings. */
  async ringing(deadlineMs?: number): Promise<PhoneEvent> {
    return await this.#next(/^CALL_(RINGING|PROGRESS)$/, deadlineMs);
  }

  /** Waits until a call is answered, from either side. */
  async established(deadlineMs?: number): Promise<PhoneEvent> {
    return await this.#next(/^CALL_ESTABLISHED$/, deadlineMs);
  }

  /** Waits until a call has ended, by either side or because it was refused; `param` says why. */
  async closed(deadlineMs?: number): Promise<PhoneEvent> {
    return await this.#next(/^CALL_CLOSED$/, deadlineMs);
  }

  /** Waits for an event of a type among those after `from` (an index of `events`). */
  async event(type: RegExp, options: { from?: number; deadlineMs?: number } = {}): Promise<PhoneEvent> {
    return await until(
      `${String(type)} at phone ${this.user}, which saw ${this.events.map((event) => event.type).join(' ') || 'nothing'}`,
      () => this.events.slice(options.from ?? 0).find((event) => type.test(event.type)),
      options.deadlineMs,
    );
  }

  /**
   * What the phone heard in the call that ended last, as a WAV file (8 kHz, mono, 16 bit); it lives until `stop()`.
   * Moments in which the other side sent nothing are left out.
   */
  async heard(): Promise<string> {
    if (!this.events.some((event) => event.type === 'CALL_CLOSED')) {
      throw new Star64Error('usage', `phone ${this.user} has not finished a call yet`);
    }
    const directory = join(this.dir, 'heard');
    return await until(`the recording of phone ${this.user}`, async () => {
      // Named by their time: "dump-2026-11-24-08-41-53-dec.wav"
      const last = (await readdir(directory))
        .filter((name) => name.endsWith('-dec.wav'))
        .sort()
        .at(-1);
      return last === undefined ? undefined : join(directory, last);
    });
  }

  /** SIGKILL: the phone vanishes without a word, as one whose cable is pulled. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Stops it in its tracks (SIGSTOP): it reads nothing that is sent to it until `thaw()`. */
  freeze(): void {
    this.#process?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Switches it off and removes its directory. May be called twice. */
  async stop(): Promise<void> {
    this.thaw();
    this.#control?.destroy();
    await this.#process?.stop(2000);
    await this.ports.release();
    await rm(this.dir, { recursive: true, force: true });
  }

  #uri(number: string): string {
    if (!/^[0-9A-Za-z*#+]+$/.test(number)) throw new Star64Error('usage', `not a number to dial: ${number}`);
    const { host, port } = this.options.server;
    // "#" starts a fragment in a URI, so it is escaped there (RFC 3261, 25.1).
    return `sip:${number.replaceAll('#', '%23')}@${host}:${port}`;
  }

  async #next(type: RegExp, deadlineMs?: number): Promise<PhoneEvent> {
    const event = await this.event(type, {
      from: this.#taken,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    });
    this.#taken = this.events.indexOf(event) + 1;
    return event;
  }

  async #configure(root: string): Promise<void> {
    const config = join(this.dir, 'config');
    await mkdir(config);
    await mkdir(join(this.dir, 'heard'));
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
snd_path ${join(this.dir, 'heard')}
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

  /** baresip sets a registration up with the account, so a change means a new account. */
  async #account(registerEverySeconds: number): Promise<void> {
    const { user, secret, name, server, mode = 'manual' } = this.options;
    const aor = `sip:${user}@${server.host}:${server.port}`;
    if (this.#hasAccount) await this.#command('uadel', aor);
    this.#hasAccount = true;
    await this.#command(
      'uanew',
      (name === undefined ? '' : `"${name}" `) +
        `<${aor};transport=udp>;answermode=${mode};regint=${registerEverySeconds};audio_codecs=pcmu` +
        (secret === undefined ? '' : `;auth_user=${user};auth_pass=${secret}`),
    );
  }

  async #switchOn(root: string): Promise<void> {
    const { loader, path } = await loaderOf(root);
    const child = await LabProcess.launch(
      loader,
      ['--library-path', path, join(root, 'usr/bin/baresip'), '-f', join(this.dir, 'config')],
      { cwd: this.dir, outputFile: join(this.dir, 'output') },
    );
    this.#process = child;
    this.#control = await until(`phone ${this.user} to start`, async () => {
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

  async #command(command: string, params = ''): Promise<void> {
    const control = this.#control;
    if (control === undefined) throw new Star64Error('failure', `phone ${this.user} is off`);
    const reply = new Promise<z.infer<typeof PhoneResponse>>((resolve) => this.#replies.push(resolve));
    control.write(netstring(JSON.stringify({ command, params })));
    const { ok, data } = await reply;
    if (!ok)
      throw new Star64Error('failure', `phone ${this.user} refused ${command} ${params}: ${data ?? ''}`);
  }
}
