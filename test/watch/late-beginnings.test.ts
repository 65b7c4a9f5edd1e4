import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { gone, observed, offer, rings, sales, support } from '../support/observed.js';

/** What is written to this table takes as long as no deadline forbids. */
const slowly = (name: string, what: string, when: string, seconds: number): string => `
  create function ${name}() returns trigger language plpgsql as $$ begin perform pg_sleep(${seconds}); return new; end $$;
  create trigger ${name} before ${what} for each row when (${when}) execute function ${name}()`;

void t.test(
  'an offer is over though PostgreSQL took its time for its beginning (specification 8)',
  async (t) => {
    const { db, observer, take } = await observed(t);
    await db.raw(slowly('offering', 'insert on offers', 'true', 1.8));
    take('QueueCallerJoin', { ...support, position: '1' });
    take('AgentCalled', { ...support, ...offer(1) });
    take('DialState', rings(1));
    take('AgentRingNoAnswer', { ...support, ...offer(1) });
    take('Hangup', gone('offer.1', { channelstatedesc: 'Ringing', cause: '0' }));
    t.equal(
      await until('what came of it', async () => {
        const row = await db('offers')
          .whereNotNull('ended_at')
          .first<{ result: string } | undefined>('result');
        return row?.result;
      }),
      'missed',
    );
    await observer.settled();
  },
);

void t.test(
  'a customer keeps the place that an agent took for them in another queue, however late that is written',
  async (t) => {
    const { db, observer, take, group } = await observed(t);
    await db.raw(slowly('joining', 'insert on queue_visits', `new.uniqueid = 'call.1'`, 0.8));
    const asked = { ...sales, uniqueid: 'asked.1', linkedid: 'asked.1' };
    take('QueueCallerJoin', { ...support, position: '1' });
    take('QueueCallerJoin', { ...asked, position: '1' });
    take('AttendedTransfer', {
      secondtransfereruniqueid: 'asked.1',
      transfereelinkedid: 'call.1',
      transfereeuniqueid: 'call.1',
    });
    take('Hangup', { ...asked, channelstatedesc: 'Up' });
    await observer.caughtUp();
    t.match(await group('sales'), { waiting: 1 });
    t.match(await db('queue_visits').orderBy('joined_at').select('uniqueid', 'left_at'), [
      { uniqueid: 'call.1', left_at: null },
      { uniqueid: 'call.1', left_at: null },
    ]);
    t.same(await db('calls').whereNotNull('ended_at').pluck<string[]>('uniqueid'), ['asked.1']);
    await observer.settled();
  },
);

void t.test('who has caught up has also written what was being written', async (t) => {
  const { db, observer, take } = await observed(t);
  take('QueueCallerJoin', { ...support, position: '1' });
  await observer.caughtUp();
  // The end begins to be written while something else is waited for, which is done before it.
  await db.raw(slowly('joining', 'insert on queue_visits', `new.uniqueid = 'call.2'`, 0.5));
  await db.raw(slowly('leaving', 'update on queue_visits', 'true', 1.5));
  take('QueueCallerLeave', support);
  take('QueueCallerJoin', { ...support, uniqueid: 'call.2', linkedid: 'call.2' });
  await observer.caughtUp();
  t.same(await db('queue_visits').whereNull('left_at').pluck<string[]>('uniqueid'), ['call.2']);
  await observer.settled();
});
