import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, needLab, signedInPhone } from '../../support/centre.js';
import { waitJoined } from '../../support/phones/in-call.js';
import { Provider, toldIn } from '../../support/phones/providers.js';

/** Whatever a team has as outside prefix: what it has itself comes first, and emergency numbers before a refusal. */
await needLab(t);
const provider = await Provider.start('provider.a', 95);
t.teardown(() => provider.stop());
provider.does(486);
const centre = await centreOf(
  t,
  crowd(3, { groups: [{ name: 'support', number: '6000', wrapUp: 'off', missedLimit: 0 }] }),
  {
    asterisk: {
      extra: {
        'pjsip.conf': provider.section(),
        'extensions.conf': '\n[astercc-outbound]\nexten => 0110,1,Answer()\n same => n,Echo()\n',
      },
    },
    provision: async (db) => {
      await setTeam(db, 'astercc', { country: 'DE', outsidePrefix: '0', emergency: '112,110' });
    },
  },
);
const { asterisk, db } = centre;
const anna = await signedInPhone(centre, '1001');
const bert = await centre.phone('5002');

await t.test('without a trunk an emergency call is told as one, and other numbers are refused', async (t) => {
  const from = await asterisk.verbose.mark();
  for (const dialled of ['112', '0112']) {
    const before = await asterisk.verbose.mark();
    await bert.dial(dialled);
    const [told] = await until(`${dialled} to be told`, async () => {
      const events = await toldIn(asterisk, 'Star64Emergency', before);
      return events.length > 0 ? events : undefined;
    });
    t.match(told, { Phone: 'astercc-5002', Number: '112' }, dialled);
    await bert.leave();
    await bert.closed();
  }
  const refused = await asterisk.verbose.mark();
  await bert.dial('0030123456');
  const [out] = await until('the refusal to be told', async () => {
    const events = await toldIn(asterisk, 'Star64Out', refused);
    return events.length > 0 ? events : undefined;
  });
  t.match(out, { Dialled: '030123456', Refused: 'no-trunk' });
  await bert.leave();
  await bert.closed();
  // An operator's own extension is where it was.
  await bert.dial('0110');
  await bert.established();
  await bert.hangup();
  await bert.closed();
  t.same((await toldIn(asterisk, 'Star64Emergency', from)).length, 2);
});

/** Dials a number of the team with a # at its end. */
async function rings(dialled: string): Promise<void> {
  await bert.dial(dialled);
  await anna.incoming();
  await anna.answer();
  await bert.established();
  await bert.hangup();
  await bert.closed();
  await anna.closed();
}

await t.test('with no prefix a number inside is one inside, with a # at its end, too', async (t) => {
  await addTrunk(db, 'astercc', { name: 'main', endpoint: provider.endpoint, country: 'DE' });
  await setTeam(db, 'astercc', { trunk: 'main', outsidePrefix: 'none' });
  await centre.star64('apply');
  await provider.reachable(asterisk);
  await rings('5001#');
  await rings('6000#');
  const from = await asterisk.verbose.mark();
  const caller = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await caller.answered();
  await waitJoined(centre, anna, from);
  const third = await centre.phone('5003');
  await anna.transfer('5003#');
  await third.incoming();
  await third.answer();
  await third.established();
  await anna.closed();
  await caller.hangup();
  await third.closed();
  await bert.dial('030123456#');
  await bert.closed();
  t.equal(provider.calls.at(-1)?.number, '+4930123456', 'and a number outside is one outside');
  await centre.server.stop();
  await rings('5001#');
  t.equal(provider.calls.length, 1);
});
