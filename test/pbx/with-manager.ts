import { once } from 'node:events';
import { pino } from 'pino';
import type { Test } from 'tap';
import { AmiError } from '../../pbx/ami/errors.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { Manager, type ManagerSettings } from '../../pbx/ami/manager.js';
import { FakeAmi } from './fake-ami.js';

export const SECRET = 'S3cr3tOfTheTests';

export interface Bench {
  ami: FakeAmi;
  manager: Manager;
  /** Parsed log lines. */
  log: { level: number; msg: string; reason?: string }[];
  events: AmiMessage[];
}

/** A fake Asterisk and a manager that is about to connect to it; both end with the test. */
export async function bench(t: Test, settings: Partial<ManagerSettings> = {}): Promise<Bench> {
  const ami = new FakeAmi();
  await ami.start();
  const log: Bench['log'] = [];
  const write = (line: string): void => void log.push(JSON.parse(line) as Bench['log'][number]);
  const manager = new Manager(
    {
      host: '127.0.0.1',
      port: ami.port,
      username: 'star64',
      secret: SECRET,
      events: ['UserEvent', 'QueueMemberPause'],
      reconnectFirstMs: 5,
      reconnectMaxMs: 20,
      ...settings,
    },
    pino({ level: 'debug' }, { write }),
  );
  const events: AmiMessage[] = [];
  manager.on('event', (event) => events.push(event));
  t.teardown(async () => {
    await manager.stop();
    await ami.stop();
  });
  return { ami, manager, log, events };
}

/** The same, connected. */
export async function connected(t: Test, settings: Partial<ManagerSettings> = {}): Promise<Bench> {
  const made = await bench(t, settings);
  made.manager.start();
  await made.manager.whenUp(5_000);
  return made;
}

/** Resolves when everything Asterisk wrote before on its connection for events has been read. */
export async function eventsRead({ ami, manager, events }: Bench): Promise<void> {
  const marker = `Marker${events.length}`;
  ami.forEvents.say('Event: UserEvent', `UserEvent: ${marker}`);
  while (!events.some((event) => event.headers.get('userevent') === marker)) await once(manager, 'event');
}

/** The code of the error that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof AmiError ? error.code : String(error);
  }
}
