import t from 'tap';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/caller.js';
import { centreFor, guarded, needLab, waitMembers } from '../../support/centre.js';
import { hostileCall } from '../../support/phones/hostile-caller.js';
import { callRingGroup, ringGroupCentre } from '../../support/trials/ring-groups.js';
import { trialsOnOnePhone } from '../../support/trials/ring-group-trials.js';
import { noWarnings } from '../../support/warnings.js';

/** Ring groups when many call at once, with names that mean harm, and when server and database are away. */
await needLab(t);

const { options, ports } = await ringGroupCentre({ wrapUp: 'off' });
t.teardown(() => ports.release());
const centre = await centreFor(t, options);
const { asterisk, db, server, postgres } = centre;
const anna = await centre.phone('5001');
const bert = await centre.phone('5002');
const call = (ringGroup: string) => callRingGroup(centre, ringGroup);

await t.test('a name and number of any kind are only shown, behind the prefix', async (t) => {
  const names = [
    'x) & System(touch /tmp/x',
    '${SHELL(id)}',
    'a?b:c,1)',
    '\\\\\\"quoted\\\\\\"',
    '$[1/0]^^x|y;z',
    'Zoë 安娜',
  ];
  for (const name of names) {
    const from = await asterisk.verbose.mark();
    const ended = hostileCall(asterisk.sip, '600708', { name, user: '49%0d%0aEvent%3a%20x%24%7bEXTEN%7d,1' });
    const { peerdisplayname } = await bert.incoming();
    t.match(peerdisplayname, /^Sales: /, name);
    t.match(peerdisplayname?.slice(7), name.replaceAll(/\\(.)/g, '$1').slice(0, 4), 'the name follows');
    await bert.hangup();
    t.ok([403, 486, 603].includes(await ended), 'nobody took it');
    const said = (await asterisk.verbose.lines()).slice(from);
    t.notOk(
      said.some((line) => / System\(|SHELL/.test(line) && !/CALLERID|LOCAL\(name\)|STAR64_NAME/.test(line)),
    );
  }
});

await t.test('two ring groups and a queue call one phone at the same moment', async (t) => {
  await signInAgent(db, 'astercc', '1002', { extension: '5002', by: 'test' });
  await waitMembers(centre, 'astercc-support', ['1002']);
  await trialsOnOnePhone(t, centre, bert, 5);
});

/** Where 30 calls at once begin in the ring group 703, of whose phones none is there. */
async function turns(): Promise<Record<string, number>> {
  const from = await asterisk.verbose.mark();
  const { responses } = await crowd({ to: '600703', server: asterisk.sip, rate: 300, total: 30 });
  if (responses['486'] !== 30) throw new Error(JSON.stringify(responses));
  const begun: Record<string, number> = {};
  for (const line of (await asterisk.verbose.lines()).slice(from)) {
    const [, first] = / Executing \[s@star64-ring:\d+\] Set\(.*"LOCAL\(rest\)=(500\d)-/.exec(line) ?? [];
    if (first !== undefined) begun[first] = (begun[first] ?? 0) + 1;
  }
  return begun;
}
const fair = { 5001: 10, 5002: 10, 5003: 10 };

await t.test(
  'round robin: 30 calls at once begin ten times at each phone, with a server and without',
  async (t) => {
    await anna.unregister();
    await bert.unregister();
    t.same(await turns(), fair, 'the server gives the order');
    await server.kill();
    t.same(await turns(), fair, 'Asterisk alone');
    await anna.register();
    await bert.register();
  },
);

await t.test('without a server every ring group rings in its generated order, and leads on', async (t) => {
  const caller = await call('701');
  await Promise.all([anna.incoming(), bert.incoming()]);
  await anna.answer();
  await caller.answered();
  await bert.closed();
  await caller.hangup();
  await anna.closed();
  const longest = await call('706');
  // Of 5003, 5002, 5001 the first is not there.
  await bert.incoming();
  await bert.hangup();
  await anna.incoming();
  await longest.hangup();
  await anna.closed();
  const busy = await call('709');
  await bert.incoming();
  await bert.hangup();
  t.match(await busy.ended(), /^(403|486|603) /, 'where it leads');
});

await t.test('a server that hangs holds nobody for longer than its deadline', async (t) => {
  await server.start();
  server.freeze();
  const from = await asterisk.verbose.mark();
  const caller = await call('701');
  await Promise.all([anna.incoming(), bert.incoming()]);
  const { given, left } = await guarded(centre, from);
  // How the number of the member outside is called is asked while the others ring already.
  t.same(given.slice(0, 2), [2, 2], 'the DID, and the ring group');
  t.ok(left >= 2);
  await caller.hangup();
  await anna.closed();
  await bert.closed();
  server.thaw();
});

await t.test(
  'with PostgreSQL away the server answers all the same, also where it would ask it',
  async (t) => {
    postgres.freeze();
    /** Calls both groups, and returns how many questions were left. */
    const left = async (): Promise<number> => {
      const from = await asterisk.verbose.mark();
      const [annas, berts] = [anna.events.length, bert.events.length];
      const byRecords = await call('706');
      await bert.event(/^CALL_INCOMING$/, { from: berts });
      await bert.hangup();
      await anna.event(/^CALL_INCOMING$/, { from: annas });
      await byRecords.hangup();
      await anna.event(/^CALL_CLOSED$/, { from: annas });
      const inTurn = await call('703');
      await until('one of them to ring', () =>
        [anna, bert].find(({ events }) => events.at(-1)?.type === 'CALL_INCOMING'),
      );
      await inTurn.hangup();
      await until('the phones to be free', async () =>
        (await asterisk.console('core show channels concise')).includes('PJSIP/astercc-500')
          ? undefined
          : true,
      );
      return (await guarded(centre, from)).left;
    };
    // On a busy machine a server may have no two seconds for one, but hardly twice.
    t.equal((await left()) && (await left()), 0, 'no question was left');
    postgres.thaw();
  },
);

await t.test('nothing of it is wrong to Asterisk', async (t) => {
  await noWarnings(t, asterisk, /app_agi|res_agi|127\.0\.0\.1:\d+/);
});
