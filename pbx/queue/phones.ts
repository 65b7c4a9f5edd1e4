import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { phoneOf } from './names.js';
import { readQueues } from './status.js';

/**
 * Asks the phones of queue members whether they are there. After its start Asterisk takes each for unavailable until
 * it has asked it, which it spreads over the time between two such questions: a minute without agents.
 */
export async function askPhones(manager: ManagerActions): Promise<void> {
  const { members } = await readQueues(manager);
  const silent = new Set(members.filter(({ unavailable }) => unavailable).map(({ device }) => device));
  for (const device of silent) {
    const phone = phoneOf(device);
    if (phone?.extensionKind !== 'sip') continue;
    try {
      await manager.action('PJSIPQualify', { Endpoint: `${phone.team}-${phone.extension}` });
    } catch (error) {
      // Asterisk does not know it (any more): it stays unavailable.
      if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
    }
  }
}
