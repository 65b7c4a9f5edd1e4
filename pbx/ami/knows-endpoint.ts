import { pino } from 'pino';
import { Manager } from './manager.js';
import type { ManagerSettings } from './settings.js';

/** A person waits for the command that asks. */
const deadlineMs = 2000;

/**
 * Whether Asterisk has loaded a PJSIP endpoint of this name, by its device state, which the manager user of the server
 * may read. @throws AmiError when Asterisk cannot be asked within two seconds.
 */
export async function knowsEndpoint(
  settings: Pick<ManagerSettings, 'host' | 'port' | 'username' | 'secret'>,
  endpoint: string,
): Promise<boolean> {
  const manager = new Manager({ ...settings, events: false }, pino({ enabled: false }));
  manager.start();
  try {
    await manager.whenUp(deadlineMs);
    const { headers } = await manager.action(
      'Getvar',
      { Variable: `DEVICE_STATE(PJSIP/${endpoint})` },
      { deadlineMs },
    );
    return headers.get('value') !== 'INVALID';
  } finally {
    await manager.stop();
  }
}
