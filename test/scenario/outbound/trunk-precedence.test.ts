import t, { type Test } from 'tap';
import { addExtension, showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { addHours } from '../../../domain/provisioning/features/hours.js';
import { addTeam, setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup } from '../../../domain/provisioning/numbers/trunk-group.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import { addUserGroup } from '../../../domain/provisioning/people/user-group.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab } from '../../support/centre.js';
import { Provider, toldIn } from '../../support/phones/providers.js';
import { RawPhone } from '../../support/phones/raw-phone.js';

/**
 * Over which trunks a call goes (spec 12), as the providers see it: a set that covers what test/calls/trunk-precedence.test.ts
 * has in every combination. Each provider is busy, and that sends a call to the next trunk here.
 */
await needLab(t);
const seen: string[] = [];
const providers = await Promise.all(
  ['a', 'b', 'c', 'own'].map(async (name, index) => {
    const provider = await Provider.start(`provider.${name}`, 76 + index);
    provider.does((number) => {
      seen.push(`${name} ${number}`);
      return 486;
    });
    return provider;
  }),
);
t.teardown(() => Promise.all(providers.map((provider) => provider.stop())));

/** What the extensions of each team have: the user groups of their user, by position. */
const ways = {
  5000: [],
  5001: [{}],
  5002: [{ trunk: 'b' }],
  5003: [{}, { trunkGroup: 'turns' }],
  5004: [{ trunkGroup: 'any' }, { trunk: 'b' }],
  5005: [{ trunk: 'c' }, { trunkGroup: 'rules' }],
  5006: [{ hours: 'never' }],
} as const;
const teams = { nothing: {}, single: { trunk: 'c' }, several: { trunkGroup: 'rules' } } as const;
type Team = keyof typeof teams;
const centre = await centreOf(t, crowd(0), {
  asterisk: { extra: { 'pjsip.conf': providers.map((provider) => provider.section()).join('') } },
  provision: async (db) => {
    const formats = ['e164', 'national', 'plain'] as const;
    for (const [index, { endpoint }] of providers.slice(0, 3).entries())
      await addTrunk(db, null, {
        name: 'abc'.charAt(index),
        endpoint,
        country: 'DE',
        numberFormat: formats[index] ?? 'e164',
        nextOn: '486',
      });
    const members = ['a', 'b', 'c'];
    await addTrunkGroup(db, null, { name: 'turns', members, strategy: 'round-robin' });
    await addTrunkGroup(db, null, { name: 'any', members, strategy: 'random' });
    const rules = ['+4940 allow', '+494 refuse', '+495 strip 3', '+496 add 99'];
    await addTrunkGroup(db, null, { name: 'rules', members, rules });
    for (const [team, way] of Object.entries(teams)) {
      await addTeam(db, team, { country: 'DE', area: '30', outsidePrefix: '0', ...way });
      await addHours(db, team, { name: 'never' });
      for (const [number, groups] of Object.entries(ways)) {
        const username = `u${number}`;
        await addUser(db, team, { username });
        await addExtension(db, team, { number, user: username });
        // The last position is created first.
        for (const [position, group] of [...groups.entries()].reverse())
          await addUserGroup(db, team, {
            name: `g${number}_${position}`,
            position: 10 * Number(number.slice(2)) + position + 1,
            users: { add: [username] },
            ...group,
          });
      }
    }
    // A team with a trunk of its own, of the name that one for all has.
    await addTeam(db, 'apart', { country: 'DE', area: '30', outsidePrefix: '0' });
    await addTrunk(db, 'apart', { name: 'a', endpoint: 'provider.own', country: 'DE', nextOn: '486' });
    await setTeam(db, 'apart', { trunk: 'a' });
    await addUser(db, 'apart', { username: 'u5000' });
    await addExtension(db, 'apart', { number: '5000', user: 'u5000' });
  },
});
const { asterisk, db } = centre;
for (const provider of providers) await provider.reachable(asterisk);

const phones = new Map<string, RawPhone>();
async function addPhone(team: string, number: string): Promise<void> {
  const { secret } = await showExtensionSecret(db, team, number);
  const phone = await RawPhone.start(`${team}-${number}`, secret ?? '', asterisk.sip, '127.0.0.1');
  t.teardown(() => phone.stop());
  phones.set(`${team}-${number}`, phone);
}
for (const team of Object.keys(teams)) for (const number of Object.keys(ways)) await addPhone(team, number);
await addPhone('apart', '5000');

/** Dials, and says which providers saw which number, in their order. */
async function dialled(team: Team | 'apart', extension: string, number = '0030123456'): Promise<string[]> {
  seen.length = 0;
  const phone = phones.get(`${team}-${extension}`);
  const { status } = (await phone?.call({ to: number })) ?? {};
  t.not(status, 200);
  return [...seen];
}

const over = (...trunks: string[]): string[] => {
  const forms: Record<string, string> = { a: '+4930123456', b: '030123456', c: '4930123456' };
  return trunks.map((name) => `${name} ${forms[name] ?? ''}`);
};
const all = over('a', 'b', 'c');

await t.test('the first user group that has a way, else the default of the team, else nobody', async (t) => {
  const first = over('a', 'b', 'c');
  const turns: Record<Team, string[]> = {
    nothing: first,
    single: over('b', 'c', 'a'),
    several: over('c', 'a', 'b'),
  };
  const standard: Record<Team, string[]> = { nothing: [], single: over('c'), several: all };
  for (const team of Object.keys(teams) as Team[]) {
    t.same(await dialled(team, '5000'), standard[team], `${team}: no user group`);
    t.same(await dialled(team, '5001'), standard[team], `${team}: a user group without a way`);
    t.same(await dialled(team, '5002'), over('b'), `${team}: its trunk`);
    t.same(await dialled(team, '5003'), turns[team], `${team}: the trunk group of the second one, by turns`);
    t.same(
      (await dialled(team, '5004')).sort(),
      all,
      `${team}: the trunk group of the first one, in any order`,
    );
    t.same(await dialled(team, '5005'), over('c'), `${team}: the trunk of the first one`);
  }
});

await t.test(
  'rules of a trunk group: the longest beginning lets through, refuses, strips or adds',
  async (t) => {
    for (const [number, sent] of [
      ['0040123456', ['a +4940123456', 'b 040123456', 'c 4940123456']],
      ['00421123456', []],
      ['00511123456', ['a 511123456', 'b 511123456', 'c 511123456']],
      ['00611123456', ['a 99+49611123456', 'b 99+49611123456', 'c 99+49611123456']],
    ] as const) {
      t.same(await dialled('several', '5000', number), sent, number);
      t.same((await dialled('several', '5002', number)).length, 1, 'no other way has these rules');
    }
  },
);

/** With a server and without: nobody has the trunk of another team, also where it has the name of one of theirs. */
async function apart(t: Test): Promise<void> {
  const mine = 'own +4930123456';
  t.same(await dialled('apart', '5000'), [mine], 'its own trunk, and not the one for all of that name');
  // For help all are tried, twice over, those of other teams never.
  const help = await dialled('apart', '5000', '112');
  t.same(
    help.slice(0, 4),
    ['own', 'a', 'b', 'c'].map((name) => `${name} 112`),
  );
  for (const team of Object.keys(teams) as Team[]) {
    const seen = await dialled(team, '5000', '0112');
    t.same([seen.length, [...new Set(seen)].sort()], [6, ['a 112', 'b 112', 'c 112']], team);
  }
}

await t.test('no team has the trunks of another one', apart);

await t.test('a user group whose hours are closed calls nobody outside', async (t) => {
  t.same(await dialled('single', '5006'), []);
});

await t.test('with no server the same ways, and their trunks in their order', async (t) => {
  await centre.server.stop();
  t.same(await dialled('nothing', '5000'), []);
  t.same(await dialled('single', '5001'), over('c'));
  t.same(await dialled('several', '5001'), all);
  for (const team of ['nothing', 'several'] as const) {
    t.same(await dialled(team, '5002'), over('b'));
    t.same(await dialled(team, '5003'), all);
    t.same(await dialled(team, '5004'), all);
    t.same(await dialled(team, '5005'), over('c'));
  }
  t.same(await dialled('several', '5000', '00421123456'), []);
  t.same(await dialled('several', '5000', '00511123456'), ['a 511123456', 'b 511123456', 'c 511123456']);
  const mark = await asterisk.verbose.mark();
  t.same(await dialled('single', '5006'), []);
  t.match(await toldIn(asterisk, 'Star64Out', mark), [{ Refused: 'hours', Asked: 'no' }]);
  await apart(t);
});
