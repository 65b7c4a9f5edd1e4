import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import type { Test } from 'tap';
import { AgiServer, type AgiServerSettings, type Script } from '../../agi/server.js';

export const token = 'a-token-for-tests-of-32-letters!';

export interface Serving {
  readonly server: AgiServer;
  readonly port: number;
  /** Lines of the log, parsed. */
  readonly log: Record<string, unknown>[];
}

/** A started server on a port of its own; closed when the test ends. */
export async function serve(
  t: Test,
  scripts: Record<string, Script>,
  settings: Partial<AgiServerSettings> = {},
): Promise<Serving> {
  const log: Record<string, unknown>[] = [];
  const logger = pino(
    { level: 'debug' },
    { write: (line: string) => log.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const server = new AgiServer({ port: 0, token, ...settings }, new Map(Object.entries(scripts)), logger);
  const { port } = await server.start();
  t.teardown(() => server.close());
  return { server, port, log };
}

/** A connection that is up; says nothing by itself. */
export async function dial(t: Test, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined); // a reset is one of the ends that are tested
  socket.resume();
  return socket;
}

/** A gate that a script waits at: `passed` when it came, `open` lets it on. */
export function gate(): { wait: () => Promise<void>; passed: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  let pass = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const passed = new Promise<void>((resolve) => (pass = resolve));
  return {
    wait: () => {
      pass();
      return opened;
    },
    passed,
    open: () => open(),
  };
}
