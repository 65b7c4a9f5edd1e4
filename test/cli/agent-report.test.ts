import t from 'tap';
import { crowd, provision } from '../../lab/provision.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { pastShift } from '../support/states.js';

const { db, url } = await freshDatabase(t);
await provision(db, crowd(2));
await db('teams').where({ identity: 'astercc' }).update({ time_zone: 'Europe/Berlin' });
await db('users').where({ username: 'crowd' }).update({ name: '=cmd|calc' });
await pastShift(db, '1001', [
  ['talking', '2025-11-23T22:00:00Z', '2025-11-23T23:30:00Z'],
  ['paused', '2025-11-23T23:30:00Z', '2025-11-23T23:40:00Z', 'Lunch, late'],
  ['paused', '2025-11-23T23:40:00Z', '2025-11-23T23:41:00Z'],
]);
await pastShift(db, '1002', [['paused', '2025-11-24T08:00:00Z', '2025-11-24T08:00:30Z', '=1+1']]);

const report = async (...args: string[]) => cli(['agent', 'report', ...args], { env: { DATABASE_URL: url } });
const day = ['--since', '2025-11-24', '--until', '2025-11-25'];

await t.test('days are those of the team; a line for each agent', async (t) => {
  const { out, status } = await report(...day);
  t.equal(status, 0);
  t.equal(
    out,
    '1001\t=cmd|calc\t2460\t0\t0\t1800\t0\t660\tLunch, late=600,no reason=60\n' +
      '1002\t=cmd|calc\t30\t0\t0\t0\t0\t30\t=1+1=30\n',
  );
  t.equal((await report(...day, '--agent', '1002')).out.split('\t')[0], '1002');
  t.match(JSON.parse((await report(...day, '--json')).out), [
    {
      agent: '1001',
      wrap_up_seconds: 0,
      pauses: [{ reason: 'Lunch, late', seconds: 600 }, { reason: 'no reason' }],
    },
    { agent: '1002' },
  ]);
});

await t.test('as comma-separated values with a column for each reason; nothing is a formula', async (t) => {
  t.equal(
    (await report(...day, '--csv')).out,
    [
      'agent,name,signed_in_seconds,idle_seconds,ringing_seconds,talking_seconds,wrap_up_seconds,paused_seconds,paused: =1+1,"paused: Lunch, late",paused: no reason',
      "1001,'=cmd|calc,2460,0,0,1800,0,660,,600,60",
      "1002,'=cmd|calc,30,0,0,0,0,30,30,,",
      '',
    ].join('\r\n'),
  );
});

await t.test('a period that is none is refused with what to type', async (t) => {
  const { status, err } = await report('--since', '2025-10-01', '--until', '2025-12-01');
  t.equal(status, 2);
  t.match(err, /31 days at most/);
  t.equal((await report()).status, 2);
});
