import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { callsOutSite, out, tried } from '../support/calls-out-site.js';

/** A line as the dialplan leaves it: it began 100 s ago, was answered 90 s ago and ended 30 s ago. */
const line = (
  now: number,
  more: Partial<Record<'team' | 'answered' | 'tries' | 'refused', string>> = {},
): string =>
  [
    '1',
    now - 30,
    more.team ?? 'astercc',
    'astercc-5001',
    '030123456',
    '+4930123456',
    now - 100,
    more.answered ?? String(now - 90),
    'provider.b',
    '200',
    '16',
    'callee',
    more.refused ?? '',
    more.tries ?? 'provider.a:030123456:503:34:failed:20&provider.b:030123456:200::answered:',
  ].join('|');

void t.test('lines of calls without a server are recorded once, and removed', async (t) => {
  const { db, manager, reconciliation, record } = await callsOutSite(t);
  // What the stand-in says is its clock.
  const now = Number((await manager.action('Getvar', { Variable: 'EPOCH' })).headers.get('value'));
  manager.astdb.set('star64-out/call.1', line(now));
  manager.astdb.set('star64-out/call.2', line(now, { answered: '0', tries: '', refused: 'class' }));
  manager.astdb.set('star64-out/call.3', 'what is this');
  manager.astdb.set('star64-out/call.4', line(now, { team: 'nobody' }));
  await reconciliation.run();
  t.same(
    [...manager.astdb.keys()].filter((key) => key.startsWith('star64-out/')),
    [],
  );
  t.match(await record('call.1'), { outcome: 'answered', trunk: 'second', ended_by: 'callee', cause: 16 });
  t.match(await record('call.2'), {
    outcome: 'refused',
    refused: 'class',
    trunk: null,
    leg_answered_at: null,
  });
  t.equal((await db('calls')).length, 2);
  t.match(await db('call_tries').orderBy('position').select(), [
    { trunk: 'first', code: 503, outcome: 'failed' },
    { trunk: 'second', code: 200, outcome: 'answered' },
  ]);
  const { rows } = await db.raw<{ rows: { talked: number }[] }>(
    `select extract(epoch from leg_ended_at - leg_answered_at)::integer as talked from calls where uniqueid = 'call.1'`,
  );
  t.same(rows, [{ talked: 60 }]);
  // A server that died before it could remove them.
  manager.astdb.set('star64-out/call.1', line(now));
  await reconciliation.run();
  t.equal((await db('calls')).length, 2);
  t.equal((await db('call_tries')).length, 2);
});

void t.test('a line is the better word where a server saw only the beginning', async (t) => {
  const { db, observer, take, manager, reconciliation } = await callsOutSite(t);
  take('UserEvent', out('call.1'));
  take('UserEvent', { ...tried('call.1', 2, 'answered', { code: '200' }), uniqueid: 'leg.1' });
  await observer.settled();
  await db.raw(`update calls set arrived_at = now() - interval '100 seconds', answered_at = now() - interval '90 seconds',
    leg_answered_at = now() - interval '90 seconds'`);
  const now = Number((await manager.action('Getvar', { Variable: 'EPOCH' })).headers.get('value'));
  manager.astdb.set('star64-out/call.1', line(now));
  await reconciliation.run();
  const { rows } = await db.raw<{ rows: { talked: number; by: string }[] }>(
    `select round(extract(epoch from leg_ended_at - leg_answered_at))::integer as talked, ended_by as by from calls`,
  );
  t.equal(rows.length, 1);
  t.ok(Math.abs((rows[0]?.talked ?? 0) - 60) < 10, 'until it ended, and not until a server was back');
  t.equal(rows[0]?.by, 'callee');
});

void t.test(
  'ten thousand lines: each once, in lots; a line that cannot be removed holds up nothing',
  async (t) => {
    const { db, manager, reconciliation } = await callsOutSite(t);
    const now = Number((await manager.action('Getvar', { Variable: 'EPOCH' })).headers.get('value'));
    for (let n = 0; n < 10_000; n++)
      manager.astdb.set(`star64-out/1795000000.${n}`, line(now, { tries: '' }));
    let statements = 0;
    db.on('query', ({ sql }: { sql: string }) => {
      if (/insert into calls/.test(sql)) statements++;
    });
    await reconciliation.run();
    t.equal((await db('calls').count<{ count: number }[]>({ count: '*' }))[0]?.count, 10_000);
    t.ok(statements < 150, `${statements} statements`);
    const left = (): number =>
      [...manager.astdb.keys()].filter((key) => key.startsWith('star64-out/')).length;
    t.equal(left(), 0);
    // On a full disk astdb deletes nothing.
    manager.gate = (name, given) => {
      if (name === 'Setvar' && given['Variable']?.includes('stuck')) throw new Error('not deleted');
      return Promise.resolve();
    };
    manager.astdb.set('star64-out/stuck', line(now));
    t.match(await reconciliation.run(), { failed: ['calls without a server'] });
    t.equal((await db('calls').where({ uniqueid: 'stuck' })).length, 1);
    manager.gate = () => Promise.resolve();
    await reconciliation.run();
    await until('it to be gone', () => (left() === 0 ? true : undefined));
    t.equal((await db('calls').where({ uniqueid: 'stuck' })).length, 1);
  },
);
