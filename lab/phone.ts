import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PortBlock } from '../domain/machine/ports.js';
import { until } from '../domain/machine/processes.js';
import { temporaryDirectory } from '../domain/machine/temporary.js';
import { Star64Error } from '../domain/errors.js';
import { Baresip, type BaresipOptions, type PhoneEvent } from './baresip.js';
import { tree, type TreeOptions } from './debian.js';
import { isWhole } from './wav.js';

export interface PhoneOptions extends TreeOptions, BaresipOptions {
  /** The digest password. Default: none, for a trunk that is known by its address. */
  secret?: string;
  /** Name shown to the called side. */
  name?: string;
  server: { host: string; port: number };
  /** Its ports, where somebody must know before it is switched on that it listens on the first; freed with it. */
  ports?: PortBlock;
  /** `auto` picks up at once, `manual` (default) rings until `answer()` or `hangup()`. */
  mode?: 'auto' | 'manual';
}

/** A SIP telephone that a script drives: registers, dials, rings, answers, presses keys, and records what it hears. */
export class Phone {
  #taken = 0;
  #hasAccount = false;
  #registered = false;

  private constructor(
    private readonly options: PhoneOptions,
    private readonly baresip: Baresip,
    /** The lab's tree of programs. */
    private readonly root: string,
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
    const ports = options.ports ?? (await PortBlock.reserve('phone'));
    const phone = new Phone(options, new Baresip(options, ports, dir), root);
    try {
      await phone.baresip.start(root);
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

  /**
   * Everything that happened so far, oldest first. Fails once the phone's program has crashed: who waits for an event
   * by looking here would wait in vain.
   */
  get events(): readonly PhoneEvent[] {
    this.baresip.unbroken();
    return this.baresip.events;
  }

  /** Registers and waits until the registrar has accepted; fails with its refusal. */
  async register(deadlineMs = 30_000): Promise<void> {
    if (this.#registered) await this.unregister(deadlineMs);
    const from = this.events.length;
    this.#registered = true;
    await this.#account(60);
    const event = await this.event(/^REGISTER_(OK|FAIL)$/, { from, deadlineMs });
    if (event.type === 'REGISTER_FAIL') {
      throw new Star64Error('failure', `${this.user} cannot register: ${event.param ?? 'no reason given'}`);
    }
  }

  /**
   * Takes the registration back; calls of the phone end. Returns when the registrar has answered that, and fails when it
   * does not within the deadline. The program is started anew for it: of an account that is deleted it tells no answer.
   */
  async unregister(deadlineMs = 30_000): Promise<void> {
    await this.baresip.restart(this.root, deadlineMs);
    this.#hasAccount = this.#registered = false;
    await this.#account(0);
  }

  /** Dials a number at the server. Returns at once: wait for `established()` or `closed()`. */
  async dial(number: string): Promise<void> {
    await this.baresip.command('dial', this.#uri(number));
  }

  /** Picks up the ringing call. */
  async answer(): Promise<void> {
    await this.baresip.command('accept');
  }

  /** Hangs up, or refuses the ringing call as busy. */
  async hangup(): Promise<void> {
    await this.baresip.command('hangup');
  }

  /** Hangs up a call that the other side may end at this moment, too: then there is nothing left to do. */
  async leave(): Promise<void> {
    await this.hangup().catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.includes(' refused hangup ')) throw error;
    });
  }

  /** Mutes the microphone of the call: it sends silence. */
  async mute(): Promise<void> {
    await this.baresip.command('mute');
  }

  /** Puts the call on hold (`a=sendonly`). */
  async hold(): Promise<void> {
    await this.baresip.command('hold');
  }

  /** Takes the call back that is on hold. */
  async resume(): Promise<void> {
    await this.baresip.command('resume');
  }

  /** Sends the other party of the call to a number at the server, blind, by SIP REFER. */
  async transfer(number: string): Promise<void> {
    await this.baresip.command('transfer', this.#uri(number));
  }

  /** Presses keys, one after the other, as RFC 4733 events in the call. Returns when the last one is sent. */
  async digits(keys: string): Promise<void> {
    if (!/^[0-9A-D*#]+$/.test(keys)) throw new Star64Error('usage', `not keys of a telephone: ${keys}`);
    for (const key of keys) {
      await this.baresip.command('sndcode', key);
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

  /** Waits for an event of a type among those after `from` (an index of `events`); no longer than the program runs. */
  async event(type: RegExp, options: { from?: number; deadlineMs?: number } = {}): Promise<PhoneEvent> {
    const { events } = this.baresip;
    return await until(
      () =>
        `${String(type)} at phone ${this.user}, which saw ${events.map((event) => event.type).join(' ') || 'nothing'}`,
      () => {
        const found = events.slice(options.from ?? 0).find((event) => type.test(event.type));
        if (!found) this.baresip.alive();
        return found;
      },
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
    const recording = await this.recording();
    // Its end may be known at the other end of the line a moment before this phone has closed the file.
    await until(`the end of the recording of phone ${this.user}`, async () => {
      if (await isWhole(recording)) return true;
      this.baresip.alive();
      return undefined;
    });
    return recording;
  }

  /** The same of the call that began last, also while it goes on: the file grows, and its header says no length yet. */
  async recording(): Promise<string> {
    const directory = this.baresip.heardDirectory;
    return await until(`the recording of phone ${this.user}`, async () => {
      // Named by their time: "dump-2026-11-24-08-41-53-dec.wav"
      const last = (await readdir(directory))
        .filter((name) => name.endsWith('-dec.wav'))
        .sort()
        .at(-1);
      if (last === undefined) this.baresip.alive();
      return last === undefined ? undefined : join(directory, last);
    });
  }

  /**
   * What the phone hears in its newest call: how many bytes of it were recorded so far, and the last `samples` of them
   * (8 kHz, mono, 16 bit). A call of which nothing was heard yet has none.
   */
  async hearing(samples: number): Promise<{ bytes: number; last: Int16Array }> {
    this.baresip.unbroken();
    const directory = this.baresip.heardDirectory;
    const newest = (await readdir(directory))
      .filter((name) => name.endsWith('-dec.wav'))
      .sort()
      .at(-1);
    if (newest === undefined) return { bytes: 0, last: new Int16Array() };
    const file = await open(join(directory, newest));
    try {
      // The header says the length only when the call is over.
      const header = 44;
      const bytes = Math.max(0, (await file.stat()).size - header);
      const length = 2 * Math.min(samples, Math.floor(bytes / 2));
      const { buffer } = await file.read(
        Buffer.alloc(length),
        0,
        length,
        header + 2 * Math.floor(bytes / 2) - length,
      );
      return { bytes, last: Int16Array.from({ length: length / 2 }, (_, at) => buffer.readInt16LE(2 * at)) };
    } finally {
      await file.close();
    }
  }

  /** SIGKILL: the phone vanishes without a word, as one whose cable is pulled. */
  async kill(): Promise<void> {
    await this.baresip.kill();
  }

  /** Stops it in its tracks (SIGSTOP): it reads nothing that is sent to it until `thaw()`. */
  freeze(): void {
    this.baresip.freeze();
  }

  thaw(): void {
    this.baresip.thaw();
  }

  /** Switches it off and removes its directory. May be called twice. */
  async stop(): Promise<void> {
    await this.baresip.stop();
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

  /**
   * baresip sets a registration up with the account, so a change means a new account. It is there before the old one
   * goes, and nothing happens between: when its only account is deleted, baresip 1.0.0 goes on with the freed one as the
   * current one (`cmd_ua_delete` and `cmd_ua_next` in modules/menu), and dies, or not, when it dials.
   */
  async #account(registerEverySeconds: number): Promise<void> {
    const { user, secret, name, server, mode = 'manual' } = this.options;
    const aor = `sip:${user}@${server.host}:${server.port}`;
    const account =
      (name === undefined ? '' : `"${name}" `) +
      `<${aor};transport=udp>;answermode=${mode};regint=${registerEverySeconds};audio_codecs=pcmu` +
      (secret === undefined ? '' : `;auth_user=${user};auth_pass=${secret}`);
    // Of two of the same name `uadel` takes the older one, and makes the other the current one.
    if (this.#hasAccount) await this.baresip.commands(['uanew', account], ['uadel', aor]);
    else await this.baresip.command('uanew', account);
    this.#hasAccount = true;
  }
}
