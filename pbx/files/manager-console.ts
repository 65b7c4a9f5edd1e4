import { pino } from 'pino';
import { Star64Error } from '../../domain/errors.js';
import { AmiError } from '../ami/errors.js';
import { Manager } from '../ami/manager.js';
import { values } from '../ami/message.js';
import type { ManagerSettings } from '../ami/settings.js';
import type { Console } from './console.js';

/** The longest that a reload of a large site takes. */
const commandDeadlineMs = 120_000;
const loginDeadlineMs = 10_000;

/**
 * The console of an Asterisk that is reached through its manager, as a user of its own with the class `command`: the
 * server's user must not have that. `close` ends the connection.
 * @throws `asterisk_unreachable` when the login fails.
 */
export async function managerConsole(
  account: Pick<ManagerSettings, 'host' | 'port' | 'username' | 'secret'>,
): Promise<{ console: Console; close: () => Promise<void> }> {
  const manager = new Manager(
    { ...account, events: false, actionDeadlineMs: commandDeadlineMs },
    pino({ enabled: false }),
  );
  manager.start();
  try {
    await manager.whenUp(loginDeadlineMs);
  } catch (error) {
    await manager.stop();
    throw away(error as Error);
  }
  return {
    console: async (command) => {
      try {
        return values(await manager.action('Command', { Command: command }), 'output').join('\n');
      } catch (error) {
        // So the manager answers a command that finds nothing, whose text then says so.
        if (error instanceof AmiError && /output follows/.test(error.message)) return '';
        if (error instanceof AmiError && error.code === 'rejected') throw away(error);
        throw error;
      }
    },
    close: () => manager.stop(),
  };
}

const away = (error: Error): Star64Error =>
  new Star64Error(
    'asterisk_unreachable',
    `${error.message}\nami.apply_username and ami.apply_secret name a user of manager.conf with "write = command".`,
    { cause: error },
  );
