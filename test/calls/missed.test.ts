import t, { type Test } from 'tap';
import { pauseForMissed } from '../../domain/calls/queue/missed.js';
import type { OfferResult } from '../../domain/calls/queue/offer-counts.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { endOffer, openStateOf, transition } from '../../domain/presence/agent-state.js';
import { noteAct } from '../../domain/presence/last-act.js';
import { ready } from '../../domain/presence/pause.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { readStatus } from '../../domain/monitor/status.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  const enter = (extension: string) => signIn(db, 'astercc', { agent: '1001', extension, by: extension });
  const first = await enter('5001');
  if (first.outcome !== 'signed-in') throw new Error(first.outcome);
  const { id } = first.signIn;
  const records = new CallRecords(db, 'default');
  const caller = { queue: 'astercc-support', uniqueid: 'call.1', linkedid: 'call.1' };
  await records.joined(caller);
  let offers = 0;
  /** One offer, with what came of it; returns whether it led to a pause. */
  const offer = async (result: OfferResult | null): Promise<boolean> => {
    const offerId = `offer.${++offers}`;
    await records.offered(caller, offerId, id);
    await records.offersEnded([{ offerId, result }]);
    return (await pauseForMissed(db, 'default', [offerId])).length > 0;
  };
  return { db, id, records, caller, offer, enter };
}

void t.test('the third offer in a row that is refused or not answered pauses', async (t) => {
  const { db, id, offer } = await site(t);
  t.same([await offer('missed'), await offer('refused')], [false, false]);
  t.same([await offer('cancelled'), await offer(null)], [false, false], 'neither counts nor resets');
  t.equal(await offer('rejected'), true);
  t.match(await openStateOf(db, id), { state: 'paused', pauseDigit: null });
  t.match((await readStatus(db, 'astercc')).agents[0], { state: 'paused', reason: 'missed' });
  t.same(await noteAct(db, 'astercc', '5001'), { missed: true }, 'the phone says so');
  t.match(await ready(db, 'astercc', { extension: '5001' }), { outcome: 'ready' });
  t.same(await noteAct(db, 'astercc', '5001'), { missed: false });
  t.same([await offer('missed'), await offer('missed')], [false, false], 'it counts anew');
  t.equal(await offer('missed'), true);
});

void t.test('an answered call ends the row, and what an agent does', async (t) => {
  const { db, records, caller, offer } = await site(t);
  await offer('missed');
  await offer('missed');
  await records.answered(caller, 'answered', '1001');
  t.equal(await offer('missed'), false, 'answered in between');
  await offer('missed');
  await noteAct(db, 'astercc', '5001');
  t.equal(await offer('missed'), false, 'a code in between');
});

void t.test('the group says after how many, or never', async (t) => {
  const { db, offer } = await site(t);
  await db('agent_groups').update({ missed_limit: 0 });
  for (let n = 0; n < 5; n++) t.equal(await offer('refused'), false);
  await db('agent_groups').update({ missed_limit: 6 });
  t.equal(await offer('refused'), true);
});

void t.test('an offer that rings already decides by itself; what is over pauses', async (t) => {
  const { db, id, offer } = await site(t);
  await offer('missed');
  await offer('missed');
  await transition(db, id, 'offer', { offerId: 'next' });
  t.equal(await offer('missed'), false);
  await endOffer(db, id, 'next');
  await transition(db, id, 'offer', { offerId: 'offer.4' });
  t.equal(await offer('missed'), true, 'its end was told before the state knew');
  t.match(await openStateOf(db, id), { state: 'paused' });
});

void t.test('whoever signs in at another phone leaves the pause for missed calls behind', async (t) => {
  const { db, offer, enter } = await site(t);
  for (let n = 0; n < 3; n++) await offer('refused');
  await db('sign_ins').update({ signed_in_at: db.raw(`signed_in_at - interval '1 minute'`) });
  await db('agent_states')
    .update({ started_at: db.raw(`started_at - interval '1 minute'`), ended_at: null })
    .where({ ended_at: null });
  const moved = await enter('5002');
  if (moved.outcome !== 'moved') throw new Error(moved.outcome);
  t.match(await openStateOf(db, moved.signIn.id), { state: 'idle' });
});
