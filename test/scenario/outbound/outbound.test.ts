import t from 'tap';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import { until } from '../../../domain/machine/processes.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab } from '../../support/centre.js';
import { waitJoined } from '../../support/phones/in-call.js';
import { Provider, toldIn, triesIn } from '../../support/phones/providers.js';

await needLab(t);
const a = await Provider.start('provider.a', 91);
const b = await Provider.start('provider.b', 92);
const other = await Provider.start('provider.c', 93);
t.teardown(() => Promise.all([a, b, other].map((provider) => provider.stop())));
const centre = await centreOf(t, crowd(1, { did: '+4930600101' }), {
  asterisk: {
    extra: {
      'pjsip.conf': `${[a, b, other].map((one) => one.section()).join('')}
[wrong-trunk]
type = endpoint
transport = lab-udp
context = astercc-outbound
disallow = all
allow = ulaw
[wrong-trunk]
type = identify
endpoint = wrong-trunk
match = 127.0.0.94
[own-phone]
type = endpoint
transport = lab-udp
context = astercc-phones
disallow = all
allow = ulaw
[own-phone]
type = identify
endpoint = own-phone
match = 127.0.0.90
`,
    },
  },
  provision: async (db) => {
    await addUser(db, 'astercc', { username: 'anna', name: 'Anna' });
    await addExtension(db, 'astercc', { number: '5002', user: 'anna' });
    await addExtension(db, 'astercc', { number: '5003', user: 'anna', endpoint: 'own-phone' });
    for (const [name, { endpoint }] of [
      ['first', a],
      ['second', b],
    ] as const)
      await addTrunk(db, 'astercc', { name, endpoint, country: 'DE' });
    await addTrunk(db, null, { name: 'for-all', endpoint: other.endpoint, country: 'DE' });
    await addDid(db, 'astercc', { number: '+4930600100', to: 'extension:5002' });
    await db.raw(`
      insert into trunk_groups (team_id, name, strategy) select id, 'all', 'round-robin' from teams where identity = 'astercc';
      insert into trunk_group_members (trunk_group_id, trunk_id, position)
        select g.id, k.id, row_number() over (order by k.name) from trunk_groups g, trunks k where k.name in ('first', 'second');
      insert into trunk_group_rules (trunk_group_id, beginning, refused) select id, '+49800', true from trunk_groups;
      update teams set outside_prefix = '0', country = 'DE', area = '30', caller_id = '+4930600100',
        trunk_group_id = (select id from trunk_groups) where identity = 'astercc';
      insert into number_classes (team_id, beginning, class)
        select id, beginning, class from teams, (values ('+49305', 'premium')) as v (beginning, class);
      insert into user_groups (team_id, name, position, trunk_id)
        select k.team_id, 'sales', 1, k.id from trunks k where k.name = 'second';
      insert into user_group_members (team_id, user_group_id, user_id)
        select g.team_id, g.id, u.id from user_groups g, users u where u.username = 'anna';
    `);
  },
});
const { asterisk } = centre;
for (const provider of [a, b, other]) await provider.reachable(asterisk);
const crowdPhone = await centre.phone('5001');
const anna = await centre.phone('5002', { name: 'Anna' });
for (const provider of [a, b, other]) provider.does(486);

/** Dials, and says over which trunks it went, and what was told of the call at its beginning and end. */
async function dialOut(
  phone: Phone,
  number: string,
): Promise<{ tries: string[]; out: Record<string, string>; end: Record<string, string>; closed: string }> {
  const from = await asterisk.verbose.mark();
  await phone.dial(number);
  const [out = {}] = await until(`${number} to be told`, async () => {
    const told = await toldIn(asterisk, 'Star64Out', from);
    return told.length > 0 ? told : undefined;
  });
  // Nobody waits for the voice to finish.
  if (out['Refused'] !== '') {
    await until('the voice', async () =>
      (await asterisk.played(phone.user, from)).length > 0 ? true : undefined,
    );
    await phone.leave();
  }
  const { param = '' } = await phone.closed();
  const end = await until(
    `the end of the call to ${number} to be told`,
    async () => (await toldIn(asterisk, 'Star64OutEnd', from))[0],
  );
  return { tries: await triesIn(asterisk, from), out, end, closed: param };
}
const invites = (): number => [a, b, other].reduce((sum, { calls }) => sum + calls.length, 0);

await t.test(
  'a user group has a trunk of its own, the others that of the team, in turns; none has that of others',
  async (t) => {
    const first = await dialOut(anna, '0030123456');
    t.same(first.tries, ['provider.b ended 486']);
    t.match(first.out, {
      Team: 'astercc',
      Phone: 'astercc-5002',
      Dialled: '030123456',
      Number: '+4930123456',
      Refused: '',
      Asked: 'yes',
    });
    t.match(first.end, { EndedBy: 'callee', Talked: '0' });
    t.match(first.closed, /^486/);
    t.match(b.calls.at(-1), { number: '+4930123456', from: '+4930600100' }, 'shown as the team says');
    const turns = [await dialOut(crowdPhone, '0123456'), await dialOut(crowdPhone, '0123456')];
    t.same(turns.map(({ tries }) => tries[0]).sort(), ['provider.a ended 486', 'provider.b ended 486']);
    t.equal(other.calls.length, 0);
  },
);

await t.test(
  'a call in progress: who ended it, how long they talked, and nothing of the next one',
  async (t) => {
    const from = await asterisk.verbose.mark();
    const before = b.calls.length;
    b.does('answer');
    await anna.dial('0015112345678');
    await anna.established();
    const call = await b.call(before, 'answered');
    b.hangUp(call);
    await anna.closed();
    const end = await until('the end', async () => (await toldIn(asterisk, 'Star64OutEnd', from))[0]);
    t.match(end, { Status: 'ANSWER', EndedBy: 'callee' });
    t.same(await triesIn(asterisk, from), ['provider.b answered 200']);
    const second = await asterisk.verbose.mark();
    await anna.dial('0015112345678');
    await anna.established();
    b.die();
    await anna.hangup();
    await anna.closed();
    t.match(await until('the end', async () => (await toldIn(asterisk, 'Star64OutEnd', second))[0]), {
      Status: 'ANSWER',
      EndedBy: 'caller',
    });
    b.live();
    await b.reachable(asterisk);
    b.does(486);
  },
);

await t.test('*31 hides number and name', async (t) => {
  const { tries } = await dialOut(anna, '*310030123456');
  t.same(tries, ['provider.b ended 486']);
  t.notMatch(b.calls.at(-1)?.invite, /600100|5002|Anna/, 'nothing of who calls');
  t.match(b.calls.at(-1)?.from, /anonymous/);
});

await t.test(
  'what is no number, and what is closed, is told by a voice, and no trunk hears of it',
  async (t) => {
    const before = invites();
    for (const [number, sound] of [
      ['0030abc123', 'cannot-complete-as-dialed'],
      ['0030+123456', 'cannot-complete-as-dialed'],
      ['0030#123456', 'cannot-complete-as-dialed'],
      [`00${'1'.repeat(20)}`, 'cannot-complete-as-dialed'],
      ['0001212555010', 'beeperr'],
      ['00900123456', 'beeperr'],
    ] as const) {
      const from = await asterisk.verbose.mark();
      await crowdPhone.dial(number);
      await asterisk.waitPlayed('astercc-5001', sound, from);
      await crowdPhone.leave();
      await crowdPhone.closed();
    }
    t.notOk(
      crowdPhone.events.some(({ type }) => type === 'CALL_ESTABLISHED'),
      'as early media, which costs nothing',
    );
    t.equal(invites(), before);
  },
);

await t.test('a trunk gets nobody outside, wherever an operator lets it in', async (t) => {
  const before = invites();
  const from = await asterisk.verbose.mark();
  const stranger = await Caller.call({
    from: '4930555',
    to: '0030123456',
    server: asterisk.sip,
    address: '127.0.0.94',
  });
  const told = await until(
    'the refusal to be told',
    async () => (await toldIn(asterisk, 'Star64Out', from))[0],
  );
  await stranger.hangup();
  t.match(told, { Phone: 'wrong-trunk', Refused: 'nobody' });
  t.equal(invites(), before);
});

await t.test(
  'an agent sends a caller on to a number outside: the agent pays, over their trunk',
  async (t) => {
    const from = await asterisk.verbose.mark();
    const before = b.calls.length;
    const caller = await Caller.call({ from: '4930555', to: '+4930600100', server: asterisk.sip });
    centre.phones.push(caller.phone);
    await anna.incoming();
    await anna.answer();
    await caller.answered();
    await waitJoined(centre, anna, from);
    b.does('ring');
    await anna.transfer('0030777777#');
    const call = await b.call(before, 'invited');
    t.match(call, { number: '+4930777777', from: '+4930600100' });
    const out = await until(
      'the call to be told',
      async () => (await toldIn(asterisk, 'Star64Out', from))[0],
    );
    t.match(out, {
      Phone: 'astercc-5002',
      Refused: '',
      Asked: 'yes',
    });
    b.pickUp(call);
    await b.call(before, 'answered');
    await caller.hangup();
    await b.call(before, 'ended');
    b.does(486);
  },
);

await t.test(
  'a caller whom an agent sends on to a number that is not called comes back to the phone of the agent',
  async (t) => {
    const caller = await Caller.call({ from: '4930555', to: '+4930600100', server: asterisk.sip });
    centre.phones.push(caller.phone);
    let joined = await asterisk.verbose.mark();
    await anna.incoming();
    await anna.answer();
    await caller.answered();
    const before = invites();
    // Refused; no number at all; and no trunk takes the call.
    b.does(503);
    for (const [number, end] of [
      ['0001212555010', { Refused: 'class', EndedBy: 'system', Talked: '0' }],
      ['00+30', undefined],
      ['0030777777', { Refused: '', EndedBy: 'system', Talked: '0' }],
    ] as const) {
      const from = await asterisk.verbose.mark();
      const seen = anna.events.length;
      await waitJoined(centre, anna, joined);
      await anna.transfer(number);
      // In either order.
      for (const event of [/^CALL_CLOSED$/, /^CALL_INCOMING$/]) await anna.event(event, { from: seen });
      joined = await asterisk.verbose.mark();
      await anna.answer();
      await anna.event(/^CALL_ESTABLISHED$/, { from: seen });
      const told = await toldIn(asterisk, 'Star64OutEnd', from);
      if (end) t.match(told, [end], number);
      else t.same(told, [], number);
    }
    t.equal(invites(), before + 1);
    await caller.hangup();
    for (let ended = 0; ended < 4; ended++) await anna.closed();
    await asterisk.console('dialplan set global STAR64_ASIDE_provider.b 0');
    b.does(486);
  },
);

await t.test(
  'without a server: national and mobile numbers go the same ways, everything dear is closed',
  async (t) => {
    await centre.server.stop();
    const national = await dialOut(anna, '0030123456');
    t.same(national.tries, ['provider.b ended 486']);
    t.match(national.out, { Number: '+4930123456', Refused: '', Asked: 'no' });
    t.match(b.calls.at(-1), { number: '+4930123456', from: '+4930600100' });
    t.same((await dialOut(crowdPhone, '0654321')).tries, ['provider.a ended 486']);
    t.equal(a.calls.at(-1)?.number, '+4930654321', 'within its own area');
    t.same((await dialOut(crowdPhone, '0015112345678')).tries, ['provider.a ended 486']);
    a.die();
    await a.reachable(asterisk, false);
    t.same((await dialOut(crowdPhone, '00049301234567')).tries, [
      'provider.a unavailable',
      'provider.b ended 486',
    ]);
    const before = invites();
    for (const number of [
      '0001212555010',
      '00900123456',
      '0+12125550100',
      '00800123456',
      '0115',
      '0030512345',
    ]) {
      const { out, end } = await dialOut(crowdPhone, number);
      t.match(out, { Refused: 'class', Asked: 'no' }, number);
      t.match(end, { EndedBy: 'system' });
    }
    t.equal(invites(), before);
  },
);

await t.test('without a server: no more calls at a time than with one', async (t) => {
  await centre.db('user_groups').where({ name: 'sales' }).update({ calls_at_once: 1 });
  await centre.db('teams').where({ identity: 'astercc' }).update({ caller_id: null });
  await centre.generate();
  await until('no leg to be counted', async () =>
    (await asterisk.console('group show channels')).includes('star64-trunk') ? undefined : true,
  );
  b.does('ring');
  const call = async (): Promise<Caller> => {
    const phone = await Caller.call({
      from: '4930999',
      to: '0030123456',
      server: asterisk.sip,
      address: '127.0.0.90',
    });
    centre.phones.push(phone.phone);
    return phone;
  };
  const before = b.calls.length;
  const first = await call();
  t.equal(
    (await b.call(before, 'invited')).from,
    '5003',
    'where no number is set the extension is shown, whatever the phone says of itself',
  );
  const from = await asterisk.verbose.mark();
  const second = await call();
  await second.ended();
  const end = await until(
    'the end to be told',
    async () => (await toldIn(asterisk, 'Star64OutEnd', from))[0],
  );
  t.match(end, { Refused: 'limit', Limit: 'group-sales' });
  t.equal(b.calls.length, before + 1);
  await first.hangup();
});
