import t, { type Test } from 'tap';
import { endOffer, transition } from '../../domain/presence/agent-state.js';
import { signOutOverdue } from '../../domain/presence/automatic-sign-out.js';
import { noteAct } from '../../domain/presence/last-act.js';
import { pause, ready } from '../../domain/presence/pause.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { beginWrapUp } from '../../domain/presence/wrap-up.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

/** An agent who is signed out once they have idled for a minute. */
async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  await db('agent_groups').update({ idle_sign_out_seconds: 60 });
  const result = await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  if (result.outcome !== 'signed-in') throw new Error(result.outcome);
  const { id } = result.signIn;
  return {
    db,
    id,
    /** Time goes by. */
    seconds: (seconds: number) =>
      db.raw(`update sign_ins set acted_at = acted_at - make_interval(secs => ?)`, [seconds]),
    ring: (offerId: string) => transition(db, id, 'offer', { offerId }),
    leaves: async () => (await signOutOverdue(db, 'default')).map(({ why }) => why),
  };
}

void t.test('29 calls that ring in vain keep nobody signed in who has gone away', async (t) => {
  const { db, id, seconds, ring, leaves } = await site(t);
  for (let n = 1; n <= 29; n++) {
    await ring(`offer.${n}`);
    if (n === 10) {
      await seconds(59);
      t.same(await leaves(), [], 'a minute is not over');
    }
    await endOffer(db, id, `offer.${n}`);
  }
  await seconds(1);
  await ring('offer.30');
  t.same(await leaves(), [], 'not while it rings');
  await endOffer(db, id, 'offer.30');
  t.same(await leaves(), ['idle']);
});

void t.test('what an agent does counts, and what happens to them does not', async (t) => {
  const { db, id, seconds, ring, leaves } = await site(t);
  const who = { extension: '5001' };
  /** A minute after the last act they leave; `act` in between is one. */
  const keeps = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    await seconds(61);
    await act();
    t.same(await leaves(), [], what);
  };
  await keeps('a code', () => noteAct(db, 'astercc', '5001'));
  await keeps('an answered call', async () => {
    await ring('answered');
    await transition(db, id, 'connect', { offerId: 'answered' });
    t.same(await leaves(), [], 'never in a call');
    await endOffer(db, id, 'answered');
  });
  await keeps('the wrap-up after an answered call, also while it lasts', async () => {
    await transition(db, id, 'connect', { offerId: 'talked' });
    await beginWrapUp(db, id, 'talked', undefined);
    await seconds(61);
    t.same(await leaves(), []);
    await ready(db, 'astercc', who);
  });
  await keeps('a pause', async () => {
    await pause(db, 'astercc', who, '0');
    await seconds(61);
    t.same(await leaves(), []);
    await ready(db, 'astercc', who);
  });
  await seconds(61);
  await ring('missed');
  await beginWrapUp(db, id, 'missed', undefined);
  t.same(await leaves(), ['idle'], 'the wrap-up after a call that they let ring is none of it');
});

void t.test('a pause for missed calls is no act either', async (t) => {
  const { db, id, seconds, leaves } = await site(t);
  await seconds(61);
  await transition(db, id, 'missed', { reason: 'missed' });
  t.same(await leaves(), ['idle']);
});
