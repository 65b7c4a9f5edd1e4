import t from 'tap';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { addPauseReason } from '../../../domain/provisioning/people/pause-reason.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { Caller } from '../../../lab/caller.js';
import { readLamp } from '../../../lab/lamp.js';
import { crowd } from '../../../lab/provision.js';
import { until } from '../../../domain/machine/processes.js';
import { centreOf, dialled, gaps, stateOf, statesOf, waitMembers, waitState } from '../../support/centre.js';

const centre = await centreOf(t, crowd(2), {
  provision: async (db) => {
    await addPauseReason(db, 'astercc', { digit: '1', name: 'Break', maxSeconds: 3 });
    await addPauseReason(db, 'astercc', { digit: '2', name: 'Errand', maxSeconds: 3, atEnd: 'sign-out' });
  },
});
const { asterisk, db } = centre;
const phone = await centre.phone('5001');

/** What the lamp of an extension or queue shows to the phones that watch it. */
async function lamp(name: string, state: string): Promise<void> {
  await until(`the lamp ${name} to show ${state}`, async () => {
    const text = await asterisk.console('core show hints');
    return new RegExp(`^${name}@.*State:${state}\\b`, 'm').test(text) ? true : undefined;
  });
}

await t.test('the longest pause: ready again, or signed out, as the reason says', async (t) => {
  await dialled(centre, phone, '*641001');
  await dialled(centre, phone, '*661');
  await waitState(centre, '1001', 'idle');
  await waitMembers(centre, 'astercc-support', ['1001']);
  await dialled(centre, phone, '*662');
  await waitState(centre, '1001', 'signed-out');
  await waitMembers(centre, 'astercc-support', []);
  t.same(await statesOf(centre, '1001'), ['idle', 'paused', 'idle', 'paused']);
});

await t.test('whoever idles for too long is signed out', async (t) => {
  await setGroup(db, 'astercc', 'support', { idleSignOutSeconds: 60 });
  await dialled(centre, phone, '*641001');
  t.equal(await stateOf(centre, '1001'), 'idle');
  await db.raw(`update sign_ins set acted_at = acted_at - interval '61 s' where signed_out_at is null`);
  await waitState(centre, '1001', 'signed-out');
  await setGroup(db, 'astercc', 'support', { idleSignOutSeconds: null });
});

await t.test('the end of the shift signs out, but not in the middle of a call', async (t) => {
  await dialled(centre, phone, '*641001');
  const customer = await Caller.call({ from: '4930123', to: '600100', server: asterisk.sip });
  await phone.incoming();
  await phone.answer();
  await waitState(centre, '1001', 'talking');
  // The shift has ended a minute ago, by the clock of the team, and he has been here since before that.
  await db.raw(
    `update sign_ins set signed_in_at = signed_in_at - interval '1 hour' where signed_out_at is null`,
  );
  await db.raw(`update agent_states s set started_at = i.signed_in_at from sign_ins i
    where s.id = (select min(id) from agent_states f where f.sign_in_id = i.id) and i.signed_out_at is null`);
  await db.raw(`update teams set time_zone = 'Asia/Kolkata'`);
  await db.raw(
    `update agent_groups set sign_out_at = (clock_timestamp() at time zone 'Asia/Kolkata' - interval '1 minute')::time`,
  );
  // Two rounds of the server's look at shifts have passed once two deadlines have: the other agent's pause shows it.
  const colleague = await centre.phone('5002');
  await dialled(centre, colleague, '*641002');
  await dialled(centre, colleague, '*661');
  await waitState(centre, '1002', 'idle');
  t.equal(await stateOf(centre, '1001'), 'talking', 'not in a call');
  await customer.hangup();
  await phone.closed();
  await waitState(centre, '1001', 'signed-out');
  await waitMembers(centre, 'astercc-support', ['1002']);
  t.equal(await stateOf(centre, '1002'), 'idle', 'who came after the end of the shift stays until tomorrow');
  t.same(await gaps(centre), []);
  await dialled(centre, colleague, '*65');
  await db.raw(`update agent_groups set sign_out_at = null`);
});

await t.test('lamps show who is ready, paused or in wrap-up, and whether callers wait', async (t) => {
  /** What a colleague's key that watches it is told. */
  const key = async (name: string): Promise<string> => {
    const { secret } = await showExtensionSecret(db, 'astercc', '5002');
    return readLamp({ user: 'astercc-5002', secret: secret ?? '', server: asterisk.sip, lamp: name });
  };
  await lamp('agent5001', 'Unavailable');
  await dialled(centre, phone, '*641001');
  await lamp('agent5001', 'Idle');
  t.equal(await key('agent5001'), 'terminated', 'ready: off');
  await dialled(centre, phone, '*660');
  await lamp('agent5001', 'Hold');
  t.equal(await key('agent5001'), 'confirmed held', 'paused');
  const customer = await Caller.call({ from: '4930123', to: '600100', server: asterisk.sip });
  await lamp('queue6000', 'Ringing');
  t.equal(await key('queue6000'), 'early', 'a caller waits: blinks');
  await dialled(centre, phone, '*67');
  await phone.incoming();
  await lamp('5001', 'Ringing');
  await phone.answer();
  await waitState(centre, '1001', 'talking');
  await customer.hangup();
  await lamp('agent5001', 'Busy');
  t.equal(await key('agent5001'), 'confirmed', 'wrap-up: lit');
  await dialled(centre, phone, '*67');
  await lamp('agent5001', 'Idle');
  await dialled(centre, phone, '*65');
  await lamp('agent5001', 'Unavailable');
  await t.rejects(key('agent5999'), /may not watch/, 'there is no such phone');
});
