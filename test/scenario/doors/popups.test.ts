import t from 'tap';
import { commandCall } from '../../../domain/calls/commands/call-commands.js';
import { until } from '../../../domain/machine/processes.js';
import { EventFeed } from '../../../domain/monitor/event-feed.js';
import { finishPopup, listPopups, type Popup } from '../../../domain/popups/popups.js';
import { bindings } from '../../../domain/provisioning/features/binding.js';
import { setExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { crowd, provision } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, needLab, signedInPhone, waitMembers, waitState } from '../../support/centre.js';
import { Provider } from '../../support/phones/providers.js';

/** Popups while phones ring, talk and call outside (spec 29-40, 56). Nobody is signed in at 5003. */
await needLab(t);
const provider = await Provider.start('provider.a', 97);
t.teardown(() => provider.stop());
const application = { application: 'campaign', link: 'https://crm.example.org/{agent}?n={number}' };
const groups = [{ name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, ...application }];
const team = crowd(3, { groups });
const dids = [...team.dids, { number: '600200', to: 'extension:5003' }];
const centre = await centreOf(
  t,
  { ...team, dids },
  {
    asterisk: { extra: { 'pjsip.conf': provider.section() } },
    provision: async (db) => {
      await addTrunk(db, 'astercc', { name: 'provider', endpoint: provider.endpoint, country: 'DE' });
      await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
      await bindings.add(db, 'astercc', 'desk', {
        application: 'third_party',
        link: 'https://desk.example.org/?c={caller}',
      });
      for (const number of ['5001', '5003']) await setExtension(db, 'astercc', number, { agentMode: true });
      await provision(db, crowd(1, { team: 'other', did: '600300', groups: [{ name: 'support' }] }));
    },
  },
);
const { db } = centre;
await provider.reachable(centre.asterisk);
const types = ['popup.opened', 'popup.answered', 'popup.closed'] as const;
const [feed, others] = await Promise.all(
  ['astercc', 'other'].map((one) => EventFeed.open(db, { team: one, types })),
);
const anna = await signedInPhone(centre, '1001');
const desk = await centre.phone('5003');

/** Waits for the newest popup of a phone to be this. */
const popup = (extension: string, wanted: Partial<Popup>): Promise<Popup> =>
  until(`a popup at ${extension} like ${JSON.stringify(wanted)}`, async () => {
    const { popups } = await listPopups(db, 'astercc');
    const newest = popups.find((one) => one.extension === extension);
    const fits = Object.entries(wanted).every(([name, value]) => newest?.[name as keyof Popup] === value);
    return newest && fits ? newest : undefined;
  });
const answered = async (one: Popup): Promise<void> => {
  await until(`popup ${one.id} to be answered`, async () =>
    (await listPopups(db, 'astercc')).popups.some(({ id, answeredAt }) => id === one.id && answeredAt)
      ? true
      : undefined,
  );
};

await t.test('a call of the queue: shown as it rings, sent on to a colleague, and done', async (t) => {
  const customer = await callIn(centre);
  await anna.incoming();
  const shown = await popup('5001', { kind: 'queue', outcome: null });
  t.match(shown, {
    agent: '1001',
    group: 'support',
    binding: 'desk',
    application: 'third_party',
    link: 'https://desk.example.org/?c=4930555',
    answeredAt: null,
  });
  const { rows } = await db.raw<{ rows: { ms: number }[] }>(
    `select round(extract(epoch from e.written_at - s.started_at) * 1000)::integer as ms
     from popups p join events e on e.subject = 'popup-' || p.id and e.type = 'popup.opened'
     join agent_states s on s.offer_id = p.channel and s.state = 'ringing' where p.id = ?`,
    [shown.id],
  );
  t.comment(`the popup is written ${rows[0]?.ms ?? '?'} ms after the state of the agent who rings`);
  await anna.answer();
  await answered(shown);
  await commandCall(db, 'astercc', shown.call, {
    kind: 'transfer',
    given: { number: '5003' },
    by: 'test',
  });
  await desk.incoming();
  t.match(await popup('5001', { outcome: 'answered' }), { id: shown.id });
  const next = await popup('5003', { kind: 'direct', outcome: null });
  t.match(next, { agent: null, call: shown.call, application: 'third_party' });
  await desk.answer();
  await answered(next);
  await waitState(centre, '1001', 'wrap-up');
  await waitMembers(centre, 'astercc-support', ['1001 paused:wrapup']);
  t.match(await finishPopup(db, 'astercc', String(next.id), { by: 'test' }), { wrapUp: 'none' });
  t.match(await finishPopup(db, 'astercc', String(shown.id), { disposition: 'sold', by: 'test' }), {
    wrapUp: 'ended',
    disposition: 'sold',
  });
  await waitState(centre, '1001', 'idle');
  await waitMembers(centre, 'astercc-support', ['1001']);
  await customer.hangup();
  await desk.closed();
  await popup('5003', { outcome: 'answered' });
});

await t.test('a call to a phone: with agent mode, and without', async (t) => {
  const customer = await callIn(centre, '600200');
  await desk.incoming();
  t.match(await popup('5003', { outcome: null }), { kind: 'direct', binding: 'desk', number: '600200' });
  await customer.hangup();
  await desk.closed();
  t.match(await popup('5003', { outcome: 'missed' }), { answeredAt: null });
  await setExtension(db, 'astercc', '5003', { agentMode: false });
  const before = (await listPopups(db, 'astercc')).popups.length;
  const again = await callIn(centre, '600200');
  await desk.incoming();
  await again.hangup();
  await desk.closed();
  await until('the call to be over', async () =>
    (await db('calls').whereNull('ended_at')).length === 0 ? true : undefined,
  );
  t.equal((await listPopups(db, 'astercc')).popups.length, before);
});

await t.test('a call to the outside belongs to the current group', async (t) => {
  provider.does('ring');
  const calls = provider.calls.length;
  await anna.dial('0030123456');
  const call = await provider.call(calls);
  const shown = await popup('5001', { kind: 'outbound', outcome: null });
  t.match(shown, {
    agent: '1001',
    application: 'campaign',
    binding: null,
    number: '+4930123456',
    link: 'https://crm.example.org/1001?n=%2B4930123456',
    answeredAt: null,
  });
  provider.pickUp(call);
  await anna.established();
  await answered(shown);
  provider.hangUp(call);
  await anna.closed();
  await popup('5001', { kind: 'outbound', outcome: 'answered' });
  await waitState(centre, '1001', 'wrap-up');
  t.match(await finishPopup(db, 'astercc', String(shown.id), { by: 'test' }), { wrapUp: 'ended' });
});

await t.test('each is told once, and to its own team', async (t) => {
  const told: string[] = [];
  await until('every event', async () => {
    told.push(...((await feed?.next())?.events ?? []).map(({ type }) => type));
    return told.length >= 11 ? true : undefined;
  });
  t.same(
    types.map((type) => told.filter((one) => one === type).length),
    [4, 3, 4],
  );
  t.same((await others?.next())?.events, []);
  t.same((await listPopups(db, 'other')).popups, []);
});
