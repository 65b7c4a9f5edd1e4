import { setTimeout as sleep } from 'node:timers/promises';
import { prepared, type Database } from '../../domain/database/pool.js';
import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { deviceOf, phoneOf, type PhoneName } from './names.js';
import { readQueues } from './status.js';

/** The endpoint of a device `PJSIP/…`; undefined for another kind of device. */
const endpointOf = (device: string): string | undefined =>
  /^PJSIP\/([A-Za-z0-9_.-]{1,60})$/.exec(device)?.[1];

/**
 * The phones behind devices: those with a name of ours, and endpoints of the operator's that are, or were last,
 * extensions on this node. Without those that are neither.
 */
export async function phonesAt(
  db: Database,
  node: string,
  devices: Iterable<string>,
): Promise<Map<string, PhoneName>> {
  const phones = new Map<string, PhoneName>();
  const others: string[] = [];
  for (const device of devices) {
    const phone = phoneOf(device);
    const endpoint = endpointOf(device);
    if (phone) phones.set(device, phone);
    else if (endpoint !== undefined) others.push(endpoint);
  }
  if (others.length === 0) return phones;
  const rows = await prepared<PhoneName & { endpoint: string }>(
    db,
    `select distinct on (x.endpoint) t.identity as team, x.number as extension, x.kind as "extensionKind", x.endpoint
     from extensions x join teams t on t.id = x.team_id
     where x.endpoint_node = ? and x.endpoint = any(?::text[])
     order by x.endpoint, x.removed_at desc nulls first`,
    [node, others],
  );
  for (const row of rows) phones.set(`PJSIP/${row.endpoint}`, row);
  return phones;
}

/**
 * The phones of queue members that are to be asked whether they are there, by device. After its start Asterisk takes each for
 * unavailable until it has asked it, which it spreads over the time between two such questions: a minute without agents.
 */
export async function silentPhones(manager: ManagerActions, db: Database, node: string): Promise<string[]> {
  const { members } = await readQueues(manager);
  const silent = new Set(members.filter(({ unavailable }) => unavailable).map(({ device }) => device));
  return [...(await phonesAt(db, node, silent)).keys()];
}

/**
 * Asks one, if it is a SIP phone. While Asterisk still reads its registrations it says that it will, and asks nobody.
 */
export async function askPhone(manager: ManagerActions, device: string): Promise<void> {
  const endpoint = endpointOf(device);
  if (endpoint === undefined) return;
  try {
    await manager.action('PJSIPQualify', { Endpoint: endpoint });
  } catch (error) {
    // Asterisk does not know it (any more): it stays unavailable.
    if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
  }
}

const reader =
  (manager: ManagerActions) =>
  async (expression: string): Promise<string> =>
    (await manager.action('Getvar', { Variable: expression })).headers.get('value') ?? '';

/** The names of the contacts of a SIP phone, of whose endpoint that is the name: those with which it has registered. */
async function contactsOf(manager: ManagerActions, phone: PhoneName, endpoint: string): Promise<string[]> {
  const read = reader(manager);
  const aor = phone.endpoint === null ? endpoint : await read(`PJSIP_ENDPOINT(${endpoint},aors)`);
  return (await read(`PJSIP_AOR(${aor},contact)`)).split(',').filter((contact) => contact !== '');
}

/**
 * The IP addresses from which a SIP phone has registered, as Asterisk saw them (rewrite_contact in pjsip.conf.hbs); none for one
 * that is not registered. @throws AmiError.
 */
export async function addressesOf(manager: ManagerActions, phone: PhoneName): Promise<string[]> {
  const endpoint = endpointOf(deviceOf(phone));
  if (endpoint === undefined) return [];
  const addresses = new Set<string>();
  for (const contact of await contactsOf(manager, phone, endpoint)) {
    const uri = await reader(manager)(`PJSIP_CONTACT(${contact},uri)`);
    const host = /^sips?:(?:[^@]*@)?(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?=[:;?>]|$)/.exec(uri);
    const address = host?.[1] ?? host?.[2];
    if (address !== undefined) addresses.add(address);
  }
  return [...addresses];
}

/** Asterisk gives a phone 3 s to answer (qualify_timeout); a feature code has 5 s for everything. */
const answerMs = 3500;
const lookMs = 50;

/**
 * Whether a SIP phone is gone: without a registration, or silent when Asterisk asks it now. The states of its device say
 * nothing of that while a call is left there. @throws AmiError.
 */
export async function isUnreachable(manager: ManagerActions, phone: PhoneName): Promise<boolean> {
  const endpoint = endpointOf(deviceOf(phone));
  if (endpoint === undefined) return false;
  const read = reader(manager);
  const [contact = '', ...more] = await contactsOf(manager, phone, endpoint);
  if (contact === '') return true;
  // One at most is ours (max_contacts in pjsip.conf.hbs); of several of the operator's it is not known which one is meant.
  if (more.length > 0) return false;
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
