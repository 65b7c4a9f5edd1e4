import { pino } from 'pino';
import type { Test } from 'tap';
import { CallJournal } from '../../../domain/calls/records/journal.js';
import { PopupMemory } from '../../../domain/popups/popup-memory.js';
import { bindings } from '../../../domain/provisioning/features/binding.js';
import { setExtension } from '../../../domain/provisioning/numbers/extension.js';
import { crowd, provision } from '../../../lab/provision.js';
import type { AmiMessage } from '../../../pbx/ami/message.js';
import { Observer } from '../../../pbx/watch/events/observer.js';
import { freshDatabase } from '../database.js';
import { enter } from './event-feed.js';

const log = pino({ enabled: false });

/** Agents 1001 and on at phones in agent mode; with `application`, a binding holds for every call that is not said to have none. */
export async function popupSite(t: Test, { application = true, phones = 2 } = {}) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(phones));
  for (let n = 1; n <= phones; n++) {
    await enter(db, n);
    await setExtension(db, 'astercc', `500${n}`, { agentMode: true });
  }
  const binding = { name: 'crm', application: 'third_party', link: null };
  if (application) await bindings.add(db, 'astercc', 'crm', { application: 'third_party' });
  const memory = new PopupMemory(db, 'default');
  await memory.load();
  const server = (): Observer =>
    new Observer(db, 'default', log, {
      deadlineSet: () => undefined,
      missed: () => t.fail('missed'),
      popups: memory,
    });
  const statements: string[] = [];
  db.on('query', ({ sql }: { sql: string }) => statements.push(sql));
  const arrives = async (uniqueid: string, { bound = application } = {}): Promise<void> => {
    const journal = new CallJournal(db, 'default', log);
    journal.add({
      uniqueid,
      team: 'astercc',
      did: '600100',
      caller: '+4930',
      destination: null,
      ...(bound && { binding }),
    });
    await journal.flush();
  };
  const popups = () =>
    db('popups as p')
      .join('extensions as x', 'x.id', 'p.extension_id')
      .orderBy(['x.number', 'p.kind'])
      .select<{ phone: string; kind: string; answered: boolean; outcome: string | null }[]>(
        'x.number as phone',
        'p.kind',
        db.raw('p.answered_at is not null as answered'),
        'p.outcome',
      );
  return { db, memory, server, arrives, popups, statements };
}

export const event = (name: string, headers: Record<string, string>): AmiMessage => ({
  name,
  headers: new Map(Object.entries(headers)),
  repeated: new Map(),
});
export const trunk = { channel: 'PJSIP/lab-trunk-00000001', uniqueid: 'call.1', linkedid: 'call.1' };
export const inQueue = { ...trunk, queue: 'astercc-support', calleridnum: '+4930' };
const phone = (n: number) => ({
  destchannel: `PJSIP/astercc-500${n}-0000000${n}`,
  destuniqueid: `phone.${n}`,
});
export const offer = (n: number) => ({
  interface: `PJSIP/astercc-500${n}`,
  membername: `100${n}`,
  ...phone(n),
});
export const rings = (n: number) => event('DialState', { ...trunk, ...phone(n), dialstatus: 'RINGING' });
export const joins = (n: number) =>
  event('BridgeEnter', { uniqueid: `phone.${n}`, linkedid: 'call.1', bridgetype: 'basic' });
export const gone = (n: number, channelstatedesc: string, cause: string) =>
  event('Hangup', {
    channel: `PJSIP/astercc-500${n}-0000000${n}`,
    uniqueid: `phone.${n}`,
    linkedid: 'call.1',
    channelstatedesc,
    cause,
  });
