import { setTimeout as sleep } from 'node:timers/promises';
import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { phoneOf, type PhoneName } from './names.js';
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

/** Asterisk gives a phone 3 s to answer (qualify_timeout); a feature code has 5 s for everything. */
const answerMs = 3500;
const lookMs = 50;

/**
 * Whether a SIP phone is gone: without a registration, or silent when Asterisk asks it now. The states of its device say
 * nothing of that while a call is left there. @throws AmiError.
 */
export async function isUnreachable(manager: ManagerActions, phone: PhoneName): Promise<boolean> {
  if (phone.extensionKind !== 'sip') return false;
  const endpoint = `${phone.team}-${phone.extension}`;
  const read = async (expression: string): Promise<string> =>
    (await manager.action('Getvar', { Variable: expression })).headers.get('value') ?? '';
  // One contact at most: max_contacts in pjsip.conf.hbs.
  const contact = (await read(`PJSIP_AOR(${endpoint},contact)`)).split(',')[0] ?? '';
  if (contact === '') return true;
  const ask = async (): Promise<string> => read(`PJSIP_CONTACT(${contact},rtt)`);
  const before = await ask();
  await manager.action('PJSIPQualify', { Endpoint: endpoint });
  const until = performance.now() + answerMs;
  while (performance.now() < until) {
    if ((await read(`PJSIP_CONTACT(${contact},status)`)) === 'Unreachable') return true;
    // Microseconds that its last answer took: it has answered once more.
    if ((await ask()) !== before) return false;
    await sleep(lookMs);
  }
  return false;
}
