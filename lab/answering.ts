import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Star64Error } from '../domain/errors.js';
import { tree, type TreeOptions } from './debian.js';
import { loaderOf } from './loader.js';
import { PortBlock } from '../domain/machine/ports.js';
import { LabProcess, until } from '../domain/machine/processes.js';
import { temporaryDirectory } from '../domain/machine/temporary.js';

export interface AnsweringOptions extends TreeOptions {
  /** SIP users with their digest passwords, such as `astercc-5001`. */
  logins: readonly { user: string; secret: string }[];
  server: { host: string; port: number };
  /** How long each call lasts, unless the other side hangs up before. */
  talkMs: number;
  /** A number of the same server to which they send every call on instead of picking up. */
  forwardTo?: string;
  /** What they say to every call at once, without ringing, such as `486 Busy Here`. */
  refuseWith?: string;
}

/** The scenarios lie beside the sources; the compiled code lies one level deeper. */
const scenario = (name: string): URL => new URL(`../../lab/scenarios/${name}.xml`, import.meta.url);

/**
 * Many registered phones in one sipp process that pick up at once, any number of calls at a time: for load, where a
 * `Phone` each would need the machine for itself.
 */
export class AnsweringPhones {
  private constructor(
    private readonly ports: PortBlock,
    private readonly dir: string,
    private sipp: LabProcess | undefined,
  ) {}

  /** Registers all and waits until they answer. */
  static async start(options: AnsweringOptions): Promise<AnsweringPhones> {
    const phones = new AnsweringPhones(
      await PortBlock.reserve('phone'),
      await temporaryDirectory('answering'),
      undefined,
    );
    try {
      await phones.#start(options);
    } catch (error) {
      await phones.stop();
      throw error;
    }
    return phones;
  }

  /** Hangs up whatever is left. May be called twice. */
  async stop(): Promise<void> {
    await this.sipp?.stop(2000);
    await this.ports.release();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #start({
    logins,
    server,
    talkMs,
    forwardTo,
    refuseWith,
    ...options
  }: AnsweringOptions): Promise<void> {
    const { root } = await tree('phones', options);
    const { loader, path } = await loaderOf(root);
    const { first } = this.ports;
    const launch = async (name: string, text: string, args: string[]): Promise<LabProcess> => {
      const file = join(this.dir, `${name}.xml`);
      await writeFile(file, text);
      return await LabProcess.launch(
        loader,
        [
          ...[
            '--library-path',
            path,
            join(root, 'usr/bin/sipp'),
            `${server.host}:${server.port}`,
            '-sf',
            file,
          ],
          ...['-i', '127.0.0.1', '-p', String(first), '-mi', '127.0.0.1', '-mp', String(first + 2)],
          ...['-ci', '127.0.0.1', '-cp', String(first + 6), '-nostdin', ...args],
        ],
        { cwd: this.dir, outputFile: join(this.dir, `${name}.log`) },
      );
    };
    const list = join(this.dir, 'logins.csv');
    const lines = logins.map(
      ({ user, secret }) => `${user};[authentication username=${user} password=${secret}]`,
    );
    await writeFile(list, ['SEQUENTIAL', ...lines, ''].join('\n'), { mode: 0o600 });
    // From the port on which the calls come in: Asterisk takes a contact to be where its registration came from.
    const register = await launch('register', await readFile(scenario('register'), 'utf8'), [
      ...['-inf', list, '-m', String(logins.length), '-r', '50', '-recv_timeout', '20000'],
    ]);
    const { status } = await register.exited;
    if (status !== 0) {
      const output = await readFile(join(this.dir, 'register.log'), 'utf8');
      throw new Star64Error('failure', `the phones could not register: ${output.slice(-800)}`);
    }
    const says = forwardTo === undefined ? refuseWith : '302 Moved Temporarily';
    const name = says === undefined ? 'answer' : 'forward';
    const answer = (await readFile(scenario(name), 'utf8'))
      .replace('[talk_ms]', String(Math.max(1, talkMs)))
      .replace('[status]', says ?? '')
      .replace('[forward_to]', forwardTo ?? 'nobody');
    this.sipp = await launch('answer', answer, ['-aa']);
    await until('the phones to answer', async () => {
      const table = await readFile('/proc/net/udp', 'utf8');
      return table.includes(`0100007F:${first.toString(16).toUpperCase().padStart(4, '0')} `)
        ? true
        : undefined;
    });
  }
}
