import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { addTrunkGroup } from '../../../domain/provisioning/numbers/trunk-group.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import { addUserGroup } from '../../../domain/provisioning/people/user-group.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, needLab, sameStates, signedInPhone, statesOf, waitMembers } from '../../support/centre.js';
import { Provider, toldIn } from '../../support/phones/providers.js';

/**
 * What a call that a limit, or the channels of a trunk, keep in does to who makes it, in the wrap-up mode of calls that nobody
 * answers, and what they hear.
 */
await needLab(t);
const provider = await Provider.start('provider.a', 96);
const other = await Provider.start('provider.b', 97);
t.teardown(() => Promise.all([provider.stop(), other.stop()]));
const voices = ['simul-call-limit-reached', 'all-circuits-busy-now'];
const groups = [{ name: 'support', number: '6000', wrapUp: 'ring', wrapUpSeconds: 0 }];
const centre = await centreOf(t, crowd(2, { groups }), {
  asterisk: { briefPrompts: voices, extra: { 'pjsip.conf': provider.section() + other.section() } },
  provision: async (db) => {
    const common = { country: 'DE', channels: 1 };
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: provider.endpoint, ...common });
    await addTrunk(db, 'astercc', { name: 'other', endpoint: other.endpoint, country: 'DE' });
    await addTrunkGroup(db, 'astercc', { name: 'both', members: ['provider', 'other'] });
    // Whoever has the one trunk alone finds it full before any limit is reached.
    await addUser(db, 'astercc', { username: 'anna' });
    await addExtension(db, 'astercc', { number: '5003', user: 'anna' });
    await addUserGroup(db, 'astercc', { name: 'sales', users: { add: ['anna'] }, trunk: 'provider' });
    await setTeam(db, 'astercc', {
      trunkGroup: 'both',
      outsidePrefix: '0',
      country: 'DE',
      area: '30',
      callsAtOnce: 1,
    });
  },
});
const { asterisk } = centre;
for (const one of [provider, other]) await one.reachable(asterisk);
// What they hear is known of each call, however soon it follows the one before.
const atOnce = { jitterBuffer: false };
await centre.phone('5001', atOnce);
const phone = await signedInPhone(centre, '1001');
const colleague = await centre.phone('5002');

await t.test('a call that a limit keeps in was none: no wrap-up follows', async (t) => {
  provider.does('ring');
  await colleague.dial('0030123456');
  await provider.call(0, 'invited');
  const before = (await statesOf(centre, '1001')).length;
  const from = await asterisk.verbose.mark();
  await phone.dial('0030123456');
  const [told] = await until('the end to be told', async () => {
    const ends = await toldIn(asterisk, 'Star64OutEnd', from);
    return ends.length > 0 ? ends : undefined;
  });
  t.match(told, { Refused: 'limit', Limit: 'team' });
  await sameStates(t, centre, '1001', before, ['talking', 'idle']);
  await waitMembers(centre, 'astercc-support', ['1001']);
  t.equal(provider.calls.length, 1);
  t.equal(other.calls.length, 0);
  await phone.closed();
  t.same(await asterisk.recognise(await phone.heard(), voices), ['simul-call-limit-reached']);

  const anna = await centre.phone('5003', atOnce);
  await anna.dial('0030123456');
  await anna.closed();
  t.same(
    await asterisk.recognise(await anna.heard(), voices),
    ['all-circuits-busy-now'],
    'and of a full trunk',
  );
  t.equal(provider.calls.length, 1);
  t.notOk(
    anna.events.some(({ type }) => type === 'CALL_ESTABLISHED'),
    'as early media, which costs nothing',
  );
  await colleague.hangup();
});
