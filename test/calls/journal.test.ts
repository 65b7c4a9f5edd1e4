import { pino } from 'pino';
import t from 'tap';
import { CallJournal } from '../../domain/calls/journal.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

void t.test('every call is recorded, however slowly PostgreSQL writes while others come', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  await db.raw(`
    create function slowly() returns trigger language plpgsql as 'begin perform pg_sleep(0.15); return null; end';
    create trigger slowly after insert on calls for each statement execute function slowly()`);
  const journal = new CallJournal(db, 'default', pino({ enabled: false }));
  const calls = Array.from({ length: 60 }, (_, index) => `1700000000.${index}`);
  for (const uniqueid of calls) {
    journal.add({
      uniqueid,
      team: 'astercc',
      did: '600100',
      caller: null,
      group: 'support',
      extension: null,
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await journal.flush();
  const recorded = await db('calls').orderBy('id').pluck<string[]>('uniqueid');
  t.same(recorded.sort(), calls.sort());
});
