import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { run } from '../../../cli/program.js';
import { patient } from '../../../lab/patience.js';

export interface CliResult {
  status: number | null;
  out: string;
  err: string;
}

export interface CliOptions {
  /** The whole environment besides what Node needs; nothing of the tester's own leaks in. */
  env?: Record<string, string>;
  input?: string;
  terminal?: boolean;
  cwd?: string;
}

/** What this machine's own star64 keeps is no part of a test. */
const nowhere = { STAR64_DATA_DIR: '/nonexistent/data' };

/** Runs a command line in this process; `terminal` renders for a person. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  let out = '';
  let err = '';
  const status = await run(args, {
    env: { ...nowhere, ...options.env },
    cwd: options.cwd ?? '/nonexistent',
    systemConfig: '/nonexistent/star64.yml',
    out: (text) => (out += text),
    err: (text) => (err += text),
    terminal: options.terminal ?? false,
    readInput: () => Promise.resolve(options.input ?? ''),
    now: () => new Date('2026-01-02T03:04:05Z'),
    pool: patient,
  });
  return { status, out, err };
}

const main = fileURLToPath(new URL('../../../cli/main.js', import.meta.url));

/**
 * Runs `star64` as a process of its own, as a user does. `onErr` hears what it says on stderr as it comes, `onStart` gets the process.
 */
export function star64(
  args: readonly string[],
  options: CliOptions & {
    onErr?: (text: string) => void;
    onStart?: (child: ChildProcess) => void;
  } = {},
  node: readonly string[] = [],
): Promise<CliResult> {
  // Without what tap puts before every Node program: a third of a second of CPU for each, and no coverage is wanted.
  const child = spawn('env', ['--unset=NODE_OPTIONS', process.execPath, ...node, main, ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      ...nowhere,
      ...(options.cwd === undefined && { STAR64_CONFIG: '/dev/null' }),
      ...options.env,
    },
    cwd: options.cwd,
    stdio: 'pipe',
  });
  options.onStart?.(child);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    options.onErr?.(text);
  });
  // A command that fails before it reads its input closes the pipe: its exit status is what the test looks at.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, out, err }));
  });
}
