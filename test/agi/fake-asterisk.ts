import { connect, type Socket } from 'node:net';
import { proofFor } from '../../agi/proof.js';
import { environment } from './wire.js';

/** Words of a command line by Asterisk's rules: blanks separate, `"` toggles quoting anywhere, `\` takes the next as is. */
export function parseWords(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let begun = false;
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line.charAt(i);
    if (character === '\\') word += line.charAt(++i);
    else if (character === '"') quoted = !quoted;
    else if (!quoted && (character === ' ' || character === '\t')) {
      if (begun) words.push(word);
      word = '';
      begun = false;
      continue;
    } else word += character;
    begun = true;
  }
  if (begun) words.push(word);
  return words;
}

export interface FakeCall {
  readonly port: number;
  readonly script: string;
  /** Arguments after the proof. */
  readonly args?: readonly string[];
  /** Makes the proof; without it, `proof` (or no argument at all) is sent. */
  readonly token?: string;
  readonly proof?: string;
  readonly uniqueid?: string;
  /** Lines of the environment that differ, by their full name. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Answers (without LF) to commands that this Asterisk does not know, or knows otherwise; `null` = never answers. */
  readonly answer?: (words: readonly string[]) => string | null | undefined;
  /** Writes the environment in pieces of so many bytes, each in a packet of its own. */
  readonly pieces?: number;
  /** Says HANGUP after so many commands were answered. */
  readonly hangupAfter?: number;
}

export interface FakeResult {
  /** Every command that came, word by word. */
  readonly commands: readonly (readonly string[])[];
  /** What SET VARIABLE left behind. */
  readonly variables: ReadonlyMap<string, string>;
  readonly verbose: readonly string[];
}

/**
 * Plays one call of Asterisk against a real server, and resolves when the server closes, as AGI() returns then.
 * Fails on a command that it does not know: a script that sends something new needs a test that knows the answer.
 */
export async function call(options: FakeCall): Promise<FakeResult> {
  const uniqueid = options.uniqueid ?? '1700000000.1';
  const proof =
    options.token === undefined ? options.proof : proofFor(uniqueid, options.script, options.token);
  const bytes = Buffer.from(
    environment(
      { agi_network_script: options.script, agi_uniqueid: uniqueid, ...options.environment },
      proof === undefined ? [] : [proof, ...(options.args ?? [])],
    ),
  );
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
  const asterisk = new FakeAsterisk(socket, options);
  await write(socket, bytes, options.pieces ?? bytes.length);
  return asterisk.done;
}

async function write(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  for (let i = 0; i < bytes.length && !socket.destroyed; i += size) {
    socket.write(bytes.subarray(i, i + size));
    await new Promise(setImmediate);
  }
}

class FakeAsterisk {
  readonly done: Promise<FakeResult>;
  readonly #variables = new Map<string, string>();
  readonly #commands: string[][] = [];
  readonly #verbose: string[] = [];
  #partial = '';

  constructor(
    private readonly socket: Socket,
    private readonly options: FakeCall,
  ) {
    this.done = new Promise((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => {
        try {
          this.#receive(chunk.toString('utf8'));
        } catch (error) {
          socket.destroy();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      // A reset is an end like any other for Asterisk (AGISTATUS is SUCCESS); a refused connection is not.
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
      });
      socket.on('close', () =>
        resolve({ commands: this.#commands, variables: this.#variables, verbose: this.#verbose }),
      );
    });
  }

  #receive(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    if (lines.length > 1) throw new Error(`${lines.length} commands at once`);
    for (const line of lines) {
      const words = parseWords(line);
      this.#commands.push(words);
      const answer = this.options.answer?.(words);
      if (answer === null) return;
      this.socket.write(`${answer ?? this.#answer(words)}\n`);
      if (this.#commands.length === this.options.hangupAfter) this.socket.write('HANGUP\n');
    }
  }

  #answer(words: readonly string[]): string {
    if (words[0] === 'SET' && words[1] === 'VARIABLE' && words.length === 4) {
      this.#variables.set(words[2] ?? '', words[3] ?? '');
      return '200 result=1';
    }
    if (words[0] === 'VERBOSE' && words.length <= 3) {
      this.#verbose.push(words[1] ?? '');
      return '200 result=1';
    }
    if (words[0] === 'NOOP') return '200 result=0';
    throw new Error(`this Asterisk does not know: ${words.join(' ')}`);
  }
}
