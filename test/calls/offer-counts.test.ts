import t from 'tap';
import { OfferCounts } from '../../domain/calls/queue/offer-counts.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter } from '../support/doors/event-feed.js';
import { callerOf, defaultNode } from '../support/records.js';

/** What became of offers is counted once, by whichever server wrote it, in whatever order it was told. */
const { db } = await freshDatabase(t);
await provision(db, crowd(3));
const signInId = await enter(db, 1);
const told = () => {
  const counts = new OfferCounts();
  return { counts, records: new CallRecords(db, defaultNode, counts) };
};
const caller = callerOf('astercc-support', 'call-1');
const shown = ({ counts }: ReturnType<typeof told>): string[] =>
  counts.all().map(({ team, group, result, count }) => `${team} ${group ?? ''} ${result} ${count}`);

await t.test('each once, also by two servers that see the same', async (t) => {
  const [one, other] = [told(), told()];
  await one.records.joined(caller);
  for (const offer of ['a', 'b', 'c']) await one.records.offered(caller, offer, signInId);
  await one.records.answered(caller, 'a', '1001');
  t.same(shown(one), [], 'one that goes on is not counted');
  const ends = [
    { offerId: 'a', result: null },
    { offerId: 'b', result: 'missed' as const },
    { offerId: 'c', result: 'rejected' as const },
    { offerId: 'unknown', result: 'missed' as const },
  ];
  await Promise.all([one.records.offersEnded(ends), other.records.offersEnded(ends)]);
  await other.records.offersEnded(ends);
  t.same([...shown(one), ...shown(other)].sort(), [
    'astercc support answered 1',
    'astercc support missed 1',
    'astercc support rejected 1',
  ]);
});

await t.test('the end before the word for it: counted with the word', async (t) => {
  const server = told();
  await server.records.joined(callerOf('astercc-support', 'call-2'));
  for (const offer of ['d', 'e']) await server.records.offered(caller, offer, signInId);
  await server.records.offersEnded(['d', 'e'].map((offerId) => ({ offerId, result: null })));
  t.same(shown(server), [], 'nobody has said what became of them');
  await server.records.offersEnded([{ offerId: 'd', result: 'cancelled' }]);
  for (let again = 0; again < 2; again++)
    await server.records.answered(callerOf('astercc-support', 'call-2'), 'e', '1001');
  t.same(shown(server).sort(), ['astercc support answered 1', 'astercc support cancelled 1']);
  t.same(shown(told()), [], 'a server that starts anew counts from there on');
});
