import { pino } from 'pino';
import t from 'tap';
import { CallRecords } from '../../domain/calls/records/records.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { EmptyQueues } from '../../pbx/watch/loops/empty-queues.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const queue = 'astercc-support';

void t.test('callers leave a queue in which every agent is paused, and only such a one', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  const manager = new StubManager(queue);
  const caller = { queue, uniqueid: 'call.1', linkedid: 'call.1' };
  await new CallRecords(db, 'default').joined(caller);
  manager.waiting = [{ queue, uniqueid: 'call.1', caller: '4930' }];
  let looks = 0;
  manager.gate = (action) => {
    if (action === 'QueueStatus') looks++;
    return Promise.resolve();
  };
  const log = pino({ enabled: false });
  const empty = new EmptyQueues(db, 'default', manager, () => true, log, { everyMs: 1, graceMs: 0 });
  empty.start();
  t.teardown(() => empty.stop());
  const sentAway = (): boolean => manager.seen.some((action) => action.startsWith('QueueWithdrawCaller'));
  /** Whether the caller is sent away while the queue has these members: a look that began with them is over. */
  const withMembers = async (...members: { paused: boolean; reason: string }[]): Promise<boolean> => {
    manager.queues.set(
      queue,
      new Map(
        members.map((member, index) => [
          `PJSIP/astercc-500${index}`,
          { name: `100${index}`, penalty: '0', stateInterface: '', ...member },
        ]),
      ),
    );
    const before = looks;
    await until('two more looks', () => (looks >= before + 2 ? true : undefined));
    return sentAway();
  };
  const free = { paused: false, reason: '' };
  const away = { paused: true, reason: 'pause:1' };
  t.notOk(await withMembers(), 'without members it is not ours to say');
  t.notOk(await withMembers(free));
  t.notOk(await withMembers({ paused: true, reason: 'wrapup' }), 'a wrap-up ends');
  t.notOk(await withMembers(away, free));
  t.ok(await withMembers(away, { paused: true, reason: 'missed' }), 'all are paused');
});
