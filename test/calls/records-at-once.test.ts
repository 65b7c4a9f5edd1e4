import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { until } from '../../domain/machine/processes.js';
import { readStatus } from '../../domain/monitor/status.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { callerOf, defaultNode } from '../support/records.js';

/** The answer and the end of a short call are written by two connections, and may be written in the same moment. */
const { db } = await freshDatabase(t);
await provision(db, crowd(1));
const entered = await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
if (entered.outcome !== 'signed-in') throw new Error(entered.outcome);
const signInId = entered.signIn.id;
const records = new CallRecords(db, defaultNode);

type Writes = (records: CallRecords) => Promise<unknown>;

/** One statement waits for another one, which has done its work and is not committed yet. */
async function atOnce(first: Writes, second: Writes): Promise<void> {
  let other: Promise<unknown> | undefined;
  await db.transaction(async (trx) => {
    await first(new CallRecords(trx, defaultNode));
    other = second(records);
    await until('the other one to wait', async () => {
      const { rows } = await db.raw<{ rows: unknown[] }>(
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      return rows.length > 0 ? true : undefined;
    });
  });
  await other;
}

const talking = async (): Promise<number | undefined> =>
  (await readStatus(db, 'astercc')).groups.find(({ name }) => name === 'support')?.talking;

let calls = 0;
for (const [what, ends] of [
  ['the end of the offer', (of, call) => of.offersEnded([{ offerId: `offer-${call}`, result: null }])],
  ['the end of the call', (of, call) => of.callsEnded([{ uniqueid: call }])],
  [
    'both ends',
    async (of, call) => {
      await of.offersEnded([{ offerId: `offer-${call}`, result: null }]);
      await of.callsEnded([{ uniqueid: call }]);
    },
  ],
] satisfies [string, (of: CallRecords, call: string) => Promise<unknown>][])
  for (const left of [false, true])
    for (const order of ['the answer first', 'the end first'] as const)
      await t.test(`${what}, ${order}${left ? ', and that the queue was left before' : ''}`, async (t) => {
        const caller = callerOf('astercc-support', `call-${++calls}`);
        const { uniqueid } = caller;
        await records.joined(caller);
        await records.offered(caller, `offer-${uniqueid}`, signInId);
        if (left) await records.left([caller]);
        const answer: Writes = (of) => of.answered(caller, `offer-${uniqueid}`, '1001');
        const end: Writes = (of) => ends(of, uniqueid);
        await (order === 'the answer first' ? atOnce(answer, end) : atOnce(end, answer));
        const visits = await db('queue_visits as v')
          .join('calls as c', 'c.id', 'v.call_id')
          .where({ 'c.uniqueid': uniqueid })
          .select('v.outcome', db.raw('v.left_at is null as open'));
        t.same(visits, [{ outcome: 'answered', open: false }]);
        t.equal(await talking(), 0);
      });

for (const order of ['giving up first', 'the end first'] as const)
  await t.test(`who gives up, ${order}, as the end of the call is written`, async (t) => {
    const caller = callerOf('astercc-support', `call-${++calls}`);
    await records.joined(caller);
    const gaveUp: Writes = (of) => of.abandoned(caller);
    const ends: Writes = (of) => of.callsEnded([{ uniqueid: caller.uniqueid }]);
    await (order === 'giving up first' ? atOnce(gaveUp, ends) : atOnce(ends, gaveUp));
    const rows = await db('queue_visits as v')
      .join('calls as c', 'c.id', 'v.call_id')
      .where({ 'c.uniqueid': caller.uniqueid })
      .select('c.outcome', 'v.outcome as left', db.raw('v.left_at <= c.ended_at as within'));
    t.same(
      rows,
      [{ outcome: 'abandoned', left: 'abandoned', within: true }],
      'no visit is longer than its call',
    );
  });

await t.test('an offer that was told before the second stay of its caller ends that one', async (t) => {
  const caller = callerOf('astercc-support', `call-${++calls}`);
  await records.joined(caller);
  await records.left([caller]);
  await records.offered(caller, 'offer-again', signInId);
  await records.joined(caller);
  await records.answered(caller, 'offer-again', '1001');
  t.equal(await talking(), 1);
  await records.offersEnded([{ offerId: 'offer-again', result: null }]);
  t.equal(await talking(), 0);
});

await t.test(
  'a visit that has been left open is named with what is open, and told once more it is over',
  async (t) => {
    for (const table of ['offers', 'calls']) await db(table).delete();
    const caller = callerOf('astercc-support', 'left-open');
    const ended = { uniqueid: 'left-open' };
    await records.joined(caller);
    await records.offered(caller, 'offer-open', signInId);
    await records.answered(caller, 'offer-open', '1001');
    const open = { calls: ['left-open'], offers: ['offer-open'], waiting: [] };
    t.same(await records.open(), open, 'each once');
    for (const again of [
      () => records.callsEnded([ended]),
      () => records.offersEnded([{ offerId: 'offer-open', result: null }]),
    ]) {
      await records.offersEnded([{ offerId: 'offer-open', result: null }]);
      await records.callsEnded([ended]);
      t.same(await records.open(), { calls: [], offers: [], waiting: [] });
      await db('queue_visits')
        .whereNotNull('answered_at')
        .where({ offer_id: 'offer-open' })
        .update({ left_at: null });
      t.same(await records.open(), open);
      t.equal(await talking(), 1);
      await again();
      t.same(await records.open(), { calls: [], offers: [], waiting: [] });
      t.equal(await talking(), 0);
    }
  },
);
