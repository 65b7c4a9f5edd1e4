import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Star64Error } from '../domain/errors.js';
import { operatorConfiguration } from './asterisk-config.js';
import { isWrong } from './asterisk-log.js';
import { briefSounds } from './brief-sounds.js';
import { tree, type TreeOptions } from './debian.js';
import { loaderOf } from './loader.js';
import { LogFile } from './log.js';
import { PortBlock } from '../domain/machine/ports.js';
import { LabProcess, run, until } from '../domain/machine/processes.js';
import { temporaryDirectory } from '../domain/machine/temporary.js';
import { cutSounds, findSound, readSamples } from './wav.js';

export interface LabAsteriskOptions extends TreeOptions {
  /** Where configuration, state and logs go. Default: a new temporary directory, removed by `stop()`. */
  dir?: string;
  /** star64's output directory: `<generated>/current/extensions.conf` and its siblings are included where they exist. */
  generated?: string;
  /** Text to append to configuration files, by file name. */
  extra?: Record<string, string>;
  /** Event classes of the manager user. */
  amiRead?: string;
  /** Action classes of the manager user. */
  amiWrite?: string;
  /** False: without the log that `verbose` and `played` read, as a busy Asterisk runs. */
  verboseLog?: boolean;
  /** Whether Asterisk itself remembers queue members over a restart. Default: it does. */
  persistentMembers?: boolean;
  /**
   * Of every stock prompt only its first tenth of a second, where what is heard is known by its name alone: true, or the
   * names of those that stay whole.
   */
  briefPrompts?: boolean | readonly string[];
}

/** A private Asterisk on 127.0.0.1 with ports of its own; ends with its parent. Any number run side by side. */
export class LabAsterisk {
  #process: LabProcess | undefined;
  #loader: string[] = [];
  #log: LogFile;
  #verbose: LogFile;

  private constructor(
    private readonly root: string,
    private readonly ports: PortBlock,
    /** Holds `etc`, `state` and `log`. */
    readonly dir: string,
    private readonly runDir: string,
    private readonly ownsDir: boolean,
    /** Credentials of the manager user of `manager.conf`. */
    readonly ami: { host: string; port: number; username: string; secret: string },
  ) {
    this.#log = new LogFile(join(dir, 'log/messages'));
    this.#verbose = new LogFile(join(dir, 'log/verbose'));
  }

  /** Starts an Asterisk and waits until it is fully booted. A `failure` carries the reason from its log. */
  static async start(options: LabAsteriskOptions = {}): Promise<LabAsterisk> {
    const { root } = await tree('asterisk', options);
    const dir = options.dir ?? (await temporaryDirectory('asterisk'));
    // A socket's path has at most 108 characters (unix(7)), so its directory does not lie below `dir`.
    const runDir = await temporaryDirectory('run', tmpdir().length > 60 ? '/tmp' : tmpdir());
    const ports = await PortBlock.reserve('asterisk');
    const ami = {
      host: '127.0.0.1',
      port: ports.first + 1,
      username: 'star64',
      secret: randomBytes(18).toString('hex'),
    };
    const asterisk = new LabAsterisk(root, ports, dir, runDir, options.dir === undefined, ami);
    try {
      await asterisk.#configure(options);
      await asterisk.#boot();
    } catch (error) {
      await asterisk.stop();
      throw error;
    }
    return asterisk;
  }

  /** Host and UDP port of its SIP transport. */
  get sip(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.ports.first };
  }

  /** Process id, for a look at it from outside. */
  get pid(): number {
    return this.#running().pid;
  }

  /** The words that open its console; `-rx` and a command are added. */
  get consoleCommand(): string[] {
    return this.#command().flat();
  }

  /** The text answered by a console command. Asterisk's own exit status says nothing: judge by the text. */
  async console(command: string): Promise<string> {
    const { stdout } = await run(...this.#command('-rx', command));
    return stdout;
  }

  /** Reloads dialplan, queues, SIP, features, music and conference rooms, as an operator does after a change. */
  async reload(): Promise<void> {
    const commands = [
      'dialplan reload',
      'module reload res_pjsip.so',
      'module reload app_queue.so',
      'module reload features',
      'module reload res_musiconhold.so',
      'module reload app_confbridge.so',
    ];
    for (const command of commands) await this.console(command);
  }

  /** Stops it and starts it again on the same directories and ports; what it keeps in its database survives. */
  async restart(): Promise<void> {
    await this.#running().stop();
    await this.#boot();
  }

  /** Ends it, by force after five seconds, and removes its temporary directories. May be called twice. */
  async stop(): Promise<void> {
    this.thaw();
    await this.#process?.stop();
    this.#process = undefined;
    await this.ports.release();
    await rm(this.runDir, { recursive: true, force: true });
    if (this.ownsDir) await rm(this.dir, { recursive: true, force: true });
  }

  /** SIGKILL, as a crash would; `restart()` brings it back. */
  async kill(): Promise<void> {
    await this.#running().kill();
  }

  /** Stops it in its tracks (SIGSTOP): it answers nothing until `thaw()`. */
  freeze(): void {
    this.#running().signal('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Its log of notices, warnings and errors. */
  async logText(): Promise<string> {
    return (await this.#log.lines()).join('\n');
  }

  /** The WARNING and ERROR lines of its log, without those that nobody's configuration makes or keeps away. */
  async warnings(): Promise<string[]> {
    return (await this.#log.lines()).filter(isWrong);
  }

  /** Everything said at verbosity 3, and received DTMF digits: one line per dialplan step, prompt, queue event. */
  get verbose(): LogFile {
    return this.#verbose;
  }

  /** Lines of `queue_log`. */
  async queueLog(): Promise<string[]> {
    const text = await readFile(join(this.dir, 'log/queue_log'), 'utf8');
    return text.split('\n').filter((line) => line !== '');
  }

  /** Names of the prompts played so far to channels of a PJSIP endpoint, in order, such as `agent-loginok`. */
  async played(endpoint: string, from = 0): Promise<string[]> {
    const playing = playingTo(endpoint);
    return (await this.#verbose.lines()).slice(from).flatMap((line) => playing.exec(line)?.[1] ?? []);
  }

  /**
   * Waits until a prompt starts to play to a channel of the endpoint, after place `from` of the verbose log. Returns the place
   * behind it: the next prompt may be there already.
   */
  async waitPlayed(endpoint: string, prompt: string, from = 0, deadlineMs = 30_000): Promise<number> {
    const playing = playingTo(endpoint);
    return await until(
      `the prompt ${prompt} to ${endpoint}`,
      async () => {
        const lines = await this.#verbose.lines();
        const at = lines.findIndex((line, index) => index >= from && playing.exec(line)?.[1] === prompt);
        return at < 0 ? undefined : at + 1;
      },
      deadlineMs,
    );
  }

  /** Waits until Asterisk says, after place `from` of the verbose log, that a phone rings. */
  async waitRings(endpoint: string, from: number): Promise<void> {
    await this.#verbose.waitFor(new RegExp(`${channelOf(endpoint)} is ringing`), from);
  }

  /**
   * Which of these stock prompts occur in a phone's recording (`Phone.heard`), in the order in which they were heard:
   * what reached the ear, where `played` is what Asterisk says that it sent.
   */
  async recognise(recording: string, prompts: string[]): Promise<string[]> {
    const samples = await readSamples(recording);
    const found: { prompt: string; at: number }[] = [];
    for (const prompt of prompts) {
      const sound = await readSamples(join(this.dir, 'data/sounds/en', `${prompt}.wav`));
      const at = findSound(samples, sound);
      if (at !== undefined) found.push({ prompt, at });
    }
    return found.sort((one, other) => one.at - other.at).map(({ prompt }) => prompt);
  }

  async #configure(options: LabAsteriskOptions): Promise<void> {
    const [etc, data, state, log] = ['etc', 'data', 'state', 'log'].map((name) => join(this.dir, name)) as [
      string,
      string,
      string,
      string,
    ];
    await chmod(this.dir, 0o700);
    for (const path of [etc, join(data, 'sounds'), join(state, 'spool'), join(state, 'keys'), log]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
    const share = join(this.root, 'usr/share/asterisk');
    for (const [name, target] of [
      // The packages' own links are absolute ones through /etc/alternatives.
      ['sounds/en', 'sounds/en_US_f_Allison'],
      ['moh', 'moh'],
      ['documentation', 'documentation'],
      ['rest-api', 'rest-api'],
    ] as const) {
      await rm(join(data, name), { recursive: true, force: true });
      const { briefPrompts = false } = options;
      if (name !== 'sounds/en' || briefPrompts === false)
        await symlink(join(share, target), join(data, name));
      else if (briefPrompts === true) await symlink(await briefSounds(join(share, target)), join(data, name));
      else await cutSounds(join(share, target), join(data, name), briefPrompts);
    }
    const files = operatorConfiguration({
      etc,
      modules: join(await ownLibraries(this.root), 'asterisk/modules'),
      data,
      state,
      log,
      run: this.runDir,
      sipPort: this.sip.port,
      amiPort: this.ami.port,
      amiSecret: this.ami.secret,
      amiRead: options.amiRead ?? 'agent,call,user,system',
      amiWrite: options.amiWrite ?? 'agent,call,reporting',
      persistentMembers: options.persistentMembers ?? true,
      rtpFirst: this.ports.first + 9,
      rtpLast: this.ports.last,
      verboseLog: options.verboseLog ?? true,
      generated: options.generated,
      extra: options.extra ?? {},
    });
    for (const [name, text] of Object.entries(files)) await writeFile(join(etc, name), text, { mode: 0o600 });
  }

  async #boot(): Promise<void> {
    const { loader, path } = await loaderOf(this.root);
    const libraries = `${path}:${await ownLibraries(this.root)}`;
    this.#loader = [loader, '--library-path', libraries, join(this.root, 'usr/sbin/asterisk')];
    const socket = join(this.runDir, 'asterisk.ctl');
    // A crash leaves it behind, with nobody listening.
    await rm(socket, { force: true });
    const [command, args] = this.#command('-f');
    const child = await LabProcess.launch(command, args, {
      cwd: this.dir,
      outputFile: join(this.dir, 'log/output'),
    });
    this.#process = child;
    await until(
      'Asterisk to boot',
      async () => {
        if (!child.running) {
          const output = await readFile(join(this.dir, 'log/output'), 'utf8');
          throw new Star64Error('failure', `Asterisk ended while starting: ${output.slice(-500)}`);
        }
        if (!existsSync(socket)) return undefined;
        // The socket is there a moment before somebody listens at it.
        const answer = await this.console('core waitfullybooted').catch(() => '');
        return answer.includes('fully booted') ? true : undefined;
      },
      30_000,
    );
  }

  #command(...args: string[]): [string, string[]] {
    const [command = '', ...rest] = this.#loader;
    return [command, [...rest, '-C', join(this.dir, 'etc/asterisk.conf'), ...args]];
  }

  #running(): LabProcess {
    if (this.#process === undefined)
      throw new Star64Error('asterisk_unreachable', 'this lab Asterisk is stopped');
    return this.#process;
  }
}

/** Where the packages have Asterisk's own libraries and its modules: since Debian 12 in the architecture's directory. */
async function ownLibraries(root: string): Promise<string> {
  const places = [(await loaderOf(root)).libraries, join(root, 'usr/lib')];
  const place = places.find((one) => existsSync(join(one, 'asterisk/modules')));
  if (place === undefined) throw new Star64Error('failure', `no modules of Asterisk in ${root}`);
  return place;
}

function playingTo(endpoint: string): RegExp {
  // "<PJSIP/astercc-5000-0000001a> Playing 'agent-loginok.gsm' (language 'en')"
  return new RegExp(`<${channelOf(endpoint)}> Playing '([^']+)\\.[a-z0-9]+' `);
}

/** A pattern of the names of the channels of an endpoint: `PJSIP/astercc-5000-0000001a`. */
function channelOf(endpoint: string): string {
  return `PJSIP/${endpoint.replace(/[^A-Za-z0-9]/g, '\\$&')}-[0-9a-f]{8}`;
}
