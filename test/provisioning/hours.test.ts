import t from 'tap';
import { Routing } from '../../domain/calls/routing/routing.js';
import { stateOfHours } from '../../domain/calls/routing/opening.js';
import { addDid, setDid } from '../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup, removeGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { addHours, allHours, switchHours } from '../../domain/provisioning/features/hours.js';
import { addRingGroup, ringGroups } from '../../domain/provisioning/features/ring-group.js';
import { addTeam, removeTeam, setTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { writeDestination } from '../../domain/destination.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
const team = 'astercc';
await setTeam(db, team, { timeZone: 'Europe/Berlin' });
await addTeam(db, 'other');
await addUser(db, team, { username: 'anna' });
await addExtension(db, team, { number: '5000', user: 'anna' });
const set = (values: object) => allHours.set(db, team, 'office', values);

await t.test('what is typed is shown in one way', async (t) => {
  t.match(
    await addHours(db, team, {
      name: 'office',
      number: '1',
      week: ['Monday-fri 9-12,13:00-17:30', 'sat 18:00-02:30'],
      openOn: ['2026-12-31 9:00-12:00'],
      closedOn: ['2026-12-24..2026-12-26', '12-25'],
    }),
    {
      week: ['mon-fri 09:00-12:00,13:00-17:30', 'sat 18:00-02:30'],
      openOn: ['2026-12-31 09:00-12:00'],
      closedOn: ['12-25', '2026-12-24..2026-12-26'],
      position: 'automatic',
    },
  );
});

await t.test('the week is said anew, what is said of dates is added, replaced and taken back', async (t) => {
  t.match(await set({ week: ['mon 08:00-09:00'] }), { week: ['mon 08:00-09:00'], closedOn: ['12-25', /./] });
  const first = await set({ closedOn: ['2027-05-14', '2026-12-31'] });
  t.same(first.closedOn, ['12-25', '2026-12-24..2026-12-26', '2026-12-31', '2027-05-14']);
  t.same(first.openOn, [], 'what is said last of a date stands');
  t.same((await set({ asUsualOn: ['2026-12-31', '12-25'] })).closedOn, [
    '2026-12-24..2026-12-26',
    '2027-05-14',
  ]);
  await refused(t, 'usage', ['"mo-fr"', 'mon-fri 09:00-17:30'], () => set({ week: ['mo-fr 9-17'] }));
  t.match(await set({ week: ['mon-fri 09:00-17:30'] }), { week: ['mon-fri 09:00-17:30'] });
});

await t.test('hours of a team are its own', async (t) => {
  await refused(t, 'conflict', ['hours office', 'number 1'], () =>
    addHours(db, team, { name: 'second', number: '1' }),
  );
  await addHours(db, 'other', { name: 'office', number: '1' });
  await refused(t, 'not_found', ['"second"'], () => setTeam(db, team, { hours: 'second' }));
  await refused(t, 'not_found', ['hours "night"'], () => switchHours(db, team, 'night', 'day'));
  await switchHours(db, 'other', 'office', 'night');
  t.match(await allHours.show(db, team, 'office'), { position: 'automatic' });
});

await t.test('whether they are open is told, and why, at any moment', async (t) => {
  t.same(await stateOfHours(db, team, 'office', '2026-11-26T10:00'), {
    at: '2026-11-26T10:00:00+01:00[Europe/Berlin]',
    state: 'open',
    why: 'Thursday 2026-11-26: open 09:00-17:30',
  });
  t.match(await stateOfHours(db, team, 'office', '2026-12-24T09:00Z'), {
    state: 'closed',
    why: 'Thursday 2026-12-24 (2026-12-24..2026-12-26): closed',
  });
  await refused(t, 'usage', ['"tomorrow"', '2026-12-24T10:00'], () =>
    stateOfHours(db, team, 'office', 'tomorrow'),
  );
});

await t.test('routing goes by the hours of a DID, of a group, and hours themselves', async (t) => {
  await addGroup(db, team, { name: 'support' });
  await addDid(db, team, { number: '600100', to: 'group:support', hours: 'office', closed: 'hangup:busy' });
  await addDid(db, team, { number: '600101', to: 'hours:office' });
  await addDid(db, team, { number: '600102', to: 'group:support' });
  await set({ open: 'group:support', closed: 'extension:5000' });
  const routing = new Routing(db, 'default');
  await routing.load();
  const [open, closed] = ['2026-11-26T10:00Z', '2026-12-24T10:00Z'].map((at) => Date.parse(at));
  const to = (did: string, at = 0, tell?: (words: string) => void) => {
    const found = routing.find(team, did, at, tell);
    return found && writeDestination(found);
  };
  for (const [did, whenOpen, whenClosed] of [
    ['600100', 'group:support', 'hangup:busy'],
    ['600101', 'group:support', 'extension:5000'],
    ['600102', 'group:support', 'group:support'],
  ] as const) {
    t.equal(to(did, open), whenOpen, did);
    t.equal(to(did, closed), whenClosed, did);
  }
  const told: string[] = [];
  to('600100', closed, (words) => told.push(words));
  t.same(told, [
    '600100 is DID 600100 of team astercc',
    'no rules: the DID leads to group:support',
    'hours office are closed (Thursday 2026-12-24 (2026-12-24..2026-12-26): closed)',
    'did:600100 leads to hangup:busy (closed)',
  ]);
  await setGroup(db, team, 'support', { hours: 'office', closed: 'extension:5000' });
  await setDid(db, team, '600100', { hours: null });
  await routing.load();
  t.equal(to('600100', closed), 'extension:5000');
  await switchHours(db, team, 'office', 'day');
  await routing.load();
  t.equal(to('600100', closed), 'group:support');
  await setGroup(db, team, 'support', { closed: null });
  await switchHours(db, team, 'office', 'night');
  await routing.load();
  t.equal(to('600102', open), 'hangup:normal', 'without a destination the call ends');
});

await t.test('calls never go in a circle', async (t) => {
  await refused(t, 'conflict', ['circle', 'hours:office', 'group:support'], () =>
    setGroup(db, team, 'support', { closed: 'hours:office' }),
  );
});

await t.test('what needs hours keeps them, and says how it lets go', async (t) => {
  await setTeam(db, team, { hours: 'office' });
  await refused(
    t,
    'conflict',
    ['`star64 did set 600101 --to <other>`', '`star64 group set support --no-hours`', '--no-hours'],
    () => allHours.remove(db, team, 'office'),
  );
  await setTeam(db, team, { hours: null });
  await setGroup(db, team, 'support', { hours: null });
  await setDid(db, team, '600101', { to: 'group:support' });
  await allHours.remove(db, team, 'office');
  t.same(await allHours.list(db, team), []);
  t.same(await db('hours_rules').select(), []);
  await allHours.remove(db, 'other', 'office');
  await removeTeam(db, 'other');
});

await t.test('the switch makes no files old, the rules and the zone of the team do', async (t) => {
  await addHours(db, team, { name: 'office', week: ['mon-fri 09:00-17:30'] });
  const changes = async (work: () => Promise<unknown>): Promise<number> => {
    await db('file_changes').delete();
    await work();
    return (await db('file_changes').select()).length;
  };
  t.equal(await changes(() => switchHours(db, team, 'office', 'day')), 0);
  t.ok(await changes(() => set({ closedOn: ['2027-05-14'] })));
  t.ok(await changes(() => setTeam(db, team, { timeZone: 'Europe/Paris' })));
  t.equal(await changes(() => setTeam(db, team, { hours: 'office' })), 0);
  t.equal(await changes(() => setTeam(db, team, { name: 'Support' })), 0);
});

await t.test('what was removed keeps no hours', async (t) => {
  await addHours(db, team, { name: 'night' });
  await addGroup(db, team, { name: 'watch', hours: 'night', closed: 'hangup:busy' });
  await addRingGroup(db, team, { number: '709', members: ['5000'], hours: 'night' });
  await refused(t, 'conflict', ['group set watch --no-hours', 'ring-group set 709 --no-hours'], () =>
    allHours.remove(db, team, 'night'),
  );
  await removeGroup(db, team, 'watch');
  await ringGroups.remove(db, team, '709');
  await allHours.remove(db, team, 'night');
  t.notOk((await allHours.list(db, team)).some(({ name }) => name === 'night'));
});
