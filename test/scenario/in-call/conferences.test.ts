import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, dialAndHear, waitState } from '../../support/centre.js';
import { ConsultingPhone } from '../../support/phones/consulting-phone.js';
import { Voices, waitJoined, waitTold } from '../../support/phones/in-call.js';
import { trunkSection } from '../../support/phones/telephone.js';

/** Calls over this trunk withhold their number. */
const withheld = { name: 'provider.9', address: '127.0.0.95' };

/** Whoever is in here is in the call of that number, as far as its parties are counted. */
const parties = `[lab-party]
exten => _X.,1,Set(GROUP(star64-party)=\${EXTEN})
 same => n,Wait(120)
[lab-withheld]
exten => _X.,1,Set(CALLERID(pres)=prohib)
 same => n,Goto(star64-inbound,\${EXTEN},1)
`;
const voices = await Voices.of(t, 'anna', 'bert', 'carl', 'customer');
const centre = await centreOf(
  t,
  crowd(4, {
    groups: [
      {
        ...{ name: 'support', number: '6000', strategy: 'ringall', conferenceEnd: true },
        ...{ wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0 },
      },
    ],
  }),
  {
    asterisk: {
      extra: {
        'extensions.conf': parties,
        'pjsip.conf': trunkSection(withheld.name, withheld.address, 9).replace(
          'star64-inbound',
          'lab-withheld',
        ),
      },
    },
  },
);
const { asterisk } = centre;
const [anna, bert, carl] = await Promise.all([
  centre.phone('5001', await voices.phoneOf('anna')),
  centre.phone('5002', await voices.phoneOf('bert')),
  centre.phone('5003', await voices.phoneOf('carl')),
]);
const customerIs = await voices.phoneOf('customer');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

const rings = (phone: Phone): number => phone.events.filter(({ type }) => type === 'CALL_INCOMING').length;

async function pickUp(phone: Phone): Promise<void> {
  await phone.incoming();
  await phone.answer();
  await phone.established();
}

/** A customer whom Anna has answered. */
async function answered(address?: string): Promise<Phone> {
  const { phone } = await Caller.call({
    ...{ from: '4930555', to: '600100', server: asterisk.sip, ...customerIs },
    ...(address !== undefined && { address }),
  });
  centre.phones.push(phone);
  await pickUp(anna);
  await voices.talk(['anna', anna], ['customer', phone]);
  return phone;
}

async function annaIsReady(): Promise<void> {
  await anna.closed();
  await waitState(centre, '1001', 'wrap-up');
  await dialAndHear(centre, anna, '*67', 'activated');
}

for (const [what, send, answers] of [
  ['by key, to who says no', (): Promise<void> => anna.digits('*15003'), false],
  ['by the phone', (): Promise<void> => anna.transfer('5003'), true],
] as const)
  await t.test(`a conference that is sent on does not end, whatever the group says: ${what}`, async () => {
    const customer = await answered();
    await anna.digits('*25002');
    await pickUp(bert);
    await voices.talk(['anna', anna], ['bert', bert]);
    await anna.digits('*3');
    await voices.hears(customer, 'anna', 'bert');
    await until('the conference to be told to the phone that has made it', async () => {
      const [channel = ''] =
        /^PJSIP\/astercc-5001-\w+/m.exec(await asterisk.console('core show channels concise')) ?? [];
      return (
        /STAR64_CONFERENCE=PJSIP\//.test(await asterisk.console(`core show channel ${channel}`)) || undefined
      );
    });
    await send();
    await annaIsReady();
    if (answers) {
      await pickUp(carl);
      await voices.hears(customer, 'bert', 'carl');
    } else await carl.incoming();
    await carl.hangup();
    await carl.closed();
    await voices.talk(['bert', bert], ['customer', customer]);
    await customer.hangup();
    await bert.closed();
  });

await t.test('a number that is withheld is on no display after a transfer', async (t) => {
  const { secret } = await showExtensionSecret(centre.db, 'astercc', '5004');
  const emil = await ConsultingPhone.start('astercc-5004', secret ?? '', asterisk.sip);
  t.teardown(() => emil.stop());
  // Whatever was told of a call has come before its end.
  const over = (): Promise<true> =>
    until('the end of the call', () => (emil.calls.length === 0 ? true : undefined));
  const asker = await answered(withheld.address);
  const from = await asterisk.verbose.mark();
  await anna.digits('*25004');
  const asked = await emil.called();
  await waitJoined(centre, anna, from);
  await anna.digits('*6');
  await annaIsReady();
  await asker.hangup();
  await over();
  t.equal(emil.shows(asked), '5001', 'who has asked');
  const other = await answered(withheld.address);
  await anna.digits('*15004');
  await annaIsReady();
  const sent = await emil.called();
  await other.hangup();
  await over();
  t.equal(emil.shows(sent), 'anonymous');
});

await t.test('a call has 30 parties, and the 31st is refused by voice and not rung', async (t) => {
  const customer = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await anna.established();
  const channels = async (): Promise<string[]> =>
    (await asterisk.console('core show channels concise')).split('\n');
  const call =
    (await channels())
      .find((line) => line.includes('!Queue!'))
      ?.split('!')
      .at(-1) ?? '';
  // The customer, the agent, and 28 more.
  for (let party = 3; party <= 30; party++)
    await asterisk.console(`channel originate Local/${call}@lab-party/n application Wait 120`);
  const others = (line: string): boolean => /^Local\/.*@lab-party-.*;2!.*!Wait!/.test(line);
  await until('28 others in it', async () =>
    (await channels()).filter(others).length === 28 ? true : undefined,
  );
  const rung = rings(bert);
  const from = await asterisk.verbose.mark();
  await anna.digits('*25002');
  await waitTold(centre, 'conf-full', from);
  await asterisk.verbose.waitFor(/Step: conference-full/, from);
  t.equal(rings(bert), rung);
  const [leaves] = (await channels()).filter(others);
  await asterisk.console(`channel request hangup ${leaves?.split('!')[0] ?? ''}`);
  await until('one of them to leave', async () =>
    (await channels()).filter(others).length === 27 ? true : undefined,
  );
  // Of two phones that ring for the last place one will join.
  await dialAndHear(centre, bert, '*641002', 'agent-loginok');
  await dialAndHear(centre, carl, '*641003', 'agent-loginok');
  await anna.digits('*26000');
  await Promise.all([bert.incoming(), carl.incoming()]);
  await customer.hangup();
  await anna.hangup();
  await anna.closed();
});
