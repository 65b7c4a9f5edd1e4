import t from 'tap';
import {
  addAgent,
  listAgents,
  removeAgent,
  setAgent,
  showAgent,
} from '../../domain/provisioning/people/agent.js';
import { addExtension, removeExtension, setExtension } from '../../domain/provisioning/numbers/extension.js';
import { signInFixedAgents } from '../../domain/presence/fixed-agents.js';
import { addGroup, setGroup, showGroup } from '../../domain/provisioning/people/group.js';
import { verifyPassword } from '../../domain/password.js';
import { openSignIn } from '../../domain/presence/open-sign-in.js';
import { addTeam, setTeam, showTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { freshDatabase } from '../support/database.js';
import { refused } from '../support/refusal.js';

const { db } = await freshDatabase(t);
await addTeam(db, 'other');
for (const team of ['astercc', 'other']) {
  await addUser(db, team, { username: 'anna' });
  for (const name of ['support', 'sales']) await addGroup(db, team, { name });
}
for (const number of ['5000', '5001']) await addExtension(db, 'astercc', { number, user: 'anna' });

await t.test('a team has a time zone that PostgreSQL can reckon with', async (t) => {
  t.match(await showTeam(db, 'astercc'), { timeZone: 'UTC', phonePin: false });
  t.match(await setTeam(db, 'astercc', { timeZone: 'Asia/Shanghai' }), {
    name: 'astercc',
    timeZone: 'Asia/Shanghai',
  });
  t.equal((await setTeam(db, 'astercc', { timeZone: 'america/new_york' })).timeZone, 'America/New_York');
  t.equal((await addTeam(db, 'timed', { timeZone: 'Europe/Berlin' })).timeZone, 'Europe/Berlin');
  const { rows } = await db.raw<{ rows: unknown[] }>(`select now() at time zone time_zone from teams`);
  t.equal(rows.length, 3);
  await refused(t, 'usage', ['time zone "Paris"', 'IANA name', '"Europe/Paris"'], () =>
    setTeam(db, 'astercc', { timeZone: 'Paris', name: 'Renamed' }),
  );
  await refused(t, 'usage', ['"America/Los_Angeles"'], () =>
    setTeam(db, 'astercc', { timeZone: 'los angeles' }),
  );
  // A country, an offset, what only PostgreSQL takes, what only a shell takes.
  for (const timeZone of [
    'Germany',
    '+01:00',
    'FOO+5',
    'posixrules',
    'localtime',
    "x'; --",
    '',
    'a\nb',
    'a\u0000',
  ]) {
    await refused(t, 'usage', ['time zone "', '"Europe/Berlin"'], () => setTeam(db, 'astercc', { timeZone }));
    await refused(t, 'usage', ['time zone "'], () => addTeam(db, 'untimed', { timeZone }));
  }
  t.match(await showTeam(db, 'astercc'), { name: 'astercc', timeZone: 'America/New_York' });
  await refused(t, 'not_found', ['team "untimed"'], () => showTeam(db, 'untimed'));
});

await t.test('a team may demand a PIN at the phone', async (t) => {
  t.match(await setTeam(db, 'astercc', { phonePin: true }), { phonePin: true, timeZone: 'America/New_York' });
  t.match(await showTeam(db, 'other'), { phonePin: false });
  t.match(await setTeam(db, 'astercc', { phonePin: false }), { phonePin: false });
});

await t.test('a group says what its agents do and when they are signed out', async (t) => {
  t.match(await showGroup(db, 'astercc', 'support'), {
    workMode: 'all',
    signOutAt: null,
    idleSignOutSeconds: null,
    announceAgent: false,
    announceCall: false,
  });
  const all = {
    workMode: 'choice',
    signOutAt: '18:00',
    idleSignOutSeconds: 900,
    announceAgent: true,
    announceCall: true,
  };
  t.match(await setGroup(db, 'astercc', 'support', all), all);
  t.match(await addGroup(db, 'astercc', { name: 'night', ...all, signOutAt: '00:00' }), {
    ...all,
    signOutAt: '00:00',
  });
  t.match(await setGroup(db, 'astercc', 'support', { ringSeconds: 20 }), { ...all, ringSeconds: 20 });
  t.match(await setGroup(db, 'astercc', 'support', { idleSignOutSeconds: 0, announceCall: false }), {
    idleSignOutSeconds: null,
    announceCall: false,
    signOutAt: '18:00',
  });
  t.match(await setGroup(db, 'astercc', 'support', { idleSignOutSeconds: 60 }), { idleSignOutSeconds: 60 });
  t.match(await setGroup(db, 'astercc', 'support', { idleSignOutSeconds: null, signOutAt: null }), {
    idleSignOutSeconds: null,
    signOutAt: null,
    workMode: 'choice',
  });
  await refused(t, 'usage', ['work mode "both"', 'all, inbound, outbound, choice'], () =>
    setGroup(db, 'astercc', 'support', { workMode: 'both' }),
  );
  for (const [typed, meant] of [
    ['9:30', '09:30'],
    ['18.15', '18:15'],
    ['1830', '18:30'],
    ['24:00', '18:00'],
    ['18:60', '18:00'],
    ['6 pm', '18:00'],
    ['18:00\n', '18:00'],
    ['', '18:00'],
  ] as const) {
    await refused(t, 'usage', ['sign-out time "', '00:00 to 23:59', `"${meant}"`], () =>
      setGroup(db, 'astercc', 'support', { signOutAt: typed }),
    );
  }
  for (const idleSignOutSeconds of [59, 86_401, -1, 60.5, NaN]) {
    await refused(t, 'usage', ['idle time until sign-out (0: never)', '60 to 86400'], () =>
      setGroup(db, 'astercc', 'support', { idleSignOutSeconds }),
    );
  }
  t.match(await showGroup(db, 'astercc', 'support'), { idleSignOutSeconds: null, signOutAt: null });
});

const agent = { number: '1001', user: 'anna', groups: ['support', 'sales'] };
const hashOf = async (number: string) =>
  (await db('agents').where({ number }).first<{ hash: string | null }>('pin_hash as hash')).hash;

await t.test('a PIN is kept as a hash, and only whether there is one is shown', async (t) => {
  const added = await addAgent(db, 'astercc', { ...agent, pin: '7305' });
  t.match(added, { pin: true });
  const hash = (await hashOf('1001')) ?? '';
  t.match(hash, /^scrypt\$/);
  t.equal(await verifyPassword('7305', hash), true);
  t.notMatch(JSON.stringify([added, ...(await listAgents(db, 'astercc'))]), /7305|scrypt|hash/);
  t.match(await setAgent(db, 'astercc', '1001', { user: 'anna' }), { pin: true });
  t.equal(await hashOf('1001'), hash, 'it stayed');
  t.match(await setAgent(db, 'astercc', '1001', { pin: '0073051234' }), { pin: true });
  t.equal(await verifyPassword('0073051234', (await hashOf('1001')) ?? ''), true, 'zeros in front count');
  t.match(await setAgent(db, 'astercc', '1001', { pin: null }), { pin: false });
  t.equal(await hashOf('1001'), null);
  t.match(await addAgent(db, 'astercc', { ...agent, number: '1002' }), { pin: false });
});

await t.test('a PIN that somebody guesses in five tries is refused, never repeated', async (t) => {
  const before = await hashOf('1001');
  for (const pin of ['123', '12345678901', '12a4', '73 05', '７３０５', '-7305', '7305\n', '']) {
    await refused(t, 'usage', ['PIN', '4 to 10 digits'], () => setAgent(db, 'astercc', '1001', { pin }));
  }
  for (const pin of ['1001', '0000', '99999', '1234', '4321', '0123456789', '7890', '567890']) {
    await refused(t, 'usage', ['PIN of agent 1001', 'not the agent number'], () =>
      setAgent(db, 'astercc', '1001', { pin }),
    );
    await t.rejects(setAgent(db, 'astercc', '1001', { pin }), { message: /^((?!0000|4321|56789).)*$/ });
  }
  await refused(t, 'usage', ['PIN of agent 7305'], () =>
    addAgent(db, 'astercc', { ...agent, number: '7305', pin: '7305' }),
  );
  t.equal(await hashOf('1001'), before);
  await refused(t, 'not_found', ['agent "7305"'], () => showAgent(db, 'astercc', '7305'));
  t.match(await setAgent(db, 'astercc', '1001', { pin: '1002' }), { pin: true }, "another's number will do");
});

await t.test('a new PIN forgives the wrong ones that were tried, of that agent only', async (t) => {
  await db.raw(
    `insert into sign_in_failures (team_id, kind, number, failures, failed_at)
     select t.id, f.kind, f.number, 5, clock_timestamp() from teams t,
       (values ('agent', '1001'), ('agent', '1002'), ('phone', '1001')) as f (kind, number)`,
  );
  const kept = () =>
    db('sign_in_failures as f')
      .join('teams as t', 't.id', 'f.team_id')
      .where({ 't.identity': 'astercc' })
      .orderBy(['f.kind', 'f.number'])
      .select('f.kind', 'f.number');
  const before = await db('sign_in_failures');
  await setAgent(db, 'astercc', '1001', { user: 'anna' });
  t.equal((await kept()).length, 3);
  await setAgent(db, 'astercc', '1001', { pin: '7305' });
  t.same(await kept(), [
    { kind: 'agent', number: '1002' },
    { kind: 'phone', number: '1001' },
  ]);
  t.equal((await db('sign_in_failures')).length, before.length - 1, 'other teams keep theirs');
});

await t.test('an agent has a penalty in each of his groups, and only there', async (t) => {
  t.match(await showAgent(db, 'astercc', '1001'), { penalties: {} });
  t.same((await setAgent(db, 'astercc', '1001', { penalties: { support: 10, sales: 3 } })).penalties, {
    support: 10,
    sales: 3,
  });
  t.same((await setAgent(db, 'astercc', '1001', { penalties: { support: 0 } })).penalties, { sales: 3 });
  t.same((await showAgent(db, 'astercc', '1002')).penalties, {});
  t.same(
    (await addAgent(db, 'other', { ...agent, groups: ['support'], penalties: { support: 1000 } })).penalties,
    { support: 1000 },
  );
  t.match(await setAgent(db, 'astercc', '1001', { groups: ['night', 'sales'], penalties: { night: 5 } }), {
    groups: ['night', 'sales'],
    penalties: { night: 5, sales: 3 },
  });
  await refused(t, 'usage', ['agent 1001 is not in group support', 'agent set 1001 --groups'], () =>
    setAgent(db, 'astercc', '1001', { penalties: { night: 9, support: 1 } }),
  );
  await refused(t, 'not_found', ['group "nowhere"'], () =>
    setAgent(db, 'astercc', '1001', { penalties: { nowhere: 1 } }),
  );
  for (const penalty of [-1, 1001, 0.5]) {
    await refused(t, 'usage', ['penalty in group "night"', '0 to 1000'], () =>
      setAgent(db, 'astercc', '1001', { penalties: { night: penalty } }),
    );
  }
  await refused(t, 'usage', ['penalty in group "\\u001b'], () =>
    setAgent(db, 'astercc', '1001', { penalties: { '\u001b[2J': -1 } }),
  );
  t.same((await showAgent(db, 'astercc', '1001')).penalties, { night: 5, sales: 3 }, 'nothing half written');
});

await t.test(
  'a fixed agent, who cannot sign out, is changed and removed unless he is in a call',
  async (t) => {
    await setAgent(db, 'astercc', '1001', { kind: 'fixed', extension: '5000' });
    t.equal(await signInFixedAgents(db), 1);
    const state = (to: string) => db('agent_states').whereNull('ended_at').update({ state: to });
    for (const busy of ['ringing', 'talking']) {
      await state(busy);
      for (const work of [
        () => removeAgent(db, 'astercc', '1001'),
        () => setAgent(db, 'astercc', '1001', { kind: 'adaptive' }),
        () => setAgent(db, 'astercc', '1001', { extension: '5001' }),
      ]) {
        await refused(t, 'conflict', ['agent 1001', 'in a call at extension 5000'], work);
      }
    }
    await refused(t, 'conflict', ['agent 1001', 'agent remove 1001'], () =>
      removeExtension(db, 'astercc', '5000'),
    );
    await refused(t, 'conflict', ['agent 1001 is fixed', 'agent set 1001 --extension <other>'], () =>
      setExtension(db, 'astercc', '5000', { kind: 'external', telephone: '110' }),
    );
    await state('wrap-up');
    await setAgent(db, 'astercc', '1001', { extension: '5001' });
    t.equal(await openSignIn(db, 'astercc', { agent: '1001' }), undefined, 'no longer at the old phone');
    t.equal((await db('agent_states').whereNull('ended_at')).length, 0, 'nor in a state there');
    await removeExtension(db, 'astercc', '5000');
    t.equal(await signInFixedAgents(db), 1);
    t.match(await openSignIn(db, 'astercc', { agent: '1001' }), { extension: '5001' });
    await removeAgent(db, 'astercc', '1001');
    t.equal(await openSignIn(db, 'astercc', { extension: '5001' }), undefined);
  },
);
