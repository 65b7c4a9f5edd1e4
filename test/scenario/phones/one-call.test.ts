import { pino } from 'pino';
import t from 'tap';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addGroup } from '../../../domain/provisioning/people/group.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addPauseReason } from '../../../domain/provisioning/people/pause-reason.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { Caller } from '../../../lab/caller.js';
import { Phone } from '../../../lab/phone.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { Manager } from '../../../pbx/ami/manager.js';
import { EventRoundTrip } from '../../../pbx/watch/compare/round-trip.js';
import { centreOf, needLab, waitMembers, waitState } from '../../support/centre.js';
import { trunkSection } from '../../support/phones/telephone.js';
import { noWarnings } from '../../support/warnings.js';

/**
 * One phone, one call. app_queue is told not to look whether a phone is in use (`ringinuse`), as if the news of it came
 * late: nothing but the guard of the dialplan stands between a call and a second one.
 */
await needLab(t);

const ports = await PortBlock.reserve('phone');
const address = '127.0.0.97';
const number = '+4915112345678';
const groups = [{ name: 'support', number: '6000', wrapUp: 'off', ringSeconds: 60 }];
const centre = await centreOf(t, crowd(3, { groups }), {
  asterisk: { extra: { 'pjsip.conf': trunkSection('provider.1', address, ports.first) } },
  provision: async (db) => {
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1' });
    await setTeam(db, 'astercc', { trunk: 'provider' });
    await addExtension(db, 'astercc', {
      number: '7000',
      user: 'crowd',
      kind: 'external',
      telephone: number,
    });
    await addGroup(db, 'astercc', { name: 'sales', number: '6001', wrapUp: 'off', ringSeconds: 60 });
    await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['sales'] });
    await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
    await addDid(db, 'astercc', { number: '600101', to: 'group:sales' });
    await addDid(db, 'astercc', { number: '600102', to: 'extension:5002' });
  },
});
const { asterisk, db } = centre;
const server = asterisk.sip;
const [agent, idle, colleague] = [
  await centre.phone('5001'),
  await centre.phone('5002'),
  await centre.phone('5003'),
];
const mobile = await Phone.start({ user: number, address, ports, server });
t.teardown(() => mobile.stop());

const rings = (phone: Phone): number => phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;
/** Waits until the guard has taken back a leg to the phone. */
const takenBack = (phone: string, from: number): Promise<string> =>
  asterisk.verbose.waitFor(new RegExp(` SoftHangup\\("${phone}-[0-9a-f]{8}`), from);
async function call(to: string): Promise<Caller> {
  const caller = await Caller.call({ from: '4930123', to, server });
  centre.phones.push(caller.phone);
  return caller;
}

async function careless(member: string): Promise<void> {
  await asterisk.console(`queue set ringinuse yes on ${member}`);
  const shown = (await asterisk.console('queue show')).split('\n').filter((line) => line.includes(member));
  if (shown.length === 0 || shown.some((line) => line.includes('ringinuse disabled')))
    throw new Error(`app_queue still looks after ${member}: ${shown.join('\n')}`);
}

await signInAgent(db, 'astercc', '1001', { extension: '5001', by: 'test' });
await signInAgent(db, 'astercc', '2001', { extension: '7000', by: 'test' });
await waitMembers(centre, 'astercc-support', ['1001']);
await waitMembers(centre, 'astercc-sales', ['2001']);
for (const member of ['PJSIP/astercc-5001', 'Local/7000@astercc-telephones/n']) await careless(member);

await t.test('a phone that a queue rings, and one that talks, is rung by nobody else', async (t) => {
  const before = rings(agent);
  const first = await call('600100');
  await agent.incoming();
  await waitState(centre, '1001', 'ringing');
  await colleague.dial('5001');
  t.match((await colleague.closed()).param, /^486 /, 'an extension that rings is busy');

  let from = await asterisk.verbose.mark();
  const second = await call('600100');
  await takenBack('PJSIP/astercc-5001', from);
  await agent.answer();
  await agent.established();
  await waitState(centre, '1001', 'talking');
  from = await asterisk.verbose.mark();
  await takenBack('PJSIP/astercc-5001', from);
  await colleague.dial('5001');
  t.match((await colleague.closed()).param, /^486 /, 'and one that talks');
  t.equal(rings(agent), before + 1, 'the phone has noticed nothing of all that');
  await first.hangup();
  await agent.closed();
  await agent.incoming();
  t.equal(rings(agent), before + 2, 'the caller who waited comes when it is free');
  await second.hangup();
  await agent.closed();
  await waitState(centre, '1001', 'idle');
});

await t.test('nor one in a direct call, or one that dials a feature code', async (t) => {
  const before = rings(agent);
  await colleague.dial('5001');
  await agent.incoming();
  await agent.answer();
  await agent.established();
  let from = await asterisk.verbose.mark();
  const caller = await call('600100');
  await takenBack('PJSIP/astercc-5001', from);
  await colleague.hangup();
  await colleague.closed();
  await agent.closed();
  await agent.incoming();
  await caller.hangup();
  await agent.closed();
  await waitState(centre, '1001', 'idle');

  // They are asked for a reason, three times for seven seconds.
  const again = await Caller.about({ from: '4930123', to: '600100', server });
  await agent.dial('*66');
  await agent.established();
  from = await asterisk.verbose.mark();
  const other = await again();
  centre.phones.push(other.phone);
  await takenBack('PJSIP/astercc-5001', from);
  t.equal(rings(agent), before + 2, 'while they are asked, nothing rings');
  await agent.leave();
  await agent.closed();
  await agent.incoming();
  await other.hangup();
  await agent.closed();
  await waitState(centre, '1001', 'idle');
});

await t.test('of two who call an idle phone at the same moment exactly one rings it', async (t) => {
  let bothGaveWay = 0;
  for (let round = 0; round < 3; round++) {
    const before = rings(idle);
    const seen = [agent, colleague].map(({ events }) => events.length);
    const from = await asterisk.verbose.mark();
    // Both have dialled before Asterisk, stopped meanwhile, reads either.
    asterisk.freeze();
    await Promise.all(
      [agent, colleague].map(async (phone, index) => {
        await phone.dial('5002');
        await phone.event(/^CALL_LOCAL_SDP$/, { from: seen[index] ?? 0 });
      }),
    );
    asterisk.thaw();
    await idle.incoming();
    const { loser, winner } = await Promise.any(
      [
        [agent, colleague],
        [colleague, agent],
      ].map(async ([loser, winner], index) => {
        const { param = '' } = await (loser as Phone).event(/^CALL_CLOSED$/, { from: seen[index] ?? 0 });
        if (!param.startsWith('486 ')) throw new Error(param);
        return { loser: loser as Phone, winner: winner as Phone };
      }),
    );
    await loser.closed();
    await idle.answer();
    await winner.established();
    t.equal(rings(idle), before + 1);
    await winner.hangup();
    await winner.closed();
    await idle.closed();
    const taken = (await asterisk.verbose.lines())
      .slice(from)
      .filter((line) => line.includes(' SoftHangup("PJSIP/astercc-5002-'));
    if (taken.length > 1) bothGaveWay++;
  }
  t.comment(`in ${bothGaveWay} of 3 rounds both gave way at first`);
});

await t.test('a telephone is one phone, too, and its own leg over the trunk is not in its way', async (t) => {
  const member = 'Local/7000@astercc-telephones';
  const before = rings(mobile);
  await colleague.dial('7000');
  await mobile.incoming();
  let from = await asterisk.verbose.mark();
  const caller = await call('600101');
  await takenBack(member, from);
  await mobile.answer();
  await mobile.established();
  await colleague.established();
  from = await asterisk.verbose.mark();
  await takenBack(member, from);
  t.equal(rings(mobile), before + 1);
  await colleague.hangup();
  await colleague.closed();
  await mobile.closed();
  await mobile.incoming();
  await waitState(centre, '2001', 'ringing');
  await mobile.answer();
  await mobile.established();
  await waitState(centre, '2001', 'talking');
  await colleague.dial('7000');
  t.match((await colleague.closed()).param, /^486 /);
  t.equal(rings(mobile), before + 2);
  await caller.hangup();
  await mobile.closed();
  await waitState(centre, '2001', 'idle');
});

/**
 * The phone, switched off for the moment, is called, the call withdrawn, and then called by the caller who is returned:
 * Asterisk has nothing left of the first call, and its INVITE, which the phone has not read yet, lives.
 */
async function afterWithdrawn(): Promise<Caller> {
  for (let tries = 1; ; tries++) {
    // It is a matter of one or two seconds: the second one holds the phone in their hand.
    const again = await Caller.about({ from: '4930123', to: '600102', server });
    idle.freeze();
    let from = await asterisk.verbose.mark();
    const first = await call('600102');
    await asterisk.verbose.waitFor(/ Called PJSIP\/astercc-5002/, from);
    await first.phone.hangup();
    await first.phone.closed();
    from = await asterisk.verbose.mark();
    const second = await again();
    centre.phones.push(second.phone);
    const looked = /"PJSIP\/astercc-5002-[^"]*", "LOCAL\(withdrawn\)=(\d+)"/;
    const seconds = Number(looked.exec(await asterisk.verbose.waitFor(looked, from))?.[1]);
    if (seconds < 2 || tries === 5) {
      await takenBack('PJSIP/astercc-5002', from);
      return second;
    }
    // On a busy machine two seconds were over before the second call was there: it may ring at once.
    t.comment(`${seconds} s after the first call was withdrawn: once more`);
    await second.hangup();
    idle.thaw();
    await idleIsFree();
  }
}

const idleIsFree = (): Promise<true> =>
  until('the phone to be free', async () =>
    (await asterisk.console('core show channels concise')).includes('PJSIP/astercc-5002-') ? undefined : true,
  );

await t.test('a call that is withdrawn before the phone spoke is over a moment later', async (t) => {
  const before = rings(idle);
  const second = await afterWithdrawn();
  idle.thaw();
  await idle.incoming();
  t.ok(rings(idle) > before, 'and then it rings');
  await second.hangup();
  await idleIsFree();
});

await t.test('a direct call right behind it rings, and hears no busy', async (t) => {
  for (let round = 1; round <= 4; round++) {
    const second = await afterWithdrawn();
    idle.thaw();
    // The INVITE that was withdrawn is read, too; the second caller is either rung for, or told busy.
    const outcome = await second.phone.event(/^CALL_(RINGING|PROGRESS|CLOSED)$/);
    t.not(outcome.type, 'CALL_CLOSED', `round ${round}`);
    await second.hangup();
    await idleIsFree();
  }
});

await t.test('the news that the server waits for comes by the way of all events', async (t) => {
  const manager = new Manager(
    { ...asterisk.ami, events: ['DeviceStateChange'], eventClasses: ['call'] },
    pino({ enabled: false }),
  );
  manager.start();
  t.teardown(() => manager.stop());
  await manager.whenUp(30_000);
  const trip = new EventRoundTrip(manager, () => Promise.resolve(), pino({ enabled: false }));
  // More often than there are states to set.
  for (let round = 0; round < 6; round++) t.equal(await trip.run(), true);
});

await t.test('nothing of it is wrong to Asterisk', async (t) => {
  await noWarnings(t, asterisk);
});
