import t from 'tap';
import { Outbound } from '../../domain/calls/outbound/outbound-memory.js';
import type { TeamFacts } from '../../domain/calls/outbound/outbound-team.js';
import { typedWithoutServer } from '../../domain/calls/outbound/typed-number.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup } from '../../domain/provisioning/numbers/trunk-group.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

/** Numbers outside that an administrator has typed, for destinations, telephones of agents, ring groups. */
const { db } = await freshDatabase(t);
const team = 'astercc';
await provision(db, crowd(1, { did: '+4930600100' }));
await addTrunk(db, team, { name: 'old', endpoint: 'old' });
await addTrunk(db, team, { name: 'home', endpoint: 'home', country: 'DE', numberFormat: 'national' });
await addTrunkGroup(db, team, { name: 'both', members: ['old', 'home'], rules: ['+3531 refuse'] });
const facts: TeamFacts = {
  did: (_team, number) => (number === '+4930600100' ? number : undefined),
  hours: () => undefined,
};

/** What is sent over which trunks, or why not; with a server, and without one. */
async function called(number: string): Promise<{ server: string; alone: string; shown: string | null }> {
  const outbound = new Outbound(db, 'default', facts);
  await outbound.load();
  const decision = outbound.typed(team, number, { instant: Date.now() });
  const of = outbound.team(team);
  if (!decision || !of) throw new Error('no team');
  const alone = typedWithoutServer(of, number, facts);
  const over = (steps: typeof alone.steps): string =>
    steps.map(({ trunk, sent }) => `${trunk.name} ${sent}`).join(', ');
  return {
    server: decision.go ? over(decision.steps) : decision.refused,
    alone: over(alone.steps),
    shown: decision.go ? decision.callerId : null,
  };
}

await t.test(
  'a team that has a trunk and says nothing of calls outside sends them as they stand',
  async (t) => {
    t.match(await called('+4915112345678'), { server: 'no-trunk', alone: '' });
    await setTeam(db, team, { trunk: 'old' });
    for (const number of ['015112345678', '+4915112345678', '+881612345678']) {
      const alone = number.startsWith('+881') ? '' : `old ${number}`;
      t.match(await called(number), { server: `old ${number}`, alone, shown: null }, number);
    }
  },
);

await t.test('over a trunk group each trunk is sent its form, and rules of the group hold', async (t) => {
  await setTeam(db, team, { trunk: null, trunkGroup: 'both' });
  const both = 'old +4915112345678, home 015112345678';
  t.match(await called('+4915112345678'), { server: both, alone: both });
  t.match(await called('+35312345678'), { server: 'no-trunk', alone: '' });
});

await t.test(
  'without a server only what is premium is closed to a team that says nothing of rights',
  async (t) => {
    await setTeam(db, team, { country: 'DE' });
    const abroad = 'old +33142685300, home 0033142685300';
    t.match(await called('+33142685300'), { server: abroad, alone: abroad });
    t.match(await called('+499001234567'), { server: 'old +499001234567, home 09001234567', alone: '' });
  },
);

await t.test('once its phones call out, its rights hold for what is typed, too', async (t) => {
  await setTeam(db, team, { outsidePrefix: '0', callerId: '+4930600100', country: 'DE' });
  const both = 'old +4915112345678, home 015112345678';
  const shown = '+4930600100';
  t.match(await called('+4915112345678'), { server: both, alone: both, shown });
  t.match(
    await called('015112345678'),
    { server: both, alone: both, shown },
    'it is read as its phones dial',
  );
  t.match(await called('+33142685300'), { server: 'class', alone: '' });
  await setTeam(db, team, { mayCall: 'national,mobile,international,premium' });
  const abroad = 'old +33142685300, home 0033142685300';
  t.match(
    await called('+33142685300'),
    { server: abroad, alone: '' },
    'without a server only what is national and mobile is open',
  );
  t.match(
    await called('+499001234567'),
    { server: 'old +499001234567, home 09001234567', alone: '' },
    'nobody opens the purse by stopping a server',
  );
  t.match(
    await called('+4930600100'),
    { server: 'number', alone: '' },
    'a number of its own would come back',
  );
});
