import { pino } from 'pino';
import t from 'tap';
import { UnknownNumbers } from '../../domain/calls/routing/unknown-numbers.js';
import { readNotices } from '../../domain/monitor/notices.js';
import { recordGuard } from '../../domain/presence/callers-extension.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { crowd, provision } from '../../lab/provision.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';

const { db, url } = await freshDatabase(t);
const env = { DATABASE_URL: url };
await provision(db, crowd(1));
await addTeam(db, 'other');

await t.test('phones that cannot call for help are told of, unless nobody wants them to', async (t) => {
  t.match(await readNotices(db, 'astercc'), [
    {
      about: 'emergency',
      says: /^no phone of team astercc \(1\) can call 112, 911: .*`star64 trunk add .*`star64 team set astercc --no-emergency`/,
    },
  ]);
  t.match((await cli(['status'], { env })).err, 'no phone of team astercc (1) can call 112, 911');
  t.same(await readNotices(db, 'other'), [], 'no phones');
  await setTeam(db, 'astercc', { emergency: null });
});

await t.test('with nothing to see to nothing is said', async (t) => {
  t.same(await readNotices(db, 'astercc'), []);
  await db('file_changes').delete();
  t.match(await cli(['status'], { env }), { status: 0, err: '' });
  t.match(await cli(['did', 'unknown'], { env }), { status: 0, out: '' });
});

await t.test('an endpoint without its line is named to its team, with the line', async (t) => {
  await addExtension(db, 'astercc', { number: '201', user: 'crowd', endpoint: '201' });
  t.match(await readNotices(db, 'astercc'), [
    { about: 'endpoint', says: /not known .*include => astercc-features/ },
  ]);
  await recordGuard(db, 'astercc', '201', false);
  const { err, out } = await cli(['status'], { env });
  t.match(err, /endpoint 201 \(extension 201\) .*set_var = GROUP\(star64\)=PJSIP\/201\n/);
  t.match(out, /^kind\tname\t[^]*\ngroup\tsupport\t/, 'what is talk is not in the data');
  t.notMatch(out, 'set_var');
  t.same(await readNotices(db, 'other'), []);
  await recordGuard(db, 'astercc', '201', true);
  t.same(await readNotices(db, 'astercc'), []);
});

await t.test('numbers that no team has are named, as long as none has them', async (t) => {
  await addTrunk(db, null, { name: 'provider', endpoint: 'provider', country: 'DE' });
  const numbers = new UnknownNumbers(db, 'default', pino({ enabled: false }), 3_600_000);
  const call = (number: string) => numbers.add({ number, endpoint: 'provider', caller: '4930\u009b2J' });
  for (const number of ['030999991', '030999991', '030999992', '030999993', '030999994']) call(number);
  await numbers.flush();
  const [notice] = await readNotices(db, 'other');
  t.match(notice, { about: 'unknown-number', says: /030999991 \(2, over provider\).* and 1 more/ });
  t.match(JSON.parse((await cli(['status', '--json'], { env })).out), {
    notices: [{ about: 'unknown-number' }],
  });
  t.match(
    (await cli(['did', 'unknown'], { env })).out,
    /^030999991\t2\t[^\t]+Z\t[^\t]+Z\tprovider\t4930\ufffd2J\tdefault\n/,
  );
  await addDid(db, 'astercc', { number: '+4930999991', to: 'group:support' });
  t.notMatch((await cli(['did', 'unknown'], { env })).out, '030999991');
  await db('unknown_numbers').update({ last_at: db.raw(`last_at - interval '25 hours'`) });
  t.same(await readNotices(db, 'other'), [], 'yesterday is yesterday');
  t.match((await cli(['did', 'unknown'], { env })).out, '030999992');
});

await t.test('of two DIDs that are one number both are named', async (t) => {
  await db.raw(`insert into dids (team_id, number, twin)
    select team_id, '4930999991', true from dids where number = '+4930999991'`);
  t.same(await readNotices(db, 'other'), [], 'neither is of this team');
  t.match(await readNotices(db, 'astercc'), [
    {
      about: 'did',
      says: /DID 4930999991 of team astercc and DID \+4930999991 .*star64 did remove 4930999991/,
    },
  ]);
});
