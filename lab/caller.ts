import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Star64Error } from '../domain/errors.js';
import { tree, type TreeOptions } from './debian.js';
import { loaderOf } from './loader.js';
import { Phone } from './phone.js';
import { PortBlock } from '../domain/machine/ports.js';
import { LabProcess } from '../domain/machine/processes.js';
import { temporaryDirectory } from '../domain/machine/temporary.js';

/** The address from which `pjsip.conf` of the lab expects the trunk whose calls come in at `star64-inbound`. */
const trunkAddress = '127.0.0.99';

/** The crowd's scenario lies beside the sources; the compiled code lies one level deeper. */
const template = new URL('../../lab/scenarios/crowd.xml', import.meta.url);

export interface CallOptions extends TreeOptions {
  /** The customer's number, as the trunk presents it. */
  from: string;
  /** The customer's name. Default: none. */
  name?: string;
  /** The dialled number. */
  to: string;
  server: { host: string; port: number };
  /** The trunk's address. Default: 127.0.0.99, the trunk of `star64-inbound`. */
  address?: string;
  /** A WAV file (8 kHz, mono, 16 bit) to speak. Default: silence. */
  speak?: string;
  /** As a phone's. */
  jitterBuffer?: boolean;
}

/**
 * One customer who calls in over the trunk, with a phone of their own: they stay until told to hang up, or until the
 * other side does.
 */
export class Caller {
  private constructor(
    /** For what a customer does in a call beside hanging up: `digits`, and `heard` before `hangup` or `ended`. */
    readonly phone: Phone,
  ) {}

  /** Calls. Returns as soon as the number is dialled. */
  static async call(options: CallOptions): Promise<Caller> {
    return (await Caller.about(options))();
  }

  /** Has the phone ready; the function that it returns calls, as `call` does: for who must not be late. */
  static async about(options: CallOptions): Promise<() => Promise<Caller>> {
    const { from, to, address = trunkAddress, ...rest } = options;
    const phone = await Phone.start({ ...rest, user: from, address });
    return async () => {
      try {
        await phone.dial(to);
      } catch (error) {
        await phone.stop();
        throw error;
      }
      return new Caller(phone);
    };
  }

  /** Waits until they hear that it rings. */
  async ringing(deadlineMs?: number): Promise<void> {
    await this.phone.ringing(deadlineMs);
  }

  /** Waits until the call is answered; a queue or an announcement answers too. */
  async answered(deadlineMs?: number): Promise<void> {
    await this.phone.established(deadlineMs);
  }

  /** Waits until the call has ended, from the other side or because it was refused; returns why. */
  async ended(deadlineMs?: number): Promise<string> {
    const { param = '' } = await this.phone.event(
      /^CALL_CLOSED$/,
      deadlineMs === undefined ? {} : { deadlineMs },
    );
    await this.phone.stop();
    return param;
  }

  /** Hangs up, or gives up while it still rings (CANCEL), and waits until that is confirmed. */
  async hangup(): Promise<void> {
    if (!this.phone.events.some((event) => event.type === 'CALL_CLOSED')) await this.phone.leave();
    await this.ended();
  }
}

export interface CrowdOptions extends TreeOptions {
  /** What is dialled; of several numbers one after the other, by turns. */
  to: string | readonly string[];
  server: { host: string; port: number };
  address?: string;
  /** New calls in a second. */
  rate: number;
  /** Calls in all. */
  total: number;
  /** Most calls at a time. Default: no limit but `total`. */
  concurrent?: number;
  /** How long a caller talks before they hang up. Default: 0. */
  holdMs?: number;
  /** How long a caller waits for an answer; after that the call has failed. Default: 60 s. */
  patienceMs?: number;
  /** What the customers' numbers begin with; the number of the call follows. Default: `555`. */
  from?: string;
  /** Ends the crowd when aborted; calls in progress are dropped. */
  signal?: AbortSignal;
}

export interface CrowdResult {
  /** Answered, and ended by either side in good order. */
  successful: number;
  failed: number;
  /** Of the failed ones: how many for each SIP response that was not expected, such as `{ '486': 3 }`. */
  responses: Record<string, number>;
  /** What sipp says of the failed ones, with the messages that it did not expect: of the first ten. */
  errors: string[];
  /** Of the failed ones: no answer to a message, or within `patienceMs`. */
  timedOut: number;
  /** From the first call to the end of the last, in seconds. */
  seconds: number;
  /** Messages that had to be sent again: more than a few say that somebody could not keep up. */
  retransmissions: number;
  /** From INVITE to 200, mean and standard deviation in milliseconds, as sipp measures them. */
  answerMs: { mean: number; deviation: number };
}

/** A crowd of customers who call in over the trunk, by sipp. Resolves when the last call has ended. */
export async function crowd(options: CrowdOptions): Promise<CrowdResult> {
  const { to, server, address = trunkAddress, rate, total, holdMs = 0, from = '555' } = options;
  const numbers = typeof to === 'string' ? [to] : to;
  for (const value of [...numbers, from]) {
    if (!/^[0-9*#+]+$/.test(value)) throw new Star64Error('usage', `not a number to call: ${value}`);
  }
  const { root } = await tree('phones', options);
  const { loader, path } = await loaderOf(root);
  const dir = await temporaryDirectory('crowd');
  const ports = await PortBlock.reserve('phone');
  try {
    const statistics = join(dir, 'statistics.csv');
    const scenario = join(dir, 'crowd.xml');
    // sipp takes a variable nearly everywhere, but not for how long to wait for a message.
    await writeFile(
      scenario,
      (await readFile(template, 'utf8'))
        .replace('[hold_ms]', String(Math.max(1, holdMs)))
        .replaceAll('[service]', '[field0]'),
    );
    await writeFile(
      join(dir, 'numbers.csv'),
      ['SEQUENTIAL', ...numbers.map((number) => `${number.replaceAll('#', '%23')};`), ''].join('\n'),
    );
    const sipp = await LabProcess.launch(
      loader,
      [
        ...['--library-path', path, join(root, 'usr/bin/sipp'), `${server.host}:${server.port}`],
        ...['-i', address, '-p', String(ports.first), '-mi', address, '-mp', String(ports.first + 2)],
        ...['-ci', '127.0.0.1', '-cp', String(ports.first + 6), '-nostdin', '-sf', scenario],
        ...['-inf', join(dir, 'numbers.csv'), '-key', 'caller_number', from],
        ...['-recv_timeout', String(options.patienceMs ?? 60_000)],
        ...['-r', String(rate), '-m', String(total), '-l', String(options.concurrent ?? total)],
        ...['-trace_stat', '-stf', statistics, '-fd', '1', '-trace_error_codes'],
        ...['-trace_err', '-error_file', join(dir, 'errors')],
      ],
      { cwd: dir, outputFile: join(dir, 'output') },
    );
    const abort = (): void => sipp.signal('SIGTERM');
    options.signal?.addEventListener('abort', abort);
    const { status } = await sipp.exited;
    options.signal?.removeEventListener('abort', abort);
    // 1 says that at least one call failed, which is a result and not a failure of sipp.
    if (status !== 0 && status !== 1) {
      const output = await readFile(join(dir, 'output'), 'utf8');
      throw new Star64Error('failure', `sipp ended with status ${String(status)}: ${output.slice(-800)}`);
    }
    return {
      ...parseStatistics(await readFile(statistics, 'utf8')),
      responses: await errorCodes(dir),
      errors: await errorsOf(join(dir, 'errors')),
    };
  } finally {
    await ports.release();
    await rm(dir, { recursive: true, force: true });
  }
}

/** The last line of sipp's statistics: one row of column names ending in (C) for the whole run, then one per second. */
export function parseStatistics(csv: string): Omit<CrowdResult, 'errors' | 'responses'> {
  const rows = csv
    .trim()
    .split('\n')
    .map((line) => line.split(';'));
  const names = rows[0] ?? [];
  const last = rows.at(-1) ?? [];
  const value = (name: string): string => {
    const at = names.indexOf(name);
    if (at < 0 || rows.length < 2) throw new Star64Error('failure', `sipp's statistics have no ${name}`);
    return last[at] ?? '';
  };
  return {
    successful: Number(value('SuccessfulCall(C)')),
    failed: Number(value('FailedCall(C)')),
    timedOut:
      Number(value('FailedMaxUDPRetrans(C)')) +
      Number(value('FailedTimeoutOnRecv(C)')) +
      Number(value('FailedTimeoutOnSend(C)')),
    seconds: epoch(value('CurrentTime')) - epoch(value('StartTime')),
    retransmissions: Number(value('Retransmissions(C)')),
    answerMs: {
      mean: milliseconds(value('ResponseTime1(C)')),
      deviation: milliseconds(value('ResponseTime1StDev(C)')),
    },
  };
}

/** sipp writes times as hours, minutes, seconds and microseconds: "00:00:01:500000". */
function milliseconds(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0, micros = 0] = time.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + micros / 1000;
}

/** Moments come as date, time and seconds since 1970, separated by tabs. */
function epoch(moment: string): number {
  return Number(moment.split('\t').at(-1));
}

/** Its file of errors tells the end of hold_ms as well, without a line of its own. */
async function errorsOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split(/(?=\d{4}-\d\d-\d\d\t)/)
    .slice(1)
    .filter((error) => !error.includes('jumping to label'))
    .slice(0, 10);
}

async function errorCodes(dir: string): Promise<Record<string, number>> {
  const file = (await readdir(dir)).find((name) => name.endsWith('_error_codes.csv'));
  if (file === undefined) return {};
  const counts: Record<string, number> = {};
  const text = await readFile(join(dir, file), 'utf8');
  for (const code of text.match(/\b[3-6]\d\d\b(?=[\s;,]|$)/gm) ?? []) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
