import { pino } from 'pino';
import t from 'tap';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { freshDatabase } from '../support/database.js';

const log = pino({ enabled: false });

function hangup(uniqueid: string): AmiMessage {
  const headers = { uniqueid, linkedid: uniqueid };
  return { name: 'Hangup', headers: new Map(Object.entries(headers)), repeated: new Map() };
}

void t.test('a call that is over before its arrival is recorded is over all the same', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  const observer = new Observer(db, 'default', log, {
    deadlineSet: () => undefined,
    missed: () => t.fail('missed'),
  });
  const journal = new CallJournal(db, 'default', log);

  observer.take(hangup('1.1'));
  // As the server that answered the call does, later than the one that watches wrote the end.
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal((await db('calls')).length, 0);
  journal.add({
    uniqueid: '1.1',
    team: 'astercc',
    did: '600100',
    caller: null,
    destination: { kind: 'group', name: 'support' },
  });
  const call = await until('the end of the call', async () =>
    db('calls').whereNotNull('ended_at').first<{ outcome: string } | undefined>('outcome'),
  );
  t.equal(call.outcome, 'unknown');
  await observer.settled();
});
