import t from 'tap';
import { applyRules, parseTrunkRule } from '../../domain/trunk-rules.js';
import { addTeam, setTeam, showTeam } from '../../domain/provisioning/team.js';
import { addTrunk, removeTrunk } from '../../domain/provisioning/numbers/trunk.js';
import {
  addTrunkGroup,
  removeTrunkGroup,
  setTrunkGroup,
  showTrunkGroup,
} from '../../domain/provisioning/numbers/trunk-group.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
for (const name of ['main', 'reserve']) await addTrunk(db, 'astercc', { name, endpoint: `own-${name}` });
for (const name of ['main', 'shared']) await addTrunk(db, null, { name, endpoint: `all-${name}` });
await addTrunk(db, 'other', { name: 'theirs', endpoint: 'theirs' });

await t.test('a group has its trunks in their order, its own before one of that name for all', async (t) => {
  const members = ['reserve', 'main', 'shared'];
  t.match(await addTrunkGroup(db, 'astercc', { name: 'providers', members }), {
    team: 'astercc',
    members,
    strategy: 'priority',
    rules: [],
  });
  const { rows } = await db.raw<{ rows: { endpoint: string }[] }>(
    'select endpoint from trunk_group_members m join trunks k on k.id = m.trunk_id order by m.position',
  );
  t.same(
    rows.map(({ endpoint }) => endpoint),
    ['own-reserve', 'own-main', 'all-shared'],
  );
  const turned = ['shared', 'main', 'reserve'];
  t.match(await setTrunkGroup(db, 'astercc', 'providers', { members: turned, strategy: 'random' }), {
    members: turned,
    strategy: 'random',
  });
  await addTrunkGroup(db, null, { name: 'all', members: ['main', 'shared'] });
});

await t.test('a group has no trunk of another team, and never none', async (t) => {
  for (const [kind, words, team, members] of [
    ['not_found', ['trunk "theirs" does not exist in team astercc'], 'astercc', ['theirs']],
    ['not_found', ['trunk "reserve" does not exist in the system'], null, ['reserve']],
    ['usage', ['trunk group free needs at least one member'], 'astercc', []],
    ['usage', ['"main" only once'], 'astercc', ['main', 'main']],
    ['conflict', ['trunk group providers of team astercc exists already'], 'astercc', ['main']],
  ] as const)
    await refused(t, kind, words, () =>
      addTrunkGroup(db, team, { name: kind === 'conflict' ? 'providers' : 'free', members }),
    );
  await t.rejects(
    db.raw(`insert into trunk_group_members (trunk_group_id, trunk_id, position)
      select g.id, k.id, 9 from trunk_groups g, trunks k where g.name = 'providers' and k.name = 'theirs'`),
    /of its own team, or of every team/,
    'the database itself refuses it',
  );
});

await t.test('of the rules of a group the longest beginning holds, and no other', async (t) => {
  const rules = ['* refuse', '+49 allow', '+4930 strip 3 add 0', '+49900   refuse', '+43 add 9'];
  t.match(await setTrunkGroup(db, 'astercc', 'providers', { rules: [...rules, '+43 strip 1'] }), {
    rules: ['+49900 refuse', '+4930 strip 3 add 0', '+43 strip 1', '+49 allow', '* refuse'],
  });
  const read = (await showTrunkGroup(db, 'astercc', 'providers')).rules.map(parseTrunkRule);
  for (const [number, expected] of [
    ['+4930600100', { refused: false, sent: '030600100' }],
    ['+4940600100', { refused: false, sent: undefined }],
    ['+49900123', { refused: true }],
    ['+43123', { refused: false, sent: '43123' }],
    ['+33123', { refused: true }],
  ] as const)
    t.same(applyRules(read, number), expected, number);
  t.same(applyRules([], '+33123'), { refused: false, sent: undefined });
  for (const rule of [
    '',
    '+49',
    'x allow',
    '+49 strip',
    '+49 strip 21',
    '+49 allow add 0',
    '+49 add x',
    '+49 strip3',
  ])
    await refused(t, 'usage', ['rule "', '"+1900 refuse"'], () =>
      setTrunkGroup(db, 'astercc', 'providers', { rules: [rule] }),
    );
  t.match(await setTrunkGroup(db, 'astercc', 'providers', { rules: null }), { rules: [] });
});

await t.test('a team calls out over a trunk or over a trunk group, not over both (spec 6)', async (t) => {
  const set = (given: Parameters<typeof setTeam>[2]) => setTeam(db, 'astercc', given);
  t.match(await set({ trunkGroup: 'providers' }), { trunkGroup: 'providers', trunk: null });
  await refused(
    t,
    'conflict',
    ['over a trunk group already', 'team set astercc --trunk main --no-trunk-group'],
    () => set({ trunk: 'main' }),
  );
  await refused(t, 'usage', ['not over both'], () => set({ trunk: 'main', trunkGroup: 'providers' }));
  t.match(await set({ trunk: 'main', trunkGroup: null }), { trunk: 'main', trunkGroup: null });
  await refused(t, 'conflict', ['--trunk-group providers --no-trunk'], () =>
    set({ trunkGroup: 'providers' }),
  );
  t.match(await set({ trunk: null, trunkGroup: 'all' }), { trunkGroup: 'all' }, 'of every team');
  await refused(t, 'not_found', ['trunk group "providers" does not exist in team other'], () =>
    setTeam(db, 'other', { trunkGroup: 'providers' }),
  );
  await t.rejects(
    db.raw(
      `update teams set trunk_id = (select min(id) from trunks where team_id is null) where identity = 'astercc'`,
    ),
    /teams_one_way_out/,
  );
});

await t.test('nothing is removed over which somebody calls out', async (t) => {
  await setTeam(db, 'astercc', { trunkGroup: 'providers' });
  await setTeam(db, 'other', { trunkGroup: 'all' });
  for (const [words, work] of [
    [
      ['trunk group providers', 'team set astercc --no-trunk-group'],
      () => removeTrunkGroup(db, 'astercc', 'providers'),
    ],
    [['for every team', 'team set other --no-trunk-group'], () => removeTrunkGroup(db, null, 'all')],
    [['trunk-group set providers --members <others>'], () => removeTrunk(db, 'astercc', 'reserve')],
    [
      [
        'trunk-group set providers --members <others>`',
        'trunk-group set all --members <others> --every-team',
      ],
      () => removeTrunk(db, null, 'shared'),
    ],
  ] as const)
    await refused(t, 'conflict', words, work);
  await setTeam(db, 'astercc', { trunkGroup: null });
  await removeTrunkGroup(db, 'astercc', 'providers');
  await removeTrunk(db, 'astercc', 'reserve');
  t.match(await showTeam(db, 'astercc'), { trunk: null, trunkGroup: null });
});
