import t, { type Test } from 'tap';
import { endOffer, endOverdueStates, openStateOf, transition } from '../../domain/presence/agent-state.js';
import { signOutOverdue } from '../../domain/presence/automatic-sign-out.js';
import type { Database } from '../../domain/database/pool.js';
import { setCurrentGroup } from '../../domain/presence/current-group.js';
import { pause, ready } from '../../domain/presence/pause.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addPauseReason } from '../../domain/provisioning/people/pause-reason.js';
import { isLocked, countFailure, forgetFailures } from '../../domain/presence/sign-in-lock.js';
import { signIn, signOut } from '../../domain/presence/sign-in.js';
import { beginCall, beginWrapUpOfCall } from '../../domain/presence/wrap-up.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

const who = { agent: '1001' };

/** A team with agent 1001 signed in at 5001. */
async function atWork(t: Test): Promise<{ db: Database; id: number; teamId: number }> {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(2));
  const result = await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
  if (result.outcome !== 'signed-in') throw new Error(result.outcome);
  return { db, id: result.signIn.id, teamId: result.signIn.teamId };
}

void t.test('an offer that rang already when the pause began leads back into the pause', async (t) => {
  const { db, id } = await atWork(t);
  await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch', maxSeconds: 600, atEnd: 'sign-out' });
  t.equal((await pause(db, 'astercc', who, '1')).outcome, 'paused');
  await transition(db, id, 'offer', { offerId: 'offer.1' });
  t.equal((await ready(db, 'astercc', who)).outcome, 'busy');
  await endOffer(db, id, 'another offer');
  t.equal((await openStateOf(db, id))?.state, 'ringing', 'the end of another offer says nothing');
  await endOffer(db, id, 'offer.1');
  const open = await db('agent_states')
    .where({ sign_in_id: id })
    .whereNull('ended_at')
    .first<Record<string, unknown>>();
  t.match(open, { state: 'paused', reason: 'Lunch', pause_digit: '1', at_deadline: 'sign-out' });
  t.type(open['deadline_at'], Date, 'and its longest time still counts');
  t.equal((await ready(db, 'astercc', who)).outcome, 'ready');
  t.equal((await openStateOf(db, id))?.state, 'idle');
});

void t.test(
  'a reason: wanted where the team has some, refused when unknown, kept when asked twice',
  async (t) => {
    const { db, id } = await atWork(t);
    t.equal((await pause(db, 'astercc', who)).outcome, 'paused', 'a team without reasons asks for none');
    await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
    t.equal((await pause(db, 'astercc', who)).outcome, 'reason-wanted');
    t.equal((await pause(db, 'astercc', who, '2')).outcome, 'unknown-reason');
    t.equal((await pause(db, 'astercc', who, '1')).outcome, 'paused', 'another reason in a pause');
    const before = await openStateOf(db, id);
    t.equal((await pause(db, 'astercc', who, '1')).outcome, 'paused');
    t.same(await openStateOf(db, id), before, 'the question of a second server begins nothing new');
    await signOut(db, 'astercc', who, 'test');
    t.equal((await pause(db, 'astercc', who, '1')).outcome, 'not-signed-in');
  },
);

void t.test(
  'nobody is asked for what they could not have: not for a reason in a call, not for the one group',
  async (t) => {
    const { db, id } = await atWork(t);
    await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
    t.equal((await setCurrentGroup(db, 'astercc', who, undefined)).outcome, 'no-choice');
    await addGroup(db, 'astercc', { name: 'sales', number: '6001' });
    await setAgent(db, 'astercc', '1001', { groups: ['support', 'sales'] });
    t.equal((await setCurrentGroup(db, 'astercc', who, undefined)).outcome, 'group-wanted');
    for (const event of ['offer', 'connect'] as const) {
      await transition(db, id, event, { offerId: 'offer.1' });
      for (const digit of [undefined, '1', '2'])
        t.equal((await pause(db, 'astercc', who, digit)).outcome, 'busy');
    }
  },
);

void t.test('of many servers one signs out whoever has paused for too long', async (t) => {
  const { db, id } = await atWork(t);
  await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch', maxSeconds: 1, atEnd: 'sign-out' });
  await pause(db, 'astercc', who, '1');
  await db.raw(`update agent_states set deadline_at = clock_timestamp() where ended_at is null`);
  t.same((await endOverdueStates(db, 'default')).begun, [], 'he is not made ready');
  const all = await Promise.all(Array.from({ length: 5 }, () => signOutOverdue(db, 'default')));
  t.same(
    all.flat().map((signIn) => signIn.id),
    [id],
    'exactly one',
  );
  const row = await db('sign_ins').where({ id }).first<{ signed_out_by: string }>('signed_out_by');
  t.equal(row.signed_out_by, 'longest pause');
});

void t.test('a lock comes with the fifth failure and doubles with each further one', async (t) => {
  const { db, teamId } = await atWork(t);
  const suspects = [{ kind: 'phone', number: '5001' }] as const;
  const seconds = async (): Promise<number> => {
    const { rows } = await db.raw<{ rows: { s: number }[] }>(
      `select coalesce(round(extract(epoch from locked_until - failed_at)), 0)::integer as s from sign_in_failures`,
    );
    return rows[0]?.s ?? 0;
  };
  const locks: number[] = [];
  for (let failure = 1; failure <= 12; failure++) {
    await countFailure(db, teamId, suspects);
    locks.push(await seconds());
  }
  t.same(locks, [0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
  t.ok(await isLocked(db, teamId, suspects));
  t.notOk(
    await isLocked(db, teamId, [{ kind: 'agent', number: '5001' }]),
    'an agent of that number is somebody else',
  );
  await forgetFailures(db, teamId, suspects);
  t.notOk(await isLocked(db, teamId, suspects));
});

const out = { offerId: 'out.1', call: 'out.1', kind: 'out' } as const;

/** At 5002, long after the last sign-in. */
async function moves(db: Database, unreachable?: string): Promise<Record<string, unknown>> {
  await db.raw(`update sign_ins set signed_in_at = signed_in_at - interval '1 minute'`);
  const there = { agent: '1001', extension: '5002', by: 'test', ...(unreachable && { unreachable }) };
  const result = await signIn(db, 'astercc', there);
  if (result.outcome !== 'moved') throw new Error(result.outcome);
  return db('agent_states').where({ sign_in_id: result.signIn.id }).first<Record<string, unknown>>();
}

void t.test('the pause that a call out interrupted at a dead phone goes on at the next one', async (t) => {
  const { db, id } = await atWork(t);
  await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch', maxSeconds: 600, atEnd: 'sign-out' });
  await pause(db, 'astercc', who, '1');
  await beginCall(db, id, 'call', out);
  // An hour of a call is none of the pause.
  await db.raw(`update agent_states set deadline_at = deadline_at - interval '1 hour',
    ended_at = ended_at - interval '1 hour', started_at = started_at - interval '1 hour' where state = 'paused'`);
  const here = await moves(db, '5001');
  t.match(here, {
    state: 'paused',
    reason: 'Lunch',
    pause_digit: '1',
    at_deadline: 'sign-out',
    call_kind: null,
  });
  const left = (here['deadline_at'] as Date).getTime() - (here['started_at'] as Date).getTime();
  t.ok(left > 500_000 && left <= 600_000, 'with the seconds that were left');
});

void t.test(
  'the wrap-up after a call moves along: with their own pause, and not with one for missed calls',
  async (t) => {
    for (const own of [true, false]) {
      const { db, id } = await atWork(t);
      if (own) await pause(db, 'astercc', who);
      else await transition(db, id, 'missed');
      await beginCall(db, id, 'call', out);
      await beginWrapUpOfCall(db, id, out);
      t.match(await moves(db), { state: 'wrap-up', pause_digit: null, call_kind: 'out' });
      const after = await ready(db, 'astercc', who);
      t.match(after, own ? { outcome: 'resumed', reason: '0' } : { outcome: 'ready' });
    }
  },
);

void t.test(
  '*67 in the moment in which the wrap-up ends by itself says that the pause goes on',
  async (t) => {
    const { db, id } = await atWork(t);
    await pause(db, 'astercc', who);
    await beginCall(db, id, 'call', out);
    await beginWrapUpOfCall(db, id, out);
    const wrapUp = await openStateOf(db, id);
    t.equal(wrapUp?.state, 'wrap-up');
    let asked: ReturnType<typeof ready> | undefined;
    await db.transaction(async (trx) => {
      await trx.raw('select id from sign_ins where id = ? for no key update', [id]);
      asked = ready(db, 'astercc', who);
      await until('*67 waits for it', async () => {
        const { rows } = await db.raw<{ rows: unknown[] }>(
          "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        return rows.length > 0 ? true : undefined;
      });
      await trx('agent_states')
        .where({ id: wrapUp?.id })
        .update({ deadline_at: new Date(0) });
      t.match((await endOverdueStates(trx, 'default')).begun, [{ state: 'paused' }]);
    });
    t.match(await asked, { outcome: 'resumed', reason: '0' });
  },
);
