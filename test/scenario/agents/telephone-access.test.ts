import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { setAgent } from '../../../domain/provisioning/people/agent.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { Caller } from '../../../lab/caller.js';
import { dialAndHear, logged, membersOf, stateOf, waitMembers, waitState } from '../../support/centre.js';
import { callIn } from '../../support/phones/telephone.js';
import { didOf, number, queues, rings, telephoneCentre } from '../../support/phones/telephone-centre.js';

const { centre, mobile, other, signIn, customer } = await telephoneCentre(t);
const { asterisk, db } = centre;

await t.test('whoever only claims his number is refused aloud, and nothing changes', async (t) => {
  await signIn();
  await waitMembers(centre, 'astercc-support', ['2001']);
  const mark = await asterisk.verbose.mark();
  const rogues = await Promise.all(
    [
      ['127.0.0.99', number],
      ['127.0.0.97', '+4915112345679'],
      ['127.0.0.97', 'anonymous'],
      // A trunk that another team alone trusts.
      ['127.0.0.96', number],
    ].map(([address = '', from = '']) =>
      Caller.call({ from, address, to: didOf('sign-out'), server: asterisk.sip }),
    ),
  );
  await Promise.all(rogues.map((rogue) => rogue.ended(30_000)));
  await logged(centre);
  for (const [endpoint, calls] of [
    ['lab-trunk', 1],
    ['provider.1', 2],
    ['provider.2', 1],
  ] as const) {
    const heard = Array.from({ length: calls }, () => ['beeperr', 'privacy-unident']).flat();
    t.same((await asterisk.played(endpoint, mark)).sort(), heard.sort(), endpoint);
  }
  t.same(await membersOf(centre, 'astercc-support'), ['2001'], 'he is still signed in');
});

await t.test('he signs out from his telephone, whose number some networks send without +', async () => {
  const from = number.slice(1);
  const mark = await asterisk.verbose.mark();
  const call = await Caller.call({
    from,
    address: '127.0.0.97',
    to: didOf('sign-out'),
    server: asterisk.sip,
  });
  await asterisk.waitPlayed('provider.1', 'agent-loggedoff', mark);
  await call.ended();
  for (const queue of queues) await waitMembers(centre, queue, []);
});

await t.test('a team that demands a PIN demands it of telephones, too', async (t) => {
  await setAgent(db, 'astercc', '2001', { pin: '48263917' });
  await setTeam(db, 'astercc', { phonePin: true });
  await callIn(
    centre,
    mobile,
    'provider.1',
    didOf('sign-in'),
    ['agent-user', '2001#'],
    ['agent-pass', '48263918#'],
    ['auth-incorrect', '48263917#'],
    ['agent-loginok'],
  );
  await waitMembers(centre, 'astercc-support', ['2001']);
  // Four digits would be in some token or number of the log by chance.
  t.notMatch((await asterisk.verbose.lines()).join('\n'), /4826391[78]/, 'it is in no log');
});

await t.test(
  'a fixed agent has a telephone, too: signed in by nature, pauses and wraps up (spec 19, 20)',
  async (t) => {
    for (const queue of ['b2-support', 'b2-sales']) await waitMembers(centre, queue, ['2001']);
    await callIn(centre, other, 'provider.2', didOf('sign-out', 1), ['beeperr'], ['cancelled']);
    const caller = await customer('600901');
    await other.incoming();
    await waitState(centre, '2001', 'ringing', undefined, 'b2');
    await other.answer();
    await other.established();
    await other.hangup();
    await other.closed();
    await caller.ended();
    // It lasts two seconds, which a busy machine may take to look.
    await until('the wrap-up in the other queue', async () =>
      (await asterisk.queueLog()).find((line) => /\|b2-sales\|2001\|PAUSE\|wrapup/.test(line)),
    );
    await waitMembers(centre, 'b2-sales', ['2001']);
    t.equal(await stateOf(centre, '2001'), 'idle', 'his namesake in the other team noticed nothing (spec 4)');
  },
);

await t.test('a team without a trunk has no way to its telephones, and says so', async (t) => {
  await setTeam(db, 'b2', { trunk: null });
  await centre.generate();
  const phone = await centre.phone('5001', { team: 'b2' });
  const before = rings(other);
  await dialAndHear(centre, phone, '7000', 'ss-noservice');
  t.equal(rings(other), before);
});
