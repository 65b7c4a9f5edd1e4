import t from 'tap';
import { listSupervisions, type ListedSupervision } from '../../../domain/calls/commands/supervision-list.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { until } from '../../../domain/machine/processes.js';
import { setAgentGroup } from '../../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addGroup, setGroup } from '../../../domain/provisioning/people/group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { Caller } from '../../../lab/caller.js';
import { Phone } from '../../../lab/phone.js';
import { crowd, provision } from '../../../lab/provision.js';
import { centreOf, dialAndHear, dialled, waitMembers, waitState } from '../../support/centre.js';
import { Voices } from '../../support/phones/in-call.js';
import { trunkSection } from '../../support/phones/telephone.js';
import { noWarnings } from '../../support/warnings.js';

/** Supervision (spec 24): anna of support and sales at 5001, carl who administers support at 5003, ben who administers nothing. */
const wrapUp = { wrapUp: 'off', strategy: 'linear', missedLimit: 0 };
const groups = [
  { name: 'support', number: '6000', ...wrapUp },
  { name: 'sales', number: '6001', ...wrapUp },
];
const people = (team: string, did: string): ReturnType<typeof crowd> => ({
  ...crowd(1, { team, groups, did }),
  users: ['anna', 'ben', 'carl'].map((username) => ({ username })),
  extensions: ['anna', 'ben', 'carl'].map((user, index) => ({ number: `500${index + 1}`, user })),
  agents: [{ number: '1001', user: 'anna', groups: ['support', 'sales'] }],
});
/** A telephone behind a trunk: of an agent, and of whoever is called outside. */
const provider = { address: '127.0.0.97', ports: await PortBlock.reserve('phone'), number: '+4915112345678' };
const centre = await centreOf(t, people('astercc', '600100'), {
  asterisk: {
    briefPrompts: ['beep'],
    extra: { 'pjsip.conf': trunkSection('provider.1', provider.address, provider.ports.first) },
  },
  provision: async (db) => {
    await provision(db, people('b2', '600200'));
    for (const team of ['astercc', 'b2'])
      await setGroup(db, team, 'support', { administrators: { add: ['carl'] } });
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider.1', country: 'DE' });
    await setTeam(db, 'astercc', { trunk: 'provider', country: 'DE', outsidePrefix: '0' });
    await addExtension(db, 'astercc', {
      number: '7000',
      user: 'ben',
      kind: 'external',
      telephone: provider.number,
    });
    await addGroup(db, 'astercc', { name: 'field', ...wrapUp });
    await setGroup(db, 'astercc', 'field', { administrators: { add: ['carl'] } });
    await addAgent(db, 'astercc', { number: '2001', user: 'ben', groups: ['field'] });
    await addDid(db, 'astercc', { number: '600104', to: 'group:field' });
    await addDid(db, 'astercc', { number: '600101', to: 'group:sales' });
    await addDid(db, 'astercc', { number: '600102', to: 'extension:5001' });
    await addDid(db, 'astercc', { number: '600103', to: 'extension:5002' });
  },
});
const { asterisk, db } = centre;
const voices = await Voices.of(t, 'customer', 'anna', 'carl', 'mobile');
const customerSpeaks = await voices.speak('customer');
const anna = await centre.phone('5001', { speak: await voices.speak('anna') });
const ben = await centre.phone('5002');
const carl = await centre.phone('5003', { speak: await voices.speak('carl') });
const mobile = await Phone.start({
  user: provider.number,
  address: provider.address,
  ports: provider.ports,
  server: asterisk.sip,
  speak: await voices.speak('mobile'),
});
centre.phones.push(mobile);
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

const nothing = ['beeperr', 'extension', 'digits/5', 'digits/0', 'digits/0', 'digits/1', 'vm-no', 'calling'];
const refused = ['beeperr', 'to-listen-to-it', 'feature-not-avail-line'];

/** A customer whose call has been answered at a phone. */
async function talking(did: string, phone: Phone, speak: string | undefined = customerSpeaks) {
  const before = phone.events.length;
  const caller = await Caller.call({
    from: '4930555',
    to: did,
    server: asterisk.sip,
    ...(speak && { speak }),
  });
  centre.phones.push(caller.phone);
  await phone.event(/^CALL_INCOMING$/, { from: before });
  await phone.answer();
  await phone.event(/^CALL_ESTABLISHED$/, { from: before });
  await caller.answered();
  return caller;
}

/** Ends a conversation, and waits until the phone has seen it. */
async function end(caller: Caller, phone: Phone): Promise<void> {
  const before = phone.events.length;
  await caller.hangup();
  await phone.event(/^CALL_CLOSED$/, { from: before });
}

/** Dials, and waits until Asterisk listens to a channel of the phone. */
async function listens(number: string, to = 'PJSIP/astercc-5001'): Promise<void> {
  const mark = await asterisk.verbose.mark();
  await carl.dial(number);
  await asterisk.verbose.waitFor(new RegExp(`Spying on channel ${to}-`), mark);
}

/** The newest supervisions, once the last one is over. */
const over = (team = 'astercc'): Promise<ListedSupervision[]> =>
  until('the record of the supervision', async () => {
    const all = await listSupervisions(db, team);
    return all[0]?.endedAt ? all : undefined;
  });

await t.test(
  'the administrator listens, whispers and talks with both, by key, and that is recorded',
  async (t) => {
    const customer = await talking('600100', anna);
    await voices.hears(anna, 'customer');
    await listens('*715001');
    await voices.hears(carl, 'customer', 'anna');
    await voices.talk(['anna', anna], ['customer', customer.phone]);
    await carl.digits('5');
    await voices.hears(anna, 'customer', 'carl');
    await voices.hears(customer.phone, 'anna');
    await carl.digits('6');
    await voices.hears(customer.phone, 'anna', 'carl');
    await voices.hears(anna, 'customer', 'carl');
    await voices.hears(carl, 'customer', 'anna');
    await carl.digits('4');
    await voices.talk(['anna', anna], ['customer', customer.phone]);
    await end(customer, anna);
    await carl.closed();
    const [one, ...more] = await over();
    t.same(more, []);
    t.match(one, {
      user: 'carl',
      from: '5003',
      extension: '5001',
      agent: '1001',
      group: 'support',
      mode: 'listen',
      announced: false,
    });
    for (const seconds of [one?.listened, one?.whispered, one?.barged]) t.ok(Number(seconds) >= 1);
    const told = await until('the story of the call', async () => {
      const text = await centre.star64('call', 'show', one?.call ?? '').catch(() => '');
      return text.includes(': answered') ? text : undefined;
    });
    t.match(
      told,
      /carl at 5003 listens to agent 1001 at 5001 for \d+ s: \d+ s listening, \d+ s whispering, \d+ s talking/,
    );
    t.match(await centre.star64('supervision', 'list'), /carl\t5003\t5001\t1001\tsupport\tlisten\t/);
  },
);

await t.test(
  'another group, another team, a phone of nobody, somebody who administers nothing',
  async (t) => {
    const customer = await talking('600101', anna);
    t.same(await dialled(centre, carl, '*715001'), nothing, 'a call of a group that is not theirs');
    await end(customer, anna);
    const own = await talking('600100', anna);
    t.same(await dialled(centre, ben, '*715001'), refused);
    const abroad = await centre.phone('5003', { team: 'b2' });
    t.same(await dialled(centre, abroad, '*715001'), nothing, 'the same number of another team');
    await end(own, anna);
    const direct = await talking('600103', ben);
    t.match(await dialled(centre, carl, '*735002'), [/beeperr/, 'extension'], 'nobody is signed in there');
    await end(direct, ben);
    t.equal((await listSupervisions(db, 'astercc')).length, 1);
    t.same(await listSupervisions(db, 'b2'), []);
  },
);

await t.test(
  'a direct call is of the current group as it begins, in a team that follows no such calls',
  async (t) => {
    await setAgentGroup(db, 'astercc', '1001', 'sales');
    const mark = async (group: string): Promise<true> =>
      until(`the mark of ${group}`, async () =>
        (await asterisk.console('database show CustomPresence')).includes(`|astercc-${group}`)
          ? true
          : undefined,
      );
    await mark('sales');
    const other = await talking('600102', anna);
    await setAgentGroup(db, 'astercc', '1001', 'support');
    await mark('support');
    t.same(await dialled(centre, carl, '*715001'), nothing, 'it began in the other group');
    await end(other, anna);
    const direct = await talking('600102', anna);
    await listens('*725001');
    await voices.hears(anna, 'customer', 'carl');
    await voices.hears(direct.phone, 'anna');
    await carl.hangup();
    await voices.hears(anna, 'customer');
    t.match((await over())[0], { group: 'support', mode: 'whisper', listened: 0 });
    await end(direct, anna);
  },
);

await t.test('a call to the outside, too', async () => {
  const before = anna.events.length;
  await anna.dial('0015112345678');
  await mobile.incoming();
  await mobile.answer();
  await anna.event(/^CALL_ESTABLISHED$/, { from: before });
  await listens('*715001');
  await voices.hears(carl, 'anna', 'mobile');
  const heard = carl.events.length;
  await mobile.hangup();
  await carl.event(/^CALL_CLOSED$/, { from: heard });
});

await t.test('an agent at a telephone is heard and told by the number of the extension', async () => {
  await centre.star64('agent', 'sign-in', '2001', '--extension', '7000');
  await waitMembers(centre, 'astercc-field', ['2001']);
  const customer = await talking('600104', mobile);
  await listens('*727000', 'Local/7000@astercc-telephones');
  await voices.hears(carl, 'customer', 'mobile');
  await voices.hears(mobile, 'customer', 'carl');
  await voices.hears(customer.phone, 'mobile');
  const heard = carl.events.length;
  await end(customer, mobile);
  await carl.event(/^CALL_CLOSED$/, { from: heard });
});

await t.test('with * behind the number it goes on with the next call, as a listener', async (t) => {
  await setTeam(db, 'astercc', { announceSupervision: true });
  const first = await talking('600100', anna);
  await listens('*735001*');
  await voices.hears(first.phone, 'anna', 'carl');
  await end(first, anna);
  await waitState(centre, '1001', 'idle');
  const mark = await asterisk.verbose.mark();
  const second = await talking('600100', anna);
  await asterisk.verbose.waitFor(/Spying on channel PJSIP\/astercc-5001-/, mark);
  await voices.hears(carl, 'customer', 'anna');
  await voices.talk(['anna', anna], ['customer', second.phone]);
  await carl.hangup();
  const [last, before] = await over();
  t.match(
    [last, before],
    [
      { mode: 'listen', barged: 0 },
      { mode: 'barge', listened: 0 },
    ],
  );
  t.not(last?.call, before?.call);
  await end(second, anna);
});

await t.test(
  'where the team says so the agent hears a tone as it begins, and the customer never',
  async (t) => {
    const customer = await talking('600100', anna, '');
    const heard = carl.events.length;
    const mark = await asterisk.verbose.mark();
    await listens('*715001');
    await asterisk.verbose.waitFor(/<Local\/tone@star64-supervision-tone\S*> Playing 'beep\./, mark);
    await asterisk.verbose.waitFor(/Executing \[tone@star64-supervision-tone:5\]/, mark);
    await customer.phone.hangup();
    await customer.phone.closed();
    await carl.event(/^CALL_CLOSED$/, { from: heard });
    t.same(await asterisk.recognise(await anna.heard(), ['beep']), ['beep']);
    t.same(await asterisk.recognise(await customer.phone.heard(), ['beep']), []);
    t.equal((await over())[0]?.announced, true);
  },
);

await t.test('*75: the administrator signs the agent out, or makes them ready', async (t) => {
  await dialAndHear(centre, anna, '*660', 'do-not-disturb');
  await waitState(centre, '1001', 'paused');
  t.match((await dialled(centre, carl, '*751001', ['vm-press', '2'])).slice(-2), ['digits/1', 'enabled']);
  await waitState(centre, '1001', 'idle');
  t.same(await dialled(centre, ben, '*751001'), ['beeperr', 'spy-agent', 'feature-not-avail-line']);
  await dialled(centre, carl, '*751001', ['vm-press', '1']);
  await waitState(centre, '1001', 'signed-out');
});

await t.test('Asterisk complains of nothing in all of this', async (t) => {
  await noWarnings(t, asterisk);
});

await t.test('with every server dead nobody listens, and is told so', async (t) => {
  await dialAndHear(centre, anna, '*641001', 'agent-loginok');
  const customer = await talking('600100', anna);
  await centre.server.kill();
  const mark = await asterisk.verbose.mark();
  t.same(await dialled(centre, carl, '*735001'), ['sorry', 'please-try-call-later']);
  t.same(
    (await asterisk.verbose.lines()).slice(mark).filter((line) => line.includes('Spying on')),
    [],
  );
  await voices.hears(customer.phone, 'anna');
  await end(customer, anna);
});
