import t from 'tap';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { until } from '../../../domain/machine/processes.js';
import { readLamp } from '../../../lab/lamp.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, dialAndHear, waitMembers, waitState } from '../../support/centre.js';
import { callIn } from '../../support/calls.js';

const answer = { wrapUp: 'answer', wrapUpSeconds: 0, strategy: 'linear', ringSeconds: 30 };
const team = crowd(4, { groups: [{ name: 'support', number: '6000', ...answer }] });
const dids = ['5003', '5004'].map((extension) => ({
  number: `60${extension}`,
  to: `extension:${extension}`,
}));
const centre = await centreOf(t, { ...team, dids: [...team.dids, ...dids] });
const { asterisk, db } = centre;
const [anna, bert] = [await centre.phone('5001'), await centre.phone('5002')];

/** What queue_log says of the member of a queue that a phone is, without the calls. */
async function memberLog(name: string, device: string): Promise<string[]> {
  return (await asterisk.queueLog()).flatMap((line) => {
    const [, , queue, member, event = '', ...data] = line.split('|');
    if (queue !== 'astercc-support' || (member !== name && member !== device)) return [];
    return /MEMBER|PAUSE/.test(event) ? [[event, ...data].join(' ').trim()] : [];
  });
}

await t.test(
  'queue_log can be read by others: one word for a wrap-up, and nobody leaves in a pause',
  async (t) => {
    await dialAndHear(centre, anna, '*641001', 'agent-loginok');
    await dialAndHear(centre, anna, '*65', 'agent-loggedoff');
    await waitMembers(centre, 'astercc-support', []);
    t.same(
      await memberLog('1001', 'PJSIP/astercc-5001'),
      ['ADDMEMBER', 'REMOVEMEMBER'],
      'no pause at sign-out',
    );
    await dialAndHear(centre, anna, '*641001', 'agent-loginok');
    const customer = await callIn(centre);
    await anna.incoming();
    await anna.answer();
    await waitState(centre, '1001', 'talking');
    await customer.hangup();
    await anna.closed();
    await waitState(centre, '1001', 'wrap-up');
    await waitMembers(centre, 'astercc-support', ['1001 paused:wrapup']);
    await dialAndHear(centre, anna, '*65', 'agent-loggedoff');
    await waitMembers(centre, 'astercc-support', []);
    t.same((await memberLog('1001', 'PJSIP/astercc-5001')).slice(2), [
      'ADDMEMBER',
      'PAUSE wrapup',
      'UNPAUSE',
      'REMOVEMEMBER',
    ]);
  },
);

await t.test('what became of a call to an extension', async (t) => {
  const phone = await centre.phone('5003');
  const last = async (outcome: string) =>
    until(`a call that is ${outcome}`, async () => {
      const call = await db('calls').whereNotNull('extension_id').orderBy('id', 'desc').first<
        | {
            outcome: string | null;
            answered_at: Date | null;
            ended_at: Date | null;
          }
        | undefined
      >();
      return call?.outcome === outcome ? call : undefined;
    });
  const talks = await callIn(centre, '605003');
  await phone.incoming();
  await phone.answer();
  await phone.established();
  const answered = await last('answered');
  t.ok(answered.answered_at);
  t.equal(answered.ended_at, null, 'while it goes on');
  await talks.hangup();
  await phone.closed();
  const refused = await callIn(centre, '605003');
  await phone.incoming();
  await phone.hangup();
  await refused.ended();
  await last('busy');
  const gone = await callIn(centre, '605003');
  await phone.incoming();
  await gone.hangup();
  t.equal((await last('abandoned')).answered_at, null);
  // No phone has ever registered there.
  const nobody = await callIn(centre, '605004');
  await nobody.ended();
  await last('unreachable');
  await until('all calls to be over', async () =>
    (await db('calls').whereNull('ended_at')).length === 0 ? true : undefined,
  );
});

await t.test('whoever signs out is not rung by a queue that has listed them already', async (t) => {
  await dialAndHear(centre, anna, '*641001', 'agent-loginok');
  await dialAndHear(centre, bert, '*641002', 'agent-loginok');
  const customer = await callIn(centre);
  await anna.incoming();
  await dialAndHear(centre, bert, '*65', 'agent-loggedoff');
  await waitMembers(centre, 'astercc-support', ['1001']);
  // The queue goes on with the next one of its list, and then makes a new list.
  await anna.hangup();
  await anna.incoming();
  t.notOk(
    bert.events.some(({ type }) => type === 'CALL_INCOMING'),
    'the phone of the one who left stays silent',
  );
  await customer.hangup();
  await waitState(centre, '1001', 'idle');
});

await t.test('what a key that watches an agent is told', async () => {
  const { secret } = await showExtensionSecret(db, 'astercc', '5002');
  const watching = { user: 'astercc-5002', secret: secret ?? '', server: asterisk.sip };
  /** Waits until it is told this: hints are told a moment after what they are of. */
  const key = (lamp: string, ...wanted: [dialog: string, presence: string]): Promise<true> =>
    until(`${lamp} to be ${wanted.join(', ')}`, async () =>
      (await readLamp({ ...watching, lamp })) === wanted[0] &&
      (await readLamp({ ...watching, lamp, event: 'presence' })) === wanted[1]
        ? true
        : undefined,
    );
  await until('the lamp of a phone at which nobody ever was', async () =>
    (await asterisk.console('core show hints')).match(/^agent5003@.*State:Unavailable/m) ? true : undefined,
  );
  await key('agent5003', 'terminated', 'closed Unavailable');
  await key('agent5001', 'terminated', 'open Ready');
  await dialAndHear(centre, anna, '*660', 'do-not-disturb');
  await key('agent5001', 'confirmed held', 'open On hold');
  await dialAndHear(centre, anna, '*67', 'activated');
  const customer = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await waitState(centre, '1001', 'talking');
  await customer.hangup();
  await waitState(centre, '1001', 'wrap-up');
  await key('agent5001', 'confirmed', 'open On the phone');
  // Asterisk is killed, and the agent signed out while it is away.
  await asterisk.kill();
  await centre.star64('agent', 'sign-out', '1001');
  await asterisk.restart().catch(() => undefined);
  await until('the lamp to say so', async () =>
    (await asterisk.console('core show hints')).match(/^agent5001@.*State:Unavailable/m) ? true : undefined,
  );
});
