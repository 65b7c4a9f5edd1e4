import t from 'tap';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';

const { url } = await freshDatabase(t);
const env = { DATABASE_URL: url };

/** Runs a command that must succeed, as JSON. */
async function json(...args: string[]): Promise<unknown> {
  const result = await cli([...args, '--json'], { env });
  if (result.status !== 0) throw new Error(`star64 ${args.join(' ')}: ${result.err}`);
  return JSON.parse(result.out);
}

await json('team', 'set', 'astercc', '--time-zone', 'Europe/Berlin');
const week = ['--week', 'mon-fri 9:00-12:00,13-17:30', '--week', 'fri-sat 18:00-02:30'];

await t.test('hours are typed as an administrator says them, and shown in one way', async (t) => {
  t.match(await json('hours', 'add', 'office', '--number', '1', ...week, '--closed-on', '12-25'), {
    team: 'astercc',
    name: 'office',
    number: '1',
    week: ['mon-fri 09:00-12:00,13:00-17:30', 'fri,sat 18:00-02:30'],
    open_on: [],
    closed_on: ['12-25'],
    position: 'automatic',
    // Friday, 2 January 2026, 04:04 in Berlin.
    state: 'closed',
    why: 'Friday 2026-01-02: open only 09:00-12:00,13:00-17:30,18:00-02:30',
  });
  await json(
    'hours',
    'set',
    'office',
    '--open-on',
    '2026-12-31 9-12',
    '--closed-on',
    '2026-12-28..2026-12-30',
  );
  t.match(await json('hours', 'show', 'office', '--at', '2026-12-29T10:00'), {
    open_on: ['2026-12-31 09:00-12:00'],
    closed_on: ['12-25', '2026-12-28..2026-12-30'],
    at: '2026-12-29T10:00:00+01:00[Europe/Berlin]',
    state: 'closed',
    why: 'Tuesday 2026-12-29 (2026-12-28..2026-12-30): closed',
  });
  t.match(await json('hours', 'set', 'office', '--as-usual-on', '2026-12-31', '--as-usual-on', '12-25'), {
    open_on: [],
    closed_on: ['2026-12-28..2026-12-30'],
  });
  t.match(await json('hours', 'list'), [{ name: 'office', number: '1' }]);
});

await t.test('the switch, and what follows from it', async (t) => {
  t.match(await json('hours', 'night', 'office'), { name: 'office', position: 'night' });
  t.match(await cli(['hours', 'day', 'office'], { env }), {
    status: 0,
    err: 'hours office of team astercc are open, whatever the rules say',
  });
  t.match(await json('hours', 'show', 'office'), { position: 'day', state: 'open', why: 'switched to day' });
  t.match(await json('hours', 'automatic', 'office'), { position: 'automatic' });
});

await t.test('what is wrong is said with something to type instead', async (t) => {
  for (const [args, status, words] of [
    [['set', 'office', '--week', 'mo-fr 9-17'], 2, /"mo-fr" is not allowed .*type for example "mon-fri/],
    [['set', 'office', '--closed-on', '24.12.2026'], 2, /type for example "2026-12-24"/],
    [['show', 'office', '--at', 'noon'], 2, /"noon" is no moment/],
    [['day', 'nights'], 4, /hours "nights" does not exist in team astercc/],
    [['set', 'office'], 2, /--week, --open-on, --closed-on, --as-usual-on/],
  ] as const) {
    const result = await cli(['hours', ...args], { env });
    t.equal(result.status, status, args.join(' '));
    t.match(result.err, words);
  }
});

await t.test('DIDs and groups have hours, and so has the team', async (t) => {
  await json('group', 'add', 'support', '--hours', 'office', '--closed', 'hangup:busy');
  t.match(await json('did', 'add', '600100', '--to', 'group:support', '--hours', 'office'), {
    hours: 'office',
    closed: null,
  });
  t.match(await json('group', 'show', 'support'), { hours: 'office', closed: 'hangup:busy' });
  t.match(await json('team', 'set', 'astercc', '--hours', 'office'), { hours: 'office' });
  t.match((await cli(['destination', 'show', '600100'], { env })).out, /closed: hangup:busy/);
});
