import { pino } from 'pino';
import type { Test } from 'tap';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { QueueMembership } from '../../pbx/queue/membership.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { Reconciliation } from '../../pbx/watch/compare/reconciliation.js';
import { freshDatabase } from './database.js';
import { StubManager } from './stub-manager.js';

const log = pino({ enabled: false });

/** A team with two trunks and an agent, an observer that is told what Asterisk says, and the reconciliation. */
export async function callsOutSite(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  await db('trunks').insert([
    { name: 'first', endpoint: 'provider.a' },
    { name: 'second', endpoint: 'provider.b' },
  ]);
  const follow = () => {
    const observer = new Observer(db, 'default', log, {
      deadlineSet: () => undefined,
      missed: () => t.fail('missed'),
    });
    const take = (name: string, headers: Record<string, string>): void => {
      const message: AmiMessage = { name, headers: new Map(Object.entries(headers)), repeated: new Map() };
      observer.take(message);
    };
    return { observer, take };
  };
  const manager = new StubManager('astercc-support');
  const membership = new QueueMembership(db, manager, log);
  const reconciliation = new Reconciliation(db, 'default', manager, membership, log);
  const record = async (uniqueid: string) =>
    (await db('calls').where({ uniqueid }).first<Record<string, unknown> | undefined>()) ?? {};
  return { db, ...follow(), follow, manager, reconciliation, record };
}

export type Told = Record<string, string>;
export const of = (call: string): Told => ({ uniqueid: call, linkedid: call, call, team: 'astercc' });
export const out = (call: string, more: Told = {}): Told => ({
  ...of(call),
  userevent: 'Star64Out',
  phone: 'astercc-5001',
  dialled: '030123456',
  number: '+4930123456',
  refused: '',
  asked: 'no',
  ...more,
});
export const tried = (call: string, position: number, outcome: string, more: Told = {}): Told => ({
  ...of(call),
  userevent: 'Star64Try',
  trunk: position === 1 ? 'provider.a' : 'provider.b',
  sent: '030123456',
  position: String(position),
  code: '',
  cause: '',
  outcome,
  milliseconds: '20',
  ...more,
});
export const end = (call: string, more: Told = {}): Told => ({
  ...of(call),
  userevent: 'Star64OutEnd',
  status: '',
  cause: '16',
  talked: '0',
  endedby: 'callee',
  refused: '',
  ...more,
});
export const gone = (call: string): Told => ({
  uniqueid: call,
  linkedid: call,
  channel: 'PJSIP/astercc-5001-00000001',
});
export const legGone = (leg: string, call: string): Told => ({
  uniqueid: leg,
  linkedid: call,
  channel: 'PJSIP/provider.b-00000002',
});
