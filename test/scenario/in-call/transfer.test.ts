import t from 'tap';
import { pauseAgent, signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { readStatus, type GroupStatus } from '../../../domain/monitor/status.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, dialAndHear, waitMembers, waitState } from '../../support/centre.js';
import { callIn } from '../../support/calls.js';
import { ConsultingPhone } from '../../support/phones/consulting-phone.js';
import { waitJoined } from '../../support/phones/in-call.js';

const wrapUp = { wrapUp: 'off', strategy: 'linear', missedLimit: 0 };
const team = crowd(4, {
  groups: [
    { name: 'support', number: '6000', ...wrapUp, ringSeconds: 8 },
    { name: 'sales', number: '6001', ...wrapUp },
  ],
});
const [, ...others] = team.agents;
const [first] = team.agents;
if (!first) throw new Error('nobody');
const centre = await centreOf(t, {
  ...team,
  agents: [
    { ...first, groups: ['support'] },
    ...others.map((agent) => ({ ...agent, groups: [agent.number === '1003' ? 'support' : 'sales'] })),
  ],
});
const [anna, bert, extension] = [
  await centre.phone('5001'),
  await centre.phone('5002'),
  await centre.phone('5004', { mode: 'auto' }),
];
await dialAndHear(centre, anna, '*641001', 'agent-loginok');
// Somebody is signed in at sales, so that its callers wait; their pause is shorter than it would have to be to send them away.
await signInAgent(centre.db, 'astercc', '1004', { extension: '5004', by: 'test' });
await pauseAgent(centre.db, 'astercc', '1004', '0');
await waitMembers(centre, 'astercc-sales', ['1004 paused:pause:0']);

async function group(name: string): Promise<GroupStatus> {
  const found = (await readStatus(centre.db, 'astercc')).groups.find((one) => one.name === name);
  if (!found) throw new Error(`no group ${name}`);
  return found;
}

/** Waits until the status says this of a group. */
const says = (name: string, wanted: Partial<GroupStatus>): Promise<GroupStatus> =>
  until(`${name} to be ${JSON.stringify(wanted)}`, async () => {
    const status = await group(name);
    return Object.entries(wanted).every(([key, value]) => status[key as keyof GroupStatus] === value)
      ? status
      : undefined;
  });

/** A customer whom Anna of support has answered. */
async function answered() {
  const from = await centre.asterisk.verbose.mark();
  const customer = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await anna.established();
  await waitJoined(centre, anna, from);
  await says('support', { talking: 1 });
  return customer;
}

await t.test('a customer whom support sends on waits in sales, and gives up', async (t) => {
  const customer = await answered();
  const before = (await readStatus(centre.db, 'astercc')).at;
  // A # at the end counts as nothing.
  await anna.transfer('6001#');
  await anna.closed();
  const sales = await says('sales', { waiting: 1, talking: 0 });
  t.ok((sales.waitingSince ?? 0) > before, 'since it joined sales, not since it called');
  await says('support', { talking: 0, waiting: 0, answered: 1, abandoned: 0 });
  await waitState(centre, '1001', 'idle');
  await customer.hangup();
  await says('sales', { waiting: 0, answered: 0, abandoned: 1 });
  t.match(await group('support'), { answered: 1, abandoned: 0, serviceLevel: 100 });
});

await t.test('or is answered there, by the second agent with a wait of its own', async (t) => {
  const customer = await answered();
  await anna.transfer('6001');
  await anna.closed();
  await says('sales', { waiting: 1 });
  await dialAndHear(centre, bert, '*641002', 'agent-loginok');
  await bert.incoming();
  await bert.answer();
  await bert.established();
  await says('sales', { talking: 1, waiting: 0, answered: 1 });
  await says('support', { talking: 0, answered: 2 });
  const { rows } = await centre.db.raw<{ rows: object[] }>(
    `select g.name as group, a.number as agent, v.outcome from queue_visits v
     join agent_groups g on g.id = v.group_id left join agents a on a.id = v.agent_id
     where v.call_id = (select max(id) from calls) order by v.id`,
  );
  t.same(rows, [
    { group: 'support', agent: '1001', outcome: 'answered' },
    { group: 'sales', agent: '1002', outcome: 'answered' },
  ]);
  await customer.hangup();
  await bert.closed();
  await says('sales', { talking: 0, answered: 1, abandoned: 1, serviceLevel: 50 });
});

await t.test('a customer who is sent on to an extension is in no group', async (t) => {
  const customer = await answered();
  await anna.transfer('5004');
  await anna.closed();
  await extension.established();
  await says('support', { talking: 0, waiting: 0, answered: 3 });
  t.equal((await centre.db('calls').whereNull('ended_at')).length, 1, 'the call goes on');
  await customer.hangup();
  await until('the end of the call', async () =>
    (await centre.db('calls').whereNull('ended_at')).length === 0 ? true : undefined,
  );
});

await t.test('each ring attempt has its result', async (t) => {
  const before = (await centre.db('offers').max<{ max: number | null }[]>('id'))[0]?.max ?? 0;
  let rung = 0;
  /** The next offer, from the first of this test on: a newer one may be there already. */
  const next = async (result: string): Promise<void> => {
    const at = rung++;
    await until(`offer ${at} to be ${result}`, async () => {
      const offer = await centre
        .db('offers')
        .where('id', '>', before)
        .orderBy('id')
        .offset(at)
        .first<{ result: string; ended_at: Date | null } | undefined>();
      return offer?.ended_at && offer.result === result ? true : undefined;
    }).catch(async (error: unknown) => {
      t.comment(await centre.db('offers').orderBy('id'));
      throw error;
    });
  };
  const customer = await callIn(centre);
  await anna.incoming();
  await next('missed');
  await anna.incoming();
  await anna.hangup();
  await next('rejected');
  await anna.incoming();
  await customer.hangup();
  await next('cancelled');
  await says('support', { waiting: 0 });
  // A phone that is gone without a word: nothing rings.
  await anna.kill();
  const patient = await callIn(centre);
  await next('refused');
  await patient.hangup();
  await says('support', { waiting: 0 });
  await until('no offer to be open', async () =>
    (await centre.db('offers').whereNull('ended_at')).length === 0 ? true : undefined,
  );
});

await t.test('attended: the customer gets the place in the queue that the agent has asked for', async (t) => {
  await centre.star64('agent', 'sign-out', '1001');
  const { secret } = await showExtensionSecret(centre.db, 'astercc', '5003');
  const carl = await ConsultingPhone.start('astercc-5003', secret ?? '', centre.asterisk.sip);
  t.teardown(() => carl.stop());
  await carl.call('*641003');
  await waitState(centre, '1003', 'idle');
  await until('the call of the sign-in to be over', () => (carl.calls.length === 0 ? true : undefined));
  const [support, sales] = [await group('support'), await group('sales')];

  // Nobody in sales is free: the agent waits there in a call of their own, and leaves the place to the customer.
  await dialAndHear(centre, bert, '*660', 'do-not-disturb');
  const customer = await callIn(centre);
  const call = await carl.called();
  await says('support', { talking: 1 });
  const asked = await carl.call('6001');
  const { waitingSince } = await says('sales', { waiting: 1 });
  await carl.join(call, asked);
  await says('support', { talking: 0, waiting: 0, answered: support.answered + 1 });
  t.match(await group('sales'), {
    waiting: 1,
    waitingSince,
    answered: sales.answered,
    abandoned: sales.abandoned,
  });
  await dialAndHear(centre, bert, '*67', 'activated');
  await bert.incoming();
  await bert.answer();
  await says('sales', { waiting: 0, talking: 1, answered: sales.answered + 1 });
  await bert.established();
  await customer.hangup();
  await bert.closed();
  await says('sales', { talking: 0, answered: sales.answered + 1, abandoned: sales.abandoned });
});

await t.test(
  'attended, into the same queue, when the colleague has answered: two visits of one call',
  async (t) => {
    const { secret } = await showExtensionSecret(centre.db, 'astercc', '5003');
    const carl = await ConsultingPhone.start('astercc-5003', secret ?? '', centre.asterisk.sip);
    t.teardown(() => carl.stop());
    await centre.star64('agent', 'sign-out', '1004');
    const before = await group('support');
    const customer = await callIn(centre);
    const call = await carl.called();
    await says('support', { talking: 1 });
    await centre.star64('agent', 'sign-in', '1001', '--extension', '5004');
    await waitMembers(centre, 'astercc-support', ['1001', '1003']);
    const asked = await carl.call('6000');
    await extension.established();
    await says('support', { talking: 2, answered: before.answered + 2 });
    await carl.join(call, asked);
    await says('support', { talking: 1, waiting: 0, answered: before.answered + 2 });
    await waitState(centre, '1003', 'idle');
    await waitState(centre, '1001', 'talking');
    const { rows } = await centre.db.raw<{ rows: object[] }>(
      `select g.name as group, a.number as agent, v.outcome, c.ended_at is null as open from queue_visits v
     join calls c on c.id = v.call_id join agent_groups g on g.id = v.group_id left join agents a on a.id = v.agent_id
     where c.caller = '4930555' and c.ended_at is null order by v.id`,
    );
    t.same(rows, [
      { group: 'support', agent: '1003', outcome: 'answered', open: true },
      { group: 'support', agent: '1001', outcome: 'answered', open: true },
    ]);
    await customer.hangup();
    await extension.closed();
    await says('support', { talking: 0, answered: before.answered + 2, abandoned: before.abandoned });
    await until('the end of both calls', async () =>
      (await centre.db('calls').whereNull('ended_at')).length === 0 ? true : undefined,
    );
  },
);
