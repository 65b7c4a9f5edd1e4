import { pino } from 'pino';
import t from 'tap';
import { CallJournal, type Arrival } from '../../domain/calls/records/journal.js';
import { until } from '../../domain/machine/processes.js';
import { crowd, provision } from '../../lab/provision.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { freshDatabase } from '../support/database.js';
import { callerOf } from '../support/records.js';

void t.test('every call is recorded, however slowly PostgreSQL writes while others come', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  await db.raw(`
    create function slowly() returns trigger language plpgsql as 'begin perform pg_sleep(0.15); return null; end';
    create trigger slowly after insert on calls for each statement execute function slowly()`);
  const journal = new CallJournal(db, 'default', pino({ enabled: false }));
  const calls = Array.from({ length: 60 }, (_, index) => `1700000000.${index}`);
  for (const uniqueid of calls) {
    journal.add(arrival(uniqueid));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await journal.flush();
  const recorded = await db('calls').orderBy('id').pluck<string[]>('uniqueid');
  t.same(recorded.sort(), calls.sort());
});

const arrival = (uniqueid: string, more: Partial<Arrival> = {}): Arrival => ({
  uniqueid,
  team: 'astercc',
  did: '600100',
  caller: null,
  destination: { kind: 'group', name: 'support' },
  ...more,
});

/** A log that keeps what is said at level error. */
function listening() {
  const errors: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    const said = JSON.parse(line) as Record<string, unknown>;
    if (said['level'] === 50) errors.push(said);
  };
  return { errors, log: pino({ level: 'warn' }, { write }) };
}

void t.test('of many calls only the one that PostgreSQL refuses is dropped, and said', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  const { errors, log } = listening();
  const journal = new CallJournal(db, 'default', log);
  for (let index = 0; index < 100; index++) journal.add(arrival(`call.${index}`));
  // A byte that no text of PostgreSQL can have.
  journal.add(arrival('call.bad', { did: '600\u0000', caller: '+4930' }));
  for (let index = 100; index < 200; index++) journal.add(arrival(`call.${index}`));
  await journal.flush();
  t.equal((await db('calls')).length, 200);
  const contents = {
    team: 'astercc',
    did: '600\u0000',
    caller: '+4930',
    destination: { kind: 'group', name: 'support' },
  };
  t.match(errors, [{ call: { uniqueid: 'call.bad', ...contents, at: String } }], 'with all that it was');
});

void t.test('on a full disk no call is dropped: they are written when there is room', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  await db.raw(`
    create function full_disk() returns trigger language plpgsql as
      $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$;
    create trigger full_disk before insert on calls for each row execute function full_disk()`);
  const { errors, log } = listening();
  const settings = { delayMs: 1, retryMs: 10, keep: 10_000, batch: 500 };
  const journal = new CallJournal(db, 'default', log, settings);
  const records = new CallRecords(db, 'default');
  const queued = callerOf('astercc-support', 'call.2');
  for (let index = 0; index < 3; index++) journal.add(arrival(`call.${index}`));
  await journal.flush();
  await t.rejects(records.joined(queued), /no space left/);
  t.same(await db('calls'), []);
  await db.raw('drop trigger full_disk on calls');
  // That it waits in a queue is seen before its arrival is tried again: the number that was called comes all the same.
  await records.joined(queued);
  journal.add(arrival('call.3'));
  await until('the calls', async () => ((await db('calls')).length === 4 ? true : undefined));
  t.same(
    await db('calls').distinct('did').pluck<string[]>('did'),
    ['600100'],
    'with the number that was called',
  );
  t.same(errors, []);
  await journal.flush();
});

void t.test('the same uniqueid on two nodes is two calls, and of another team another one', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  await provision(db, crowd(1, { team: 'other', did: '600200' }));
  await db('nodes').insert({ name: 'east' });
  const { log } = listening();
  const [ours, east] = [new CallJournal(db, 'default', log), new CallJournal(db, 'east', log)];
  ours.add(arrival('call.1'));
  east.add(arrival('call.1', { team: 'other', did: '600200' }));
  await Promise.all([ours.flush(), east.flush()]);
  ours.add(arrival('call.1', { team: 'other', did: '600200' }));
  await ours.flush();
  t.same(await db('calls').orderBy('node').select('node', 'did'), [
    { node: 'default', did: '600100' },
    { node: 'east', did: '600200' },
  ]);
});

void t.test(
  'a queue that a call came to by a menu stays its group when its arrival is written later',
  async (t) => {
    const { db } = await freshDatabase(t);
    await provision(db, crowd(1));
    const { log } = listening();
    const journal = new CallJournal(db, 'default', log);
    const records = new CallRecords(db, 'default');
    journal.add(arrival('call.1', { destination: { kind: 'menu', name: 'main' }, caller: '+4930' }));
    await records.joined(callerOf('astercc-support', 'call.1'));
    await journal.flush();
    const kept = () =>
      db('calls as c')
        .leftJoin('agent_groups as g', 'g.id', 'c.group_id')
        .leftJoin('extensions as x', 'x.id', 'c.extension_id')
        .select<object[]>('c.did', 'c.caller', 'g.name as group', 'x.number as extension');
    t.same(await kept(), [{ did: '600100', caller: '+4930', group: 'support', extension: null }]);
    // Who is asked about it a second time knows no more.
    await db('calls').update({ extension_id: db('extensions').min('id') });
    journal.add(arrival('call.1', { destination: { kind: 'hangup', name: 'busy' }, caller: '+4930' }));
    await journal.flush();
    t.match(await kept(), [{ group: 'support', extension: '5001' }]);
  },
);
