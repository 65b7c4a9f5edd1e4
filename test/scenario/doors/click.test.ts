import t from 'tap';
import { listSupervisions } from '../../../domain/calls/commands/supervision-list.js';
import { until } from '../../../domain/machine/processes.js';
import { EventFeed } from '../../../domain/monitor/event-feed.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, waitCall, waitWaiting } from '../../support/calls.js';
import { centreOf, needLab, signedInPhone, statesOf, waitMembers, waitState } from '../../support/centre.js';
import { Provider } from '../../support/phones/providers.js';
import { RawPhone } from '../../support/phones/raw-phone.js';

/** Click to call (spec 41-44), and supervision by command (spec 24), on a real Asterisk. */
await needLab(t);
const provider = await Provider.start('provider.a', 98);
t.teardown(() => provider.stop());
const groups = [
  { name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0 },
  { name: 'back', number: '6001', application: 'campaign' },
];
const team = {
  ...crowd(1, { groups }),
  users: [{ username: 'anna' }, { username: 'carl' }],
  extensions: [
    { number: '5001', user: 'anna' },
    { number: '5002', user: 'carl' },
    { number: '5003', user: 'carl' },
  ],
  agents: [
    { number: '1001', user: 'anna', groups: ['support'] },
    { number: '1002', user: 'carl', groups: ['back'], kind: 'fixed', extension: '5003' },
  ],
};
const centre = await centreOf(t, team, {
  asterisk: { amiWrite: 'agent,call,reporting,originate', extra: { 'pjsip.conf': provider.section() } },
  provision: async (db) => {
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: provider.endpoint, country: 'DE' });
    await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
    await setGroup(db, 'astercc', 'support', { application: 'customer_service', administrators: ['carl'] });
  },
});
const { db } = centre;
await provider.reachable(centre.asterisk);
const queue = 'astercc-support';
const phone = await signedInPhone(centre, '1001');
const supervisor = await centre.phone('5002');
const feed = await EventFeed.open(db, {
  team: 'astercc',
  types: [
    'click.began',
    'click.agent_ringing',
    'click.agent_answered',
    'click.agent_missed',
    'click.customer_ringing',
    'click.customer_answered',
    'click.ended',
  ],
});

async function start(...options: string[]): Promise<{ call: string }> {
  return JSON.parse(
    await centre.star64('call', 'start', '--agent', '1001', '--to', '+4930123456', ...options, '--json'),
  ) as { call: string };
}

/** What the feed has told of a call once it tells of its end. */
async function told(call: string): Promise<string[]> {
  const events: string[] = [];
  return until(
    () => `the end of ${call}, after ${events.join()}`,
    async () => {
      for (const event of (await feed.next()).events)
        if ('agentResult' in event && event.call === call) events.push(event.type.replace('click.', ''));
      return events.includes('ended') ? events : undefined;
    },
  );
}

/** Waits until star64 has seen the agent's phone ring, for which it looks at the channel now and then. */
const waitRings = (call: string): Promise<true> =>
  until(`the ringing of ${call}`, async () =>
    (await db('clicks as k')
      .join('calls as c', 'c.id', 'k.call_id')
      .where('c.uniqueid', call)
      .whereNotNull('k.agent_ringing_at')
      .first('k.call_id'))
      ? true
      : undefined,
  );

await t.test(
  'the agent is rung first, and the customer once they have answered; the same id rings nobody again',
  async (t) => {
    provider.does('ring');
    const seen = phone.events.length;
    const { call } = await start('--id', 'crm-1');
    await phone.incoming();
    await waitRings(call);
    await waitState(centre, '1001', 'ringing');
    t.same(await start('--id', 'crm-1'), {
      team: 'astercc',
      call,
      agent: '1001',
      extension: '5001',
      to: '+4930123456',
    });
    await t.rejects(start('--id', 'crm-2'), /in a call, or their phone rings/);
    const waiting = await callIn(centre);
    await waitWaiting(centre, queue, 1);
    t.equal(provider.sent, 0, 'nobody outside is called while the agent is rung');
    await phone.answer();
    const customer = await provider.call(0);
    t.match(customer, { number: /30123456$/ });
    await waitState(centre, '1001', 'talking');
    await until('the ringing outside', () =>
      db('calls').where({ uniqueid: call }).whereNotNull('ringing_at').first('id'),
    );
    provider.pickUp(customer);
    await waitCall(centre, call, { open: true, outcome: 'answered' });
    provider.hangUp(customer);
    await phone.closed();
    await waitState(centre, '1001', 'wrap-up');
    await waitMembers(centre, queue, ['1001 paused:wrapup']);
    t.equal(
      phone.events.slice(seen).filter(({ type }) => type === 'CALL_INCOMING').length,
      1,
      'it rang once, and no queue offered anything',
    );
    t.same(await told(call), [
      'began',
      'agent_ringing',
      'agent_answered',
      'customer_ringing',
      'customer_answered',
      'ended',
    ]);
    await waiting.hangup();
    const story = await centre.star64('call', 'show', call);
    t.comment(story);
    t.match(story, /agent 1001 at 5001 has answered/);
  },
);

await t.test('the agent does not answer: nobody is called, and they are as they were', async (t) => {
  await centre.star64('agent', 'ready', '1001');
  await waitMembers(centre, queue, ['1001']);
  const before = provider.sent;
  const { call } = await start();
  await phone.incoming();
  await waitRings(call);
  await phone.hangup();
  await phone.closed();
  await waitState(centre, '1001', 'idle');
  t.same(await told(call), ['began', 'agent_ringing', 'agent_missed', 'ended']);
  t.equal(provider.sent, before);
  t.match(await db('calls').where({ uniqueid: call }).first(), { outcome: 'no-agent', direction: 'out' });
  t.same((await statesOf(centre, '1001')).slice(-2), ['ringing', 'idle']);
});

await t.test(
  'a colleague is called: they talk until the end, and their own calls are seen by the phone',
  async (t) => {
    const [mine, theirs] = [phone.events.length, supervisor.events.length];
    const { call } = await start('--to', '5002');
    await phone.incoming();
    await waitState(centre, '1001', 'ringing');
    await phone.answer();
    await supervisor.event(/^CALL_INCOMING$/, { from: theirs });
    await waitState(centre, '1001', 'talking');
    await supervisor.answer();
    await waitCall(centre, call, { open: true });
    await supervisor.event(/^CALL_ESTABLISHED$/, { from: theirs });
    await supervisor.hangup();
    await phone.event(/^CALL_CLOSED$/, { from: mine });
    await waitState(centre, '1001', 'idle');
    t.same((await statesOf(centre, '1001')).slice(-3), ['ringing', 'talking', 'idle']);

    const [seen, dialled] = [phone.events.length, supervisor.events.length];
    await phone.dial('5002');
    await supervisor.event(/^CALL_INCOMING$/, { from: dialled });
    await supervisor.answer();
    await phone.event(/^CALL_ESTABLISHED$/, { from: seen });
    await t.rejects(start(), /rings, or is in a call/);
    await phone.hangup();
    await supervisor.event(/^CALL_CLOSED$/, { from: dialled });
    t.notOk(phone.events.slice(seen).some(({ type }) => type === 'CALL_INCOMING'));
  },
);

/** Waits until the phone of the agent has somebody on hold, or nobody. */
const waitHeld = (held: boolean): Promise<true> =>
  until(`hold: ${held}`, async () =>
    (await db('holds').whereNull('ended_at')).length > 0 === held ? true : undefined,
  );

await t.test('an administrator is rung to hear a call of their group, which is recorded', async (t) => {
  const customer = await callIn(centre);
  await phone.incoming();
  await t.rejects(
    centre.star64('supervise', '5001', '--from', '5002'),
    /no call of a group goes on/,
    'it only rings',
  );
  await phone.answer();
  await waitState(centre, '1001', 'talking');
  const talk = await until(
    'the call',
    async () =>
      (
        await db('calls')
          .where('caller', 'like', '%4930555')
          .whereNull('ended_at')
          .pluck<string[]>('uniqueid')
      )[0],
  );
  await centre.star64('call', 'hold', talk);
  await waitHeld(true);
  await centre.star64('call', 'resume', talk);
  await waitHeld(false);
  await phone.hold();
  await waitHeld(true);
  await t.rejects(centre.star64('call', 'resume', talk), /by the button of the phone/);
  await phone.resume();
  await waitHeld(false);
  await t.rejects(centre.star64('supervise', '5001', '--from', '5001'), /administers no group/);
  const from = supervisor.events.length;
  await centre.star64('supervise', '5001', '--from', '5002', '--mode', 'whisper');
  await supervisor.event(/^CALL_INCOMING$/, { from });
  t.same(await listSupervisions(db, 'astercc', {}), [], 'nothing is heard before they pick up');
  await supervisor.answer();
  const [heard] = await until('the record', async () => {
    const found = await listSupervisions(db, 'astercc', {});
    return found.length > 0 ? found : undefined;
  });
  t.match(heard, { user: 'carl', from: '5002', extension: '5001', agent: '1001', mode: 'whisper' });
  await customer.hangup();
  await supervisor.event(/^CALL_CLOSED$/, { from });
});

await t.test('the phone is told to pick up by itself if that is asked for, and only then', async (t) => {
  const { secret } = await showExtensionSecret(db, 'astercc', '5003');
  const desk = await RawPhone.start('astercc-5003', secret ?? '', centre.asterisk.sip, '127.0.0.1');
  t.teardown(() => desk.stop());
  t.equal(await desk.register(), 200);
  await waitMembers(centre, 'astercc-back', ['1002']);
  /** What its phone is sent for a call to that number. It says no at once; what has kept it for the call is waited for. */
  const sent = async (to: string, ...options: string[]): Promise<string> => {
    const { call } = await start('--agent', '1002', '--to', to, ...options);
    const invite = await until(`the INVITE for ${to}`, () => desk.rung.find((text) => text.includes(to)));
    t.same((await told(call)).slice(-2), ['agent_missed', 'ended']);
    await waitState(centre, '1002', 'idle');
    await until('nobody to keep the phone', async () =>
      /star64-click/.test(await centre.asterisk.console('core show channels concise')) ? undefined : true,
    );
    return invite;
  };
  const bare = await sent('+4930123457');
  t.notMatch(bare, /^(Call-Info|Alert-Info):/im);
  const picksUp = await sent('+4930123458', '--auto-answer');
  t.match(picksUp, /^Call-Info: <sip:star64>;answer-after=0\r$/m);
  t.match(picksUp, /^Alert-Info: <http:\/\/star64>;info=alert-autoanswer\r$/m);
});
