import t from 'tap';
import { pauseAgent, signInAgent, signOutAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addDid } from '../../../domain/provisioning/numbers/did.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd, provision } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { ageSignIns, centreOf, dialled, waitState } from '../../support/centre.js';

/** `*5` and the number of an agent: who dials it is connected to the phone at which they are signed in. */
const centre = await centreOf(t, crowd(4), {
  provision: async (db) => {
    await provision(db, crowd(3, { team: 'b2', did: '600900' }));
    await addExtension(db, 'astercc', { number: '5100', user: 'crowd' });
    const fixed = { user: 'crowd', groups: ['support'], kind: 'fixed', extension: '5100' };
    await addAgent(db, 'astercc', { number: '2001', ...fixed });
    await addDid(db, 'astercc', { number: '600101', to: 'extension:5004' });
    await addDid(db, 'astercc', { number: '600102', to: 'feature:call-agent' });
  },
});
const { asterisk, db } = centre;
const [first, second, desk, fixed] = await Promise.all(
  ['5001', '5002', '5004', '5100'].map((extension) => centre.phone(extension)),
);
if (!first || !second || !desk || !fixed) throw new Error('no phones');
const digits = (number: string): string[] => Array.from(number, (digit) => `digits/${digit}`);

/** How the last call that a phone made was ended, without having been answered. */
function refusal({ events }: Phone, from: number): string | undefined {
  const seen = events.slice(from);
  if (seen.some(({ type }) => type === 'CALL_ESTABLISHED')) return 'answered';
  return seen.find(({ type }) => type === 'CALL_CLOSED')?.param;
}
/** Dials, waits until that phone rings, and gives up. */
async function rings(number: string, phone: Phone): Promise<void> {
  await desk?.dial(number);
  await phone.incoming();
  await desk?.hangup();
  await Promise.all([desk?.closed(), phone.closed()]);
}

await t.test('who is signed in nowhere, or nobody at all, is told aloud, and nothing rings', async (t) => {
  await signInAgent(db, 'b2', '1003', { extension: '5003', by: 'test' });
  let from = desk.events.length;
  t.same(
    await dialled(centre, desk, '*51003'),
    ['spy-agent', ...digits('1003'), 'vm-isunavail'],
    'an agent of another team who has the same number is somebody else',
  );
  t.match(refusal(desk, from), /^480/);
  from = desk.events.length;
  t.same(await dialled(centre, desk, '*59999'), ['cannot-complete-as-dialed', 'check-number-dial-again']);
  t.match(refusal(desk, from), /^404/);
});

await t.test('it rings where the agent is signed in, and after a move there; also in a pause', async (t) => {
  await signInAgent(db, 'astercc', '1001', { extension: '5001', by: 'test' });
  await rings('*51001', first);
  await pauseAgent(db, 'astercc', '1001', '0');
  await waitState(centre, '1001', 'paused');
  await rings('*51001#', first);
  await ageSignIns(centre);
  await signInAgent(db, 'astercc', '1001', { extension: '5002', by: 'move' });
  const before = first.events.length;
  await rings('*51001', second);
  t.notOk(
    first.events.slice(before).some(({ type }) => type === 'CALL_INCOMING'),
    'the phone that they have left stays silent',
  );
});

await t.test('*5 alone asks for the number', async () => {
  const from = await asterisk.verbose.mark();
  await desk.dial('*5');
  await desk.established();
  await asterisk.waitPlayed(desk.user, 'vm-enter-num-to-call', from);
  await desk.digits('1001#');
  await second.incoming();
  await desk.hangup();
  await Promise.all([desk.closed(), second.closed()]);
});

await t.test('a customer is sent on to an agent', async () => {
  const from = await centre.asterisk.verbose.mark();
  const customer = await callIn(centre, '600101');
  await desk.incoming();
  await desk.answer();
  await desk.established();
  // Who is in no bridge yet can send nobody on.
  for (const phone of ['astercc-5004', 'lab-trunk'])
    await centre.asterisk.verbose.waitFor(new RegExp(`Channel PJSIP/${phone}-\\w+ joined `), from);
  await desk.transfer('*51001');
  await desk.closed();
  await second.incoming();
  await second.answer();
  await second.established();
  await customer.hangup();
  await second.closed();
});

await t.test('a customer keys the number of an agent, after a DID that asks for it', async (t) => {
  let from = await asterisk.verbose.mark();
  const customer = await callIn(centre, '600102');
  await customer.answered();
  await asterisk.waitPlayed('lab-trunk', 'vm-enter-num-to-call', from);
  await customer.phone.digits('1001#');
  await second.incoming();
  await customer.hangup();
  await second.closed();
  await signOutAgent(db, 'astercc', '1001', 'test');
  from = await asterisk.verbose.mark();
  const other = await callIn(centre, '600102');
  await other.answered();
  await asterisk.waitPlayed('lab-trunk', 'vm-enter-num-to-call', from);
  await other.phone.digits('1001#');
  await other.ended();
  t.ok((await asterisk.played('lab-trunk', from)).includes('vm-nobodyavail'));
});

await t.test('with no server the phone of a fixed agent rings, and of others nobody knows', async (t) => {
  await rings('*52001', fixed);
  await centre.server.stop();
  await rings('*52001', fixed);
  t.same(await dialled(centre, desk, '*51001'), ['sorry', 'please-try-call-later']);
});
