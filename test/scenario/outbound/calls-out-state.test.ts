import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, waitWaiting } from '../../support/calls.js';
import {
  centreOf,
  dialAndHear,
  membersOf,
  needLab,
  sameStates,
  signedInPhone,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';
import { Provider, toldIn } from '../../support/phones/providers.js';
import { noWarnings } from '../../support/warnings.js';

/** What calls to the outside do to who makes them. */
await needLab(t);
const provider = await Provider.start('provider.a', 96);
t.teardown(() => provider.stop());
const groups = [{ name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0 }];
const centre = await centreOf(t, crowd(2, { groups }), {
  asterisk: { extra: { 'pjsip.conf': provider.section() } },
  provision: async (db) => {
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: provider.endpoint, country: 'DE' });
    await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
  },
});
const { asterisk, db, server } = centre;
await provider.reachable(asterisk);
const queue = 'astercc-support';
const phone = await signedInPhone(centre, '1001');

/** Dials a number outside and waits until the provider has the call. */
async function callOut(): Promise<(typeof provider.calls)[number]> {
  const before = provider.calls.length;
  await phone.dial('0030123456');
  return provider.call(before);
}
const since = async (before: number): Promise<string[]> => {
  const all = await db('agent_states as s')
    .join('agents as a', 'a.id', 's.agent_id')
    .where('a.number', '1001')
    .orderBy('s.id')
    .select<{ state: string; call_kind: string | null }[]>('s.state', 's.call_kind');
  return all.slice(before).map(({ state, call_kind: kind }) => (kind === null ? state : `${state} ${kind}`));
};
const soFar = async (): Promise<number> => (await statesOf(centre, '1001')).length;

await t.test('they talk from dialling on, and are in wrap-up once somebody answered', async (t) => {
  const before = await soFar();
  provider.does('ring');
  const call = await callOut();
  await waitState(centre, '1001', 'talking');
  const waiting = await callIn(centre);
  await waitWaiting(centre, queue, 1);
  provider.pickUp(call);
  await phone.established();
  const seen = phone.events.length;
  provider.hangUp(call);
  await phone.closed();
  await waitState(centre, '1001', 'wrap-up');
  await waitMembers(centre, queue, ['1001 paused:wrapup']);
  t.same(await since(before), ['talking out', 'wrap-up out']);
  t.match(JSON.parse(await centre.star64('status', '--json')), {
    agents: [{ state: 'wrap-up', call_kind: 'out' }],
  });
  t.notOk(
    phone.events.slice(seen).some(({ type }) => type === 'CALL_INCOMING'),
    'no call came meanwhile',
  );
  await dialAndHear(centre, phone, '*67', 'activated');
  await phone.incoming();
  await waitState(centre, '1001', 'ringing');
  await waiting.hangup();
  await phone.closed();
  await waitState(centre, '1001', 'idle');
});

await t.test('who reaches nobody is free again, or in wrap-up where the mode is ring', async (t) => {
  provider.does(486);
  let before = await soFar();
  await callOut();
  await phone.closed();
  await sameStates(t, centre, '1001', before, ['talking', 'idle']);
  t.same(await since(before), ['talking out', 'idle']);
  await waitMembers(centre, queue, ['1001']);
  await centre.star64('group', 'set', 'support', '--wrap-up', 'ring');
  before = await soFar();
  await callOut();
  await phone.closed();
  await waitState(centre, '1001', 'wrap-up');
  t.same(await since(before), ['talking out', 'wrap-up out']);
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitMembers(centre, queue, ['1001']);
  // Before any trunk was tried nobody was called.
  before = await soFar();
  await phone.dial('001900123456');
  await phone.closed();
  t.same(await since(before), []);
});

await t.test('*60 says of which kind the call is, *67 that nothing changes', async () => {
  provider.does('answer');
  const call = await callOut();
  await phone.established();
  await waitState(centre, '1001', 'talking');
  await phone.hold();
  await dialAndHearBeside('*60', 'number');
  await dialAndHearBeside('*67', 'is-in-use');
  provider.hangUp(call);
  await phone.closed();
  await waitState(centre, '1001', 'wrap-up');
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitState(centre, '1001', 'idle');
});

/** As `dialAndHear`, on the second line: the end of that call alone is waited for. */
async function dialAndHearBeside(number: string, prompt: string): Promise<void> {
  const from = await asterisk.verbose.mark();
  await phone.dial(number);
  await asterisk.waitPlayed(phone.user, prompt, from);
  await phone.closed();
}

await t.test(
  'who only takes calls calls nobody outside: said and recorded; a colleague they do',
  async (t) => {
    await centre.star64('group', 'set', 'support', '--work-mode', 'inbound');
    const before = provider.calls.length;
    const from = await asterisk.verbose.mark();
    await phone.dial('0030777777');
    await asterisk.waitPlayed(phone.user, 'disabled', from);
    await phone.closed();
    t.equal(provider.calls.length, before);
    t.match(await toldIn(asterisk, 'Star64Out', from), [{ Refused: 'work-mode', Asked: 'yes' }]);
    const record = await until('the record', () =>
      db('calls').where({ number: '+4930777777' }).first<object>(),
    );
    t.match(record, { outcome: 'refused', refused: 'work-mode', trunk: null });
    const colleague = await centre.phone('5002');
    await phone.dial('5002');
    await colleague.incoming();
    await phone.hangup();
    await phone.closed();
    await colleague.closed();
    await centre.star64('group', 'set', 'support', '--work-mode', 'all');
    await waitState(centre, '1001', 'idle');
  },
);

/** The server is dead, and what it has promised lasts for longer than the 10 s in which a busy machine may start no other. */
async function killed(): Promise<void> {
  await server.kill();
  const ends = Math.floor(Date.now() / 1000) + 120;
  // Noted first, as a server does: a promise that the database knows nothing of is another database's.
  await db('leader_leases').update({ promised_until: ends });
  await asterisk.console(`dialplan set global STAR64_LEASE ${ends}`);
}

await t.test('a server that is dead in the middle finds the state that it comes back to', async (t) => {
  const before = await soFar();
  provider.does('answer');
  const call = await callOut();
  await phone.established();
  await waitState(centre, '1001', 'talking');
  await killed();
  const mark = await server.log.mark();
  await server.start();
  // From then on its promise stands.
  await server.log.waitFor(/"msg":"watching Asterisk"/, mark);
  await waitMembers(centre, queue, ['1001']);
  t.same(await since(before), ['talking out'], 'the call goes on, with no offer and all');
  await killed();
  // The promise of the server to end wrap-ups lasts, so this one begins.
  provider.hangUp(call);
  await phone.closed();
  await waitMembers(centre, queue, ['1001 paused:wrapup']);
  await server.start();
  await waitState(centre, '1001', 'wrap-up');
  t.same(await since(before), ['talking out', 'wrap-up out']);
  await dialAndHear(centre, phone, '*67', 'activated');
});

await t.test('a pause goes on in Asterisk while a call out and its wrap-up interrupt it', async (t) => {
  await dialAndHear(centre, phone, '*66', 'do-not-disturb');
  await waitMembers(centre, queue, ['1001 paused:pause:0']);
  const before = await soFar();
  const call = await callOut();
  await phone.established();
  await waitState(centre, '1001', 'talking');
  t.same(await membersOf(centre, queue), ['1001 paused:pause:0']);
  await centre.star64('group', 'set', 'support', '--wrap-up-seconds', '1');
  provider.hangUp(call);
  await phone.closed();
  await waitState(centre, '1001', 'paused');
  t.same(await since(before), ['talking out', 'wrap-up out', 'paused']);
  await waitMembers(centre, queue, ['1001 paused:pause:0']);
  await noWarnings(t, asterisk);
});
