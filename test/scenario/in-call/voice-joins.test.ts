import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, stateOf, waitState } from '../../support/centre.js';
import { ConsultingPhone, type Dialog } from '../../support/phones/consulting-phone.js';
import { Voices } from '../../support/phones/in-call.js';
import type { Sound } from '../../support/phones/rtp-voice.js';

/**
 * Who is joined by an agent, or with whom an agent goes on talking, hear each other, also where one phone alone has another codec
 * and whoever comes has lower RTP sequence numbers than who was there (docs/installation.md: Asterisk as Debian builds it).
 */
const groups = [{ name: 'support', number: '6000', wrapUp: 'off', missedLimit: 0 }];
const centre = await centreOf(t, crowd(2, { groups }));
const { asterisk, db } = centre;
const voices = await Voices.of(t, 'anna', 'bert', 'customer');

async function phone(extension: string, sound: Sound): Promise<ConsultingPhone> {
  const { secret } = await showExtensionSecret(db, 'astercc', extension);
  const one = await ConsultingPhone.start(`astercc-${extension}`, secret ?? '', asterisk.sip, { sound });
  t.teardown(() => one.stop());
  return one;
}

interface Parties {
  anna: ConsultingPhone;
  bert: ConsultingPhone;
  customer: ConsultingPhone;
  /** Anna's call with the customer. */
  call: Dialog;
  /** The customer's own. */
  dialled: Dialog;
}
const ways = {
  async 'by the phone'({ anna, bert, call }: Parties): Promise<void> {
    await anna.hold(call);
    const asked = await anna.call('5002');
    await bert.called();
    const second = { user: anna.user, hearing: (samples: number) => anna.hearing(samples, asked) };
    await voices.talk(['anna', second], ['bert', bert]);
    await anna.join(call, asked);
  },
  async 'by keys, or a command'({ anna, bert, call }: Parties): Promise<void> {
    const { uniqueid } = await until('the call', () =>
      db('calls').whereNull('ended_at').orderBy('id', 'desc').first<{ uniqueid: string }>(),
    );
    await centre.star64('call', 'consult', uniqueid, '5002');
    await bert.called();
    await voices.talk(['anna', anna], ['bert', bert]);
    await anna.hangUp(call);
  },
};

/** Anna has a customer; her colleague is called by nobody yet. */
async function answered(colleagues: Partial<Sound>, theirs: Partial<Sound>): Promise<Parties> {
  const anna = await phone('5001', { hertz: voices.hertz('anna'), sequence: 30_000 });
  const bert = await phone('5002', { hertz: voices.hertz('bert'), sequence: 100, ...colleagues });
  if ((await stateOf(centre, '1001')) === 'signed-out') await anna.call('*641001');
  await waitState(centre, '1001', 'idle');
  await until('the call of the sign-in to be over', () => anna.calls.length === 0 || undefined);
  const customer = await ConsultingPhone.start('4930555', '', asterisk.sip, {
    trunk: '127.0.0.99',
    sound: { hertz: voices.hertz('customer'), sequence: 100, ...theirs },
  });
  t.teardown(() => customer.stop());
  const dialled = await customer.call('600100');
  const call = await anna.called();
  await voices.talk(['anna', anna], ['customer', customer]);
  return { anna, bert, customer, call, dialled };
}

/** The customer ends the call, and the next one may begin. */
async function over({ anna, bert, customer, dialled }: Parties): Promise<void> {
  await customer.hangUp(dialled);
  await waitState(centre, '1001', 'idle');
  // As long as a channel of a phone is there, nobody rings it.
  await until('the phones to be free', async () =>
    (await asterisk.console('core show channels concise')).includes('PJSIP/astercc-') ? undefined : true,
  );
  await Promise.all([anna.stop(), bert.stop(), customer.stop()]);
}

for (const [way, join] of Object.entries(ways))
  await t.test(`customer and colleague hear each other once the agent has joined them ${way}`, async (t) => {
    const parties = await answered({ payload: 8 }, {});
    await join(parties);
    await t.resolves(voices.talk(['bert', parties.bert], ['customer', parties.customer]));
    await over(parties);
  });

for (const [theirs, colleagues] of [
  [20_000, 100],
  [100, 20_000],
] as const)
  await t.test(
    `an agent whose phone alone has another codec hears each whom they go over to (${theirs}, ${colleagues})`,
    async (t) => {
      const parties = await answered({ sequence: colleagues, payload: 8 }, { sequence: theirs, payload: 8 });
      const { anna, bert, customer, call } = parties;
      await anna.keys(call, '*25002');
      await bert.called();
      await voices.talk(['anna', anna], ['bert', bert]);
      for (const [key, to] of [
        ['*5', 'customer'],
        ['*5', 'bert'],
        ['*4', 'customer'],
      ] as const) {
        await anna.keys(call, key);
        const other: [typeof to, ConsultingPhone] = [to, to === 'bert' ? bert : customer];
        await t.resolves(voices.talk(['anna', anna], other), `${key}: ${to}`);
      }
      await over(parties);
    },
  );
