/** One FastAGI server in a process of its own, by its name: star64's, ding-dong as its README has it, or the limit. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import DingDong from 'ding-dong';
import { pino } from 'pino';
import { AgiServer, type Script } from '../../agi/server.js';
import {
  commandsPerSession,
  ownCpuSeconds,
  script,
  token,
  value,
  variable,
  type ResponderMessage,
} from './wire.js';

const host = '127.0.0.1';

const responders: Record<string, () => Promise<number>> = {
  star64: async () => {
    const answer: Script = async (session) => {
      for (let n = 0; n < commandsPerSession; n++) await session.setVariable(variable, value);
    };
    const server = new AgiServer(
      { token, host, port: 0 },
      new Map([[script, answer]]),
      pino({ level: 'warn' }),
    );
    return (await server.start()).port;
  },

  'ding-dong': async () => {
    const server = new DingDong(
      (context) =>
        void context.onEvent('variables').then(async () => {
          for (let n = 0; n < commandsPerSession; n++) await context.setVariable(variable, value);
          await context.end();
        }),
    );
    // It takes port 0 for "not given".
    return await listening(server.start(await unusedPort(), host));
  },

  /** As little as a Node process can do: it looks for line ends and knows what comes next. */
  'node:net': async () => {
    const command = `SET VARIABLE ${variable} "${value}"\n`;
    const server = createServer({ noDelay: true }, (socket) => {
      let begun = false;
      let text = '';
      let sent = 0;
      socket.setEncoding('latin1');
      socket.on('error', () => undefined);
      socket.on('data', (chunk: string) => {
        text += chunk;
        if (!text.endsWith(begun ? '\n' : '\n\n')) return;
        begun = true;
        text = '';
        if (sent++ < commandsPerSession) socket.write(command);
        else socket.end();
      });
    });
    return await listening(server.listen(0, host));
  },
};

async function listening(server: Server): Promise<number> {
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, host);
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const start = responders[process.argv[2] ?? ''];
if (!start) throw new Error(`no such responder: ${String(process.argv[2])}`);
const tell = (message: ResponderMessage): void => void process.send?.(message);
process.on('message', () => tell({ cpuSeconds: ownCpuSeconds() }));
process.on('disconnect', () => process.exit(0));
tell({ port: await start() });
