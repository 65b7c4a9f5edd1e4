/** A FastAGI server in a process of its own: star64's with the routing of a database, or ding-dong with one command. */
import { createServer, type AddressInfo } from 'node:net';
import DingDong from 'ding-dong';
import { pino } from 'pino';
import { inbound } from '../../agi/scripts/inbound.js';
import type { Services } from '../../agi/scripts/script.js';
import { AgiServer } from '../../agi/server.js';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { CallSteps } from '../../domain/calls/records/steps.js';
import { Routing } from '../../domain/calls/routing/routing.js';
import { connect } from '../../domain/database/pool.js';
import { ownCpuSeconds, script, token, value, variable } from './wire.js';

const host = '127.0.0.1';
const [, , url] = process.argv;

async function star64(url: string): Promise<number> {
  const log = pino({ level: 'warn' });
  const db = connect(url);
  const routing = new Routing(db, 'default');
  await routing.load();
  const services = {
    db,
    routing,
    journal: new CallJournal(db, 'default', log),
    steps: new CallSteps(db, 'default', log),
    log,
  } as unknown as Services;
  const server = new AgiServer(
    { token, host, port: 0 },
    new Map([[script, (session, args) => inbound(services, session, args)]]),
    log,
  );
  return (await server.start()).port;
}

async function bare(): Promise<number> {
  // It takes port 0 for "not given".
  const unused = createServer().listen(0, host);
  await new Promise((resolve) => unused.once('listening', resolve));
  const { port } = unused.address() as AddressInfo;
  await new Promise((resolve) => unused.close(resolve));
  const server = new DingDong(
    (context) =>
      void context.onEvent('variables').then(async () => {
        await context.setVariable(variable, value);
        await context.end();
      }),
  ).start(port, host);
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  return port;
}

process.on('message', () => process.send?.({ cpuSeconds: ownCpuSeconds() }));
process.on('disconnect', () => process.exit(0));
process.send?.({ port: await (url === undefined ? bare() : star64(url)) });
