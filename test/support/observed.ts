import { pino } from 'pino';
import type { Test } from 'tap';
import { signIn } from '../../domain/presence/sign-in.js';
import { readStatus } from '../../domain/monitor/status.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { freshDatabase } from './database.js';

/** A team with two agents signed in, and an observer that is told what Asterisk says by `take`. */
export async function observed(t: Test, unanswered: (offerIds: readonly string[]) => void = () => undefined) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2, { groups: [{ name: 'support' }, { name: 'sales' }] }));
  for (const n of [1, 2]) await signIn(db, 'astercc', { agent: `100${n}`, extension: `500${n}`, by: 'test' });
  const observer = new Observer(db, 'default', pino({ enabled: false }), {
    deadlineSet: () => undefined,
    missed: () => t.fail('missed'),
    unanswered,
  });
  const take = (name: string, headers: Record<string, string>): void => {
    const message: AmiMessage = { name, headers: new Map(Object.entries(headers)), repeated: new Map() };
    observer.take(message);
  };
  const group = async (name: string) =>
    (await readStatus(db, 'astercc')).groups.find((one) => one.name === name);
  return { db, observer, take, group };
}

const caller = { uniqueid: 'call.1', linkedid: 'call.1', calleridnum: '+4930' };
export const support = { ...caller, queue: 'astercc-support' };
export const sales = { ...caller, queue: 'astercc-sales' };
export const offer = (n: number) => ({
  interface: `PJSIP/astercc-500${n}`,
  membername: `100${n}`,
  destuniqueid: `offer.${n}`,
});
/** app_dial's and app_queue's word for a phone that rings. */
export const rings = (n: number) => ({
  uniqueid: 'call.1',
  destuniqueid: `offer.${n}`,
  dialstatus: 'RINGING',
});
export const gone = (uniqueid: string, more: Record<string, string> = {}) => ({
  uniqueid,
  linkedid: 'call.1',
  ...more,
});
