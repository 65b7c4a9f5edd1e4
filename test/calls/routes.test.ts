import t from 'tap';
import { listUnknownNumbers } from '../../domain/calls/routing/unknown-numbers.js';
import { announcements } from '../../domain/provisioning/features/announcement.js';
import { bindings } from '../../domain/provisioning/features/binding.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { didRules } from '../../domain/provisioning/numbers/did-rule.js';
import { addGroup, removeGroup } from '../../domain/provisioning/people/group.js';
import { addTeam, setTeam } from '../../domain/provisioning/team.js';
import { addTrunk, removeTrunk, setTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { readRows } from '../../pbx/files/model/rows.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';
import { asked } from '../support/asked.js';

const { db, url } = await freshDatabase(t);
const team = 'astercc';
await addTeam(db, 'other');
for (const name of ['support', 'sales', 'vip']) await addGroup(db, team, { name });
await addGroup(db, 'other', { name: 'support' });
await announcements.add(db, team, 'closed', { sound: 'custom/closed' });
await addTrunk(db, null, { name: 'provider', endpoint: 'provider', country: 'DE' });
await addTrunk(db, team, { name: 'cheap', endpoint: 'cheap', country: 'AT' });
await addTrunk(db, 'other', { name: 'theirs', endpoint: 'theirs' });
await setTeam(db, team, { trunk: 'provider' });
await addDid(db, team, { number: '+4930600100', to: 'group:support' });
await addDid(db, team, { number: '+4930600200..+4930600299', to: 'group:sales' });
await addDid(db, 'other', { number: '+4930700100', to: 'group:support' });

await t.test('callers of a rule with a priority in queues go ahead there, and nobody else', async (t) => {
  await didRules.add(db, team, 'ahead', { caller: '030777*', to: 'group:support', queuePriority: 7 });
  const { variablesOf } = await asked(t, db);
  const priorityOf = async (caller: string): Promise<string | undefined> =>
    (await variablesOf('inbound', [team, '+4930600100', 'provider'], caller)).get('STAR64_PRIO');
  t.equal(await priorityOf('030777123'), '7');
  t.equal(await priorityOf('030123'), undefined);
  await didRules.remove(db, team, 'ahead');
});

await t.test('of the rules whose conditions all hold the largest decides', async (t) => {
  await didRules.add(db, team, 'mobiles', { caller: '0171*', to: 'group:vip', priority: 10 });
  await didRules.add(db, team, 'nobody', { caller: 'anonymous', to: 'hangup:rejected', priority: 20 });
  await didRules.add(db, team, 'cheap', {
    trunk: 'cheap',
    did: '030600200..030600249',
    to: 'announcement:closed',
    priority: 30,
  });
  const { ask } = await asked(t, db);
  const goes = (number: string, caller: string, endpoint = 'provider') =>
    ask('inbound', [team, number, endpoint], caller);
  t.equal(await goes('+4930600100', '030123'), 'astercc-groups,support,1', 'none holds');
  for (const caller of ['+491712345678', '01712345678', '00491712345678', '491712345678', '(0171) 234-5678'])
    t.equal(await goes('+4930600100', caller), 'astercc-groups,vip,1', caller);
  t.equal(await goes('+4930600100', '+49171'), 'astercc-groups,vip,1', 'the beginning itself');
  t.equal(
    await goes('+4930600100', '01712345678', 'cheap'),
    'astercc-groups,support,1',
    'of Austria it is another number',
  );
  for (const caller of ['unknown', 'anonymous', '', '李', '17${X}'])
    t.equal(await goes('+4930600100', caller), 'star64-hangup,rejected,1', caller);
  t.equal(
    await goes('+4930600210', '+491712345678', 'cheap'),
    'astercc-announcements,closed,1',
    'the larger priority',
  );
  t.equal(await goes('+4930600260', '+491712345678', 'cheap'), 'astercc-groups,vip,1', 'beyond its numbers');
  t.equal(await goes('+4930600210', '030123', 'elsewhere'), 'astercc-groups,sales,1', 'over another trunk');
  t.equal(
    await ask('inbound', ['other', '+4930700100', 'provider'], 'unknown'),
    'other-groups,support,1',
    'of another team',
  );
  t.equal(
    await ask('inbound', ['other', '+4930600100', 'provider'], '1'),
    undefined,
    'a number that is not theirs',
  );
});

await t.test('a rule is of one team, is shown as it was typed, and keeps what it leads to', async (t) => {
  t.match(await didRules.show(db, team, 'cheap'), {
    priority: 30,
    did: '030600200..030600249',
    caller: null,
    trunk: 'cheap',
    to: 'announcement:closed',
  });
  t.same(
    (await didRules.list(db, team)).map(({ name }) => name),
    ['cheap', 'nobody', 'mobiles'],
    'as they are asked',
  );
  await refused(t, 'not_found', ['theirs'], () => didRules.set(db, team, 'cheap', { trunk: 'theirs' }));
  await t.rejects(
    db.raw(
      `update did_rules set trunk_id = (select id from trunks where name = 'theirs') where name = 'cheap'`,
    ),
    /another team/,
  );
  await refused(t, 'not_found', ['group "other"'], () => didRules.add(db, team, 'x1', { to: 'group:other' }));
  await refused(t, 'conflict', ['mobiles'], () => didRules.add(db, team, 'mobiles', { to: 'group:vip' }));
  await refused(t, 'conflict', ['did-rule set cheap --no-trunk'], () => removeTrunk(db, team, 'cheap'));
  await refused(t, 'conflict', ['did-rule set mobiles --to <other>'], () => removeGroup(db, team, 'vip'));
  for (const [option, typed] of [
    ['did', '+49..+4'],
    ['caller', '0171;*'],
    ['caller', '5..3'],
    ['did', '*'],
    ['caller', '_X.'],
  ] as const)
    await refused(t, 'usage', [typed], () => didRules.set(db, team, 'mobiles', { [option]: typed }));
  const { teams } = await readRows(db, 'default');
  t.match(
    teams
      .find(({ identity }) => identity === team)
      ?.ruleSlots.map(({ to }) => to?.name)
      .sort(),
    ['closed', 'rejected', 'vip'],
    'the files know what rules lead to',
  );
});

await t.test('a call keeps the binding that held when it arrived, and the rule that decided', async (t) => {
  await db('calls').delete();
  await bindings.add(db, team, 'default', {
    application: 'campaign',
    link: 'https://crm.example.org/{caller}',
  });
  await bindings.add(db, team, 'important', { application: 'customer_service', group: 'vip', priority: 5 });
  await bindings.add(db, team, 'sale', {
    application: 'third_party',
    did: '+493060021*',
    caller: '0171*',
    priority: 7,
  });
  await refused(t, 'conflict', ['binding set important --no-group'], async () => {
    await didRules.set(db, team, 'mobiles', { to: 'group:support' });
    await removeGroup(db, team, 'vip');
  });
  await didRules.set(db, team, 'mobiles', { to: 'group:vip' });
  const { ask, journal } = await asked(t, db);
  await ask('inbound', [team, '+4930600100', 'provider'], '030123');
  await ask('inbound', [team, '+4930600100', 'provider'], '01712345678');
  await ask('inbound', [team, '+4930600215', 'provider'], '01712345678');
  await ask('inbound', ['other', '+4930700100', 'provider'], '01712345678');
  await journal.flush();
  const said = await db('calls')
    .orderBy('id')
    .select<object[]>('did', 'caller', 'rule', 'binding', 'application', 'link');
  t.same(
    said.map((row): unknown[] => Object.values(row)),
    [
      ['+4930600100', '030123', null, 'default', 'campaign', 'https://crm.example.org/{caller}'],
      ['+4930600100', '01712345678', 'mobiles', 'important', 'customer_service', null],
      ['+4930600215', '01712345678', 'mobiles', 'sale', 'third_party', null],
      ['+4930700100', '01712345678', null, null, null, null],
    ],
  );
  await bindings.remove(db, team, 'sale');
  t.equal((await db('calls').where({ binding: 'sale' })).length, 1, 'history keeps its name');
});

await t.test('a number that no team has goes where the team of its trunk says, and is counted', async (t) => {
  await refused(t, 'usage', ['team set astercc --unknown-to'], () =>
    setTrunk(db, team, 'cheap', { unknownTeam: team }),
  );
  const before = await asked(t, db);
  t.equal(await before.ask('unknown-number', ['', 'cheap', '0430599'], '1'), 'star64-nowhere,s,1');
  await setTeam(db, team, { unknownTo: 'announcement:closed' });
  const { ask, routing, unknownNumbers, journal } = await asked(t, db);
  t.equal(await ask('unknown-number', ['', 'cheap', '0430599'], '1'), 'astercc-announcements,closed,1');
  t.equal(await ask('unknown-number', ['', 'provider', '030599'], '1'), 'star64-nowhere,s,1');
  t.equal(await ask('unknown-number', ['', 'theirs', '030599'], '1'), 'star64-nowhere,s,1');
  t.equal(await ask('unknown-number', ['', 'nobodys', '030599'], '1'), 'star64-nowhere,s,1');
  await setTrunk(db, null, 'provider', { unknownTeam: team });
  await routing.load([]);
  t.equal(await ask('unknown-number', ['', 'provider', '030599'], '1'), 'astercc-announcements,closed,1');
  t.equal(
    await ask('unknown-number', ['', 'provider', '030600100'], '+49171'),
    'astercc-groups,vip,1',
    'a DID as its trunk writes it, by its rules',
  );
  await Promise.all([unknownNumbers.flush(), journal.flush()]);
  t.match(await listUnknownNumbers(db), [
    { number: '030599', calls: 4 },
    { number: '0430599', calls: 1 },
  ]);
  t.match(await db('calls').where({ did: '030599' }), [{ binding: 'default' }], 'and is a call of the team');
});

await t.test(
  'hostile numbers and names reach no place, no place but ours is answered, and nothing breaks',
  async (t) => {
    const hostile = [
      '+49171;x',
      '${SHELL(id)}',
      '"',
      '\\',
      "'; drop table calls; --",
      '[x]',
      '*',
      '0171*',
      '..',
      '0171..0172',
      '李小龙',
      '\u202e',
      '<sip:x@y>',
      '__proto__',
      'constructor',
      `49${'1'.repeat(4000)}`,
      '%n%s',
      '+',
      '++49171',
      '1_000',
      '&',
      '|',
      ',,1',
      'a,b,c',
      '-1',
      'NaN',
      '1e9',
      '٠١٧١',
    ];
    const { ask, journal, unknownNumbers } = await asked(t, db);
    const places =
      /^(astercc-(groups,(support|vip|sales)|announcements,closed)|star64-hangup,rejected|star64-nowhere,s),1$/;
    for (const value of hostile) {
      for (const [script, args] of [
        ['inbound', [team, '+4930600100', value]],
        ['inbound', [team, value, 'provider']],
        ['inbound', [value, '+4930600100', 'provider']],
        ['unknown-number', ['', 'provider', value]],
        ['unknown-number', ['', value, '030599']],
      ] as const) {
        const place = await ask(script, [...args], value);
        t.ok(
          place === undefined || places.test(place),
          `${script} ${value.slice(0, 20)}: ${place ?? 'the generated way'}`,
        );
      }
    }
    t.equal(
      await ask('inbound', [team, '+4930600100', 'provider'], '030123'),
      'astercc-groups,support,1',
      'the server lives',
    );
    await Promise.all([journal.flush(), unknownNumbers.flush()]);
  },
);

await t.test('star64 route says which rule decides, by the functions that a call is routed by', async (t) => {
  const env = { DATABASE_URL: url };
  const route = async (...given: string[]) => (await cli(['route', ...given], { env })).out;
  t.equal(
    await route('030600100', '--from', '01712345678', '--trunk', 'provider'),
    [
      '1. +4930600100 is DID +4930600100 of team astercc',
      '2. rule cheap (priority 30) does not hold: it is for 030600200..030600249'.replace(
        '030600200..030600249',
        '+4930600200..+4930600249',
      ),
      '3. rule nobody (priority 20) does not hold: it is for calls without a number',
      '4. rule mobiles (priority 10) holds: the call goes to group:vip',
      '5. binding important (priority 5) holds: the call belongs to customer_service',
      '6. the call goes to group:vip',
      '',
    ].join('\n'),
  );
  t.match(JSON.parse(await route('--json', '030600250', '--from', '1', '--at', '2026-12-24T10:00')), {
    number: '+4930600250',
    team,
    did: '+4930600200..+4930600299',
    rule: null,
    destination: 'group:sales',
    place: 'astercc-groups,sales,1',
    binding: { name: 'default' },
    steps: [
      /is DID [+]4930600200[.][.]/,
      /cheap/,
      /nobody/,
      /mobiles/,
      /the DID leads to group:sales/,
      String,
      String,
    ],
  });
  t.match(
    await route('030599', '--trunk', 'provider'),
    /no team has [+]?[0-9]+\n.*team astercc takes such calls/,
  );
  t.match(await route('030599'), /over no trunk.*refused\n.*404/s);
  t.match(await route('030700100'), /of team other/);
  t.match(await cli(['route', '030600100', '--trunk', 'theirs'], { env }), { status: 4 });
  t.match(await cli(['route', 'a;b'], { env }), { status: 2 });
});
