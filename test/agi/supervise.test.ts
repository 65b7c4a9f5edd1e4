import { pino } from 'pino';
import t from 'tap';
import { agentControl, agentControlPin } from '../../agi/scripts/agent-control.js';
import type { Script, Services } from '../../agi/scripts/script.js';
import { supervise, supervisePin } from '../../agi/scripts/supervise.js';
import type { Session } from '../../agi/wire/session.js';
import { recordSupervisionStep } from '../../domain/calls/commands/supervision.js';
import { listSupervisions } from '../../domain/calls/commands/supervision-list.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { pause } from '../../domain/presence/pause.js';
import { openSignIn } from '../../domain/presence/open-sign-in.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addUser, setUser } from '../../domain/provisioning/people/user.js';
import { CompareSupervisions } from '../../pbx/watch/compare/supervisions.js';
import type { Snapshot } from '../../pbx/watch/compare/snapshot.js';
import { freshDatabase } from '../support/database.js';
import { see } from '../support/doors/event-feed.js';

/** The questions behind *71 to *73 and *75: who may, which call is heard, and what is recorded of it. */
const { db } = await freshDatabase(t);
const team = 'astercc';
const pin = '48263917';
for (const username of ['anna', 'ben', 'carl']) await addUser(db, team, { username });
for (const [number, user] of [
  ['5001', 'anna'],
  ['5002', 'ben'],
  ['5003', 'carl'],
] as const)
  await addExtension(db, team, { number, user });
for (const name of ['support', 'sales']) await addGroup(db, team, { name });
await setGroup(db, team, 'support', { administrators: { add: ['carl'] } });
await addAgent(db, team, { number: '1001', user: 'anna', groups: ['support', 'sales'] });
await addAgent(db, team, { number: '1002', user: 'ben', groups: ['sales'] });

const synced: string[] = [];
let call = 0;

/** One question from a phone in which this is keyed: what Asterisk is told. */
async function ask(
  script: Script,
  extension: string,
  digits: string,
  { keyed = [], by }: { keyed?: string[]; by?: string } = {},
) {
  const told: string[] = [];
  const session = {
    request: { uniqueid: by ?? `by.${++call}`, script: 'supervise' },
    noop: () => Promise.resolve(),
    getData: (_sound: string, patienceMs: number) =>
      Promise.resolve(patienceMs < 1000 ? '' : (keyed.shift() ?? 'too often')),
    setVariable: (name: string, value: string) =>
      Promise.resolve(told.push(name === 'STAR64_ANSWER' ? value : `${name}=${value}`)),
  };
  const membership = {
    sync: ({ agent }: { agent: string }) => Promise.resolve(synced.push(agent)),
    cancelOffer: () => Promise.resolve(),
  };
  const services = { db, membership, log: pino({ enabled: false }) };
  const args = [team, `${team}-${extension}`, digits, ''];
  await script(services as unknown as Services, session as unknown as Session, args);
  return told;
}
const refused = ['done,beeperr&to-listen-to-it&feature-not-avail-line'];
const nothing = ['nothing,beeperr&extension&digits/5&digits/0&digits/0&digits/1&vm-no&calling'];
const calls = '1=astercc-sales=in.1&2=astercc-support=in.2';

await t.test(
  'of the calls at a phone the one is heard that is of a group of theirs, and is recorded',
  async (t) => {
    await signIn(db, team, { agent: '1001', extension: '5001', by: 'test' });
    const feed = await EventFeed.open(db, { team, types: ['supervision.began', 'supervision.over'] });
    const told = await ask(supervise, '5003', `whisper:5001:${calls}`, { by: 'by.carl' });
    const [row] = await listSupervisions(db, team);
    const id = row?.id ?? 0;
    t.same(told, [`STAR64_SUPERVISION=2|astercc-support|${id}|`, 'go,beep']);
    t.match(row, {
      user: 'carl',
      from: '5003',
      extension: '5001',
      agent: '1001',
      group: 'support',
      call: 'in.2',
    });
    t.same(
      await ask(supervise, '5003', `whisper:5001:${calls}`, { by: 'by.carl' }),
      told,
      'asked twice: one record',
    );
    const step = { id, listen: 1000, whisper: 2000, barge: 0 };
    await recordSupervisionStep(db, 'default', { ...step, step: 'barge' });
    await recordSupervisionStep(db, 'other', { ...step, step: 'over' });
    t.match(
      await listSupervisions(db, team),
      [{ mode: 'barge', endedAt: null }],
      'another node ends nothing',
    );
    await recordSupervisionStep(db, 'default', { ...step, step: 'over', barge: 4000 });
    await recordSupervisionStep(db, 'default', { ...step, step: 'over', barge: 0 });
    t.match(await listSupervisions(db, team), [
      { mode: 'barge', endedAt: Date, listened: 1, whispered: 2, barged: 4 },
    ]);
    t.match(await see(feed, 2), [
      {
        type: 'supervision.began',
        user: 'carl',
        agent: '1001',
        group: 'support',
        mode: 'whisper',
        call: 'in.2',
      },
      { type: 'supervision.over', whispered: 2, barged: 4, began: Date },
    ]);
  },
);

await t.test('nothing to hear: no call, or none of theirs, and nothing is recorded', async (t) => {
  t.same(await ask(supervise, '5003', 'listen:5001:'), nothing);
  t.same(await ask(supervise, '5003', 'listen:5001:1=astercc-sales=in.3'), nothing);
  t.same(await ask(supervise, '5003', 'listen:5001:1=b2-support=in.3'), nothing);
  t.same(await ask(supervise, '5003', 'listen:5001:1=astercc-support=in.3;x'), nothing);
  t.same(await ask(supervise, '5003', 'listen:5999:'), ['again,extension&invalid']);
  t.same(await ask(supervise, '5003', 'listen::'), ['again,extension&astcc-followed-by-the-pound-key']);
  t.equal((await listSupervisions(db, team)).length, 1);
});

await t.test('everyone else is refused, the team’s administrator, too, and who is one no more', async (t) => {
  await setUser(db, team, 'ben', { administrator: true });
  t.same(await ask(supervise, '5002', `listen:5001:${calls}`), refused);
  t.same(await ask(supervise, '5001', `listen:5001:${calls}`), refused);
  // Who follows to the next call has proven who they are; what they may is looked at again.
  const follow = { by: 'by.follow' };
  t.match(await ask(supervise, '5003', `listen:5001:${calls}`, follow), [/STAR64/, 'go,beep']);
  await setGroup(db, team, 'support', { administrators: { remove: ['carl'] } });
  t.same(await ask(supervise, '5003', 'listen:5001:1=astercc-support=in.4', follow), refused);
  await setGroup(db, team, 'support', { administrators: { add: ['carl'] } });
  t.match(await ask(supervise, '5003', 'listen:5001:1=astercc-support=in.4', follow), [/STAR64/, 'go,beep']);
  const [last, before] = await listSupervisions(db, team);
  t.match(
    [last, before],
    [
      { call: 'in.4', endedAt: null },
      { call: 'in.2', endedAt: Date },
    ],
  );
});

await t.test('elsewhere with a number of theirs and the PIN, which locks', async (t) => {
  t.same(await ask(supervise, '5002', `listen:5001:${calls}`), refused, 'nobody has a PIN');
  await setUser(db, team, 'carl', { pin });
  t.same(await ask(supervise, '5002', `listen:5001:${calls}`), ['pin,vm-extension&vm-password']);
  const keyed = async (...keys: string[]) =>
    (await ask(supervisePin, '5002', `barge:5001:${calls}`, { keyed: keys })).at(-1);
  t.equal(await keyed('5003', '0815', pin), 'go,beep');
  t.match((await listSupervisions(db, team))[0], { user: 'carl', from: '5002', mode: 'barge' });
  t.equal(await keyed('5001', pin, pin, pin), 'done,vm-incorrect&vm-goodbye', 'somebody without a PIN');
  t.equal(await keyed('5999', pin, pin, pin), 'done,vm-incorrect&vm-goodbye', 'nobody');
  t.equal(await keyed(''), 'done,vm-goodbye');
  await setUser(db, team, 'anna', { pin });
  t.equal(await keyed('5001', pin), refused[0], 'the PIN of somebody who administers nothing');
  for (let time = 0; time < 2; time++) await keyed('5003', '0815', '0815', '0815');
  t.equal(await keyed('5003', pin), 'done,beeperr&confbridge-pin-bad&please-try-call-later');
});

await t.test('the agent is told where the team says so', async (t) => {
  await setTeam(db, team, { announceSupervision: true });
  const [told] = await ask(supervise, '5003', 'listen:5001:1=astercc-support=in.9');
  t.match(told, /^STAR64_SUPERVISION=1\|astercc-support\|\d+\|yes$/);
});

await t.test('whose end nobody has told is over once the listening channel is gone', async (t) => {
  const step = new CompareSupervisions(db, 'default');
  const [last] = await listSupervisions(db, team);
  t.equal(last?.endedAt, null);
  const open = await db('supervisions').whereNull('ended_at').pluck<string[]>('by_call');
  const found = async (...live: string[]) =>
    step.compare({ live: new Map(live.map((one) => [one, one])) } as unknown as Snapshot);
  t.same(await found(...open), []);
  const differences = await found(...open.slice(0, -1));
  t.same(
    differences.map(({ id }) => Number(id)),
    [last?.id],
  );
  await step.mend(differences);
  t.match((await listSupervisions(db, team))[0], { id: last?.id, endedAt: Date });
});

await t.test('*75 signs an agent out or makes them ready, in a group of theirs only', async (t) => {
  const wanted =
    'pin,spy-agent&digits/1&digits/0&digits/0&digits/1&vm-press&digits/1&vm-for&removed&vm-press&digits/2&vm-for&enabled';
  t.same(await ask(agentControl, '5003', '1001'), [wanted]);
  t.match(await ask(agentControl, '5003', '1002'), ['done,beeperr&spy-agent&feature-not-avail-line']);
  t.match(await ask(agentControlPin, '5003', '1002', { keyed: ['1'] }), [/feature-not-avail-line$/]);
  t.same(await ask(agentControl, '5003', '1009'), ['again,spy-agent&invalid']);
  t.match(await ask(agentControl, '5003', ''), [/^again,spy-agent&number/]);
  await pause(db, team, { agent: '1001' }, '0');
  t.match(await ask(agentControlPin, '5003', '1001', { keyed: ['2'] }), [/^done,spy-agent.*&enabled$/]);
  t.match(await ask(agentControlPin, '5003', '1001', { keyed: ['7'] }), [/^done,pm-invalid-option/]);
  t.match(await ask(agentControlPin, '5003', '1001', { keyed: ['1'] }), [/^done,spy-agent.*&removed$/]);
  t.equal(await openSignIn(db, team, { agent: '1001' }), undefined);
  t.match(await ask(agentControlPin, '5003', '1001', { keyed: ['1'] }), [/^done,beeperr&vm-no&spy-agent/]);
  t.same(synced, ['1001', '1001']);
});
