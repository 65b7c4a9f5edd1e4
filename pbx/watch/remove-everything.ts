import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Database } from '../../domain/database/pool.js';
import { releaseLeaderLease, takeLeaderLease } from '../../domain/database/leases.js';
import { fail } from '../../domain/errors.js';
import { isGenerationOf } from '../../domain/provisioning/generations.js';
import { readNode } from '../../domain/provisioning/node.js';
import type { ManagerActions } from '../ami/manager.js';
import { loadedGeneration } from '../loaded-dialplan.js';
import { readMarks } from '../queue/direct-calls-mark.js';
import { earlierMarks, removeMarks } from '../queue/earlier-marks.js';
import { QueueMembers } from '../queue/members.js';
import { readLamps } from '../queue/lamps.js';
import { directCallsMarks, eventsDevice, leaseVariable } from '../queue/names.js';
import { phonesAt } from '../queue/phones.js';
import { readQueues } from '../queue/status.js';
import { readQueueNames } from './compare/signed-in-phones.js';
import { judgeClaim, readClaim, removeClaim, unknownGeneration } from './claim.js';
import { inPortions } from './loops/in-portions.js';

/** Longer than everything here takes on a large node: no server leads meanwhile. */
const leaseSeconds = 60;

/** What was taken out of an Asterisk, by name. */
export interface RemovedFromAsterisk {
  /** `astercc-support PJSIP/astercc-5001` */
  members: string[];
  /** Phones that were marked as in wrap-up. */
  marks: string[];
  /** Devices that lamps show. */
  lamps: string[];
  /** Whether it said that it works for this installation. */
  claim: boolean;
}

/**
 * Takes out of an Asterisk what servers have put there: queue members, marks of wrap-ups, lamps, and whose it is. The
 * database stays as it is: a server that starts puts everything back. Once `ended` is there nothing more is begun, and
 * its reason is thrown, with the lease given back: what is left is taken out when it is asked for again.
 * @throws `conflict` while a server of the node runs, and when the Asterisk is another installation's; AmiError.
 */
export async function removeEverything(
  db: Database,
  node: string,
  asterisk: ManagerActions,
  log: Logger,
  ended: AbortSignal,
): Promise<RemovedFromAsterisk> {
  const manager = untilEnded(asterisk, ended);
  const holder = `remove-from-asterisk ${randomUUID()}`;
  if (!(await takeLeaderLease(db, node, holder, leaseSeconds))) {
    const row = await db('leader_leases').where({ node }).first<{ holder: string } | undefined>('holder');
    throw fail('server_running', {
      noun: 'node',
      name: node,
      facts: { holder: row?.holder },
      says: `a server of the node ${node} runs (${row?.holder ?? 'another one'}), and would put everything back`,
      remedy: { text: 'stop every `star64 serve` of this Asterisk first' },
    });
  }
  try {
    const ours = await readNode(db, node);
    const claim = await readClaim(manager);
    if (claim) judgeClaim(claim, ours, node);
    else {
      const loaded = await loadedGeneration(manager);
      if (loaded !== undefined && !(await isGenerationOf(db, node, loaded)))
        throw unknownGeneration(loaded, ours.installation);
    }
    const members = await removeMembers(db, node, manager, log);
    const marks = await removeMarks(manager, 'star64-wrapup');
    marks.push(...(await removeMarks(manager, 'CustomPresence/star64-wrapup')));
    marks.push(...(await removeDirectCallsMarks(manager)));
    const lamps = await removeLamps(manager);
    // "Over", which says more than "unknown": no wrap-up begins by the files, as long as they are loaded.
    await manager.action('Setvar', { Variable: leaseVariable, Value: '0' });
    await removeClaim(manager);
    return { members, marks, lamps, claim: claim !== undefined };
  } finally {
    await releaseLeaderLease(db, node, holder);
  }
}

/** Asks Asterisk nothing more once it is ended. */
const untilEnded = (manager: ManagerActions, ended: AbortSignal): ManagerActions => ({
  get connected() {
    return manager.connected;
  },
  action: async (...asked) => {
    ended.throwIfAborted();
    return manager.action(...asked);
  },
  list: async (...asked) => {
    ended.throwIfAborted();
    return manager.list(...asked);
  },
});

async function removeMembers(
  db: Database,
  node: string,
  manager: ManagerActions,
  log: Logger,
): Promise<string[]> {
  // A queue of the operator's is theirs, whoever is in it, and so is whom they have put into one of ours.
  const queues = await readQueueNames(db, node);
  const inQueues = (await readQueues(manager)).members.filter(({ queue }) => queues.has(queue));
  const phones = await phonesAt(
    db,
    node,
    inQueues.map(({ device }) => device),
  );
  const ours = inQueues.filter(({ device }) => phones.has(device));
  const told = new QueueMembers(db, manager, log);
  await inPortions(ours, ({ queue, device }) => told.signOut(queue, device));
  return ours.map(({ queue, device }) => `${queue} ${device}`).sort();
}

async function removeDirectCallsMarks(manager: ManagerActions): Promise<string[]> {
  const marked = [...((await readMarks(manager)) ?? new Map<string, string>()).keys()];
  const removed = await inPortions(marked, async (word) =>
    (await removeEntry(manager, `CustomPresence/${directCallsMarks}${word}`)) ? word : undefined,
  );
  const earlier = await removeMarks(manager, earlierMarks);
  return [...removed.flatMap((word) => word ?? []), ...earlier].sort();
}

/** False: there is none. What was deleted before is still listed until Asterisk starts anew. */
async function removeEntry(
  manager: ManagerActions,
  entry: string,
  before?: () => Promise<unknown>,
): Promise<boolean> {
  const { headers } = await manager.action('Getvar', { Variable: `DB_EXISTS(${entry})` });
  if (headers.get('value') !== '1') return false;
  await before?.();
  await manager.action('Setvar', { Variable: `DB_DELETE(${entry})`, Value: '' });
  return true;
}

async function removeLamps(manager: ManagerActions): Promise<string[]> {
  const named = [...((await readLamps(manager)) ?? new Map<string, string>()).keys()];
  const kept = await inPortions(named, async (device) => {
    const entry = device.replace(/^Custom:/, 'CustomDevstate/');
    // Off, since a phone that watches it shows the last state for as long as Asterisk knows the hint.
    const switchOff = () =>
      manager.action('Setvar', { Variable: `DEVICE_STATE(${device})`, Value: 'NOT_INUSE' });
    const removed = await removeEntry(manager, entry, switchOff);
    // That one is no lamp, and only goes with them.
    return removed && device !== eventsDevice ? device : undefined;
  });
  return kept.flatMap((device) => device ?? []).sort();
}
