import t from 'tap';
import { announcements } from '../../domain/provisioning/features/announcement.js';
import { addAgent, removeAgent } from '../../domain/provisioning/people/agent.js';
import { destinationTree } from '../../domain/provisioning/features/destination-tree.js';
import { addDid, dids } from '../../domain/provisioning/numbers/did.js';
import { addGroup, removeGroup } from '../../domain/provisioning/people/group.js';
import { menus } from '../../domain/provisioning/features/menu.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db, url } = await freshDatabase(t);
const team = 'astercc';
await addUser(db, team, { username: 'anna' });
await addGroup(db, team, { name: 'support' });
await addAgent(db, team, { number: '1001', user: 'anna', groups: ['support'] });
await announcements.add(db, team, 'closed', { sound: 'custom/closed' });
await menus.add(db, team, 'welcome', {
  sound: 'custom/welcome',
  key1: 'group:support',
  key2: 'agent:1001',
  timeout: 'announcement:closed',
});
await addDid(db, team, { number: '600100', to: 'menu:welcome' });

await t.test('a destination is shown as it is typed, and taken away by its option', async (t) => {
  t.match(await menus.show(db, team, 'welcome'), {
    key1: 'group:support',
    key2: 'agent:1001',
    key3: null,
    timeout: 'announcement:closed',
  });
  t.match(await menus.set(db, team, 'welcome', { key3: 'hangup:busy' }), { key3: 'hangup:busy' });
  t.match(await menus.set(db, team, 'welcome', { key3: null }), { key1: 'group:support', key3: null });
  t.match(await dids.show(db, team, '600100'), { to: 'menu:welcome' });
});

await t.test('what is no destination is refused, with the way out', async (t) => {
  const to = (typed: string) => () => dids.set(db, team, '600100', { to: typed });
  await refused(t, 'usage', ['"support"', 'group:support'], to('support'));
  await refused(t, 'usage', ['"queue:support"', 'ring-group'], to('queue:support'));
  await refused(t, 'usage', ['cause "maybe"', 'congestion'], to('hangup:maybe'));
  await refused(t, 'usage', ['group name', '"a\\nb"'], to('group:a\nb'));
  await refused(t, 'usage', ['telephone number'], to('outside:${X}'));
  await refused(t, 'not_found', ['menu "other"', 'menu list'], to('menu:other'));
  await refused(t, 'usage', ['DID "600101" needs to', '--to'], () => dids.add(db, team, '600101'));
  t.match(await dids.show(db, team, '600100'), { to: 'menu:welcome' }, 'nothing has changed');
});

await t.test('a circle is refused, spelled out, and nothing of it is kept', async (t) => {
  await refused(
    t,
    'conflict',
    ['announcement closed', 'announcement:closed -> (then) menu:welcome -> (timeout) announcement:closed'],
    () => announcements.set(db, team, 'closed', { then: 'menu:welcome' }),
  );
  t.match(await announcements.show(db, team, 'closed'), { then: null });
  await refused(t, 'conflict', ['menu:welcome -> (wrong) menu:welcome'], () =>
    menus.set(db, team, 'welcome', { wrong: 'menu:welcome' }),
  );
});

await t.test('of two edges that only together make a circle one is refused', async (t) => {
  for (const name of ['one', 'two']) await announcements.add(db, team, name, { sound: 'custom/x' });
  const both = await Promise.allSettled([
    announcements.set(db, team, 'one', { then: 'announcement:two' }),
    announcements.set(db, team, 'two', { then: 'announcement:one' }),
  ]);
  t.same(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  for (const name of ['one', 'two']) await announcements.set(db, team, name, { then: null });
  for (const name of ['one', 'two']) await announcements.remove(db, team, name);
});

await t.test('what calls are sent to stays, and the refusal says how it is let go', async (t) => {
  await refused(t, 'conflict', ['menu welcome', 'menu set welcome --no-key-2'], () =>
    removeAgent(db, team, '1001'),
  );
  await refused(t, 'conflict', ['menu set welcome --no-timeout'], () =>
    announcements.remove(db, team, 'closed'),
  );
  await refused(t, 'conflict', ['did set 600100 --to <other>'], () => menus.remove(db, team, 'welcome'));
});

await t.test('a destination is of the same team (spec 4)', async (t) => {
  await addTeam(db, 'other');
  await addUser(db, 'other', { username: 'anna' });
  await refused(t, 'not_found', ['menu "welcome"', 'team other'], () =>
    dids.add(db, 'other', '600200', { to: 'menu:welcome' }),
  );
  await t.rejects(
    db.raw(`insert into destinations (team_id, from_menu_id, slot, to_group_id)
    select t.id, m.id, 'key-9', g.id from teams t, menus m, agent_groups g where t.identity = 'other'`),
    /foreign key/,
  );
});

await t.test('the tree of a DID is drawn, and told as JSON', async (t) => {
  await announcements.add(db, team, 'sorry', { sound: 'custom/sorry', then: 'hangup:busy' });
  await announcements.set(db, team, 'closed', { then: 'announcement:sorry' });
  await menus.set(db, team, 'welcome', { wrong: 'announcement:closed' });
  const env = { DATABASE_URL: url };
  const { out } = await cli(['destination', 'show', '600100'], { env });
  t.equal(
    out,
    [
      'did:600100',
      '└─ to: menu:welcome',
      '   ├─ key-1: group:support',
      '   ├─ key-2: agent:1001',
      '   ├─ timeout: announcement:closed',
      '   │  └─ then: announcement:sorry',
      '   │     └─ then: hangup:busy',
      '   └─ wrong: announcement:closed (as above)',
      '',
    ].join('\n'),
  );
  t.match(await destinationTree(db, team, 'announcement:sorry'), {
    destination: 'announcement:sorry',
    slot: null,
    next: [{ destination: 'hangup:busy', slot: 'then', next: [] }],
  });
  await refused(t, 'not_found', ['DID "600999"'], () => destinationTree(db, team, '600999'));
  await refused(t, 'not_found', ['group "none"'], () => destinationTree(db, team, 'group:none'));
});

await t.test('the words of before go on being taken for a DID, one at a time', async (t) => {
  const env = { DATABASE_URL: url };
  const added = await cli(['--json', 'did', 'add', '600300', '--group', 'support'], { env });
  t.match(JSON.parse(added.out), { to: 'group:support' });
  const both = await cli(['did', 'set', '600300', '--group', 'support', '--to', 'agent:1001'], { env });
  t.match(both, { status: 2, err: /--to and --group exclude each other/ });
});

await t.test('a removed group leaves no destinations of its own behind', async (t) => {
  await addGroup(db, team, { name: 'short' });
  await removeGroup(db, team, 'short');
  t.same(await db('destinations').whereNotNull('from_group_id'), []);
});
