import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/trunk.js';
import { crowd } from '../../lab/provision.js';
import { centreOf, needLab, signedInPhone, statesOf, waitMembers, waitState } from '../support/centre.js';
import { Provider, toldIn } from '../support/providers.js';

/** What a call that a limit keeps in does to who makes it, in the wrap-up mode of calls that nobody answers. */
await needLab(t);
const provider = await Provider.start('provider.a', 96);
t.teardown(() => provider.stop());
const groups = [{ name: 'support', number: '6000', wrapUp: 'ring', wrapUpSeconds: 0 }];
const centre = await centreOf(t, crowd(2, { groups }), {
  asterisk: { extra: { 'pjsip.conf': provider.section() } },
  provision: async (db) => {
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: provider.endpoint, country: 'DE' });
    await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
    await db('teams').where({ identity: 'astercc' }).update({ calls_at_once: 1 });
  },
});
const { asterisk } = centre;
await provider.reachable(asterisk);
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
  await waitState(centre, '1001', 'idle');
  await waitMembers(centre, 'astercc-support', ['1001']);
  t.same((await statesOf(centre, '1001')).slice(before), ['talking', 'idle']);
  t.equal(provider.calls.length, 1);
  await colleague.hangup();
});
