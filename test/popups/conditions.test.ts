import { pino } from 'pino';
import t from 'tap';
import { CallOutRecords } from '../../domain/calls/outbound/calls-out-records.js';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { CallRecords } from '../../domain/calls/records/records.js';
import { PopupRecords, type PopupDue, type PopupKind } from '../../domain/popups/records.js';
import { signInFixedAgents } from '../../domain/presence/fixed-agents.js';
import { setAgentGroup } from '../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { setExtension } from '../../domain/provisioning/numbers/extension.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter } from '../support/doors/event-feed.js';
import { callerOf, defaultNode } from '../support/records.js';

/**
 * When there is a popup, and of which application (spec 29-40): agents 1001 and 1002 are signed in at 5001 and 5002, the
 * fixed agent 1009 is at 5004, nobody is at 5003. Only 5002 is not in agent mode.
 */
const { db } = await freshDatabase(t);
const groups = [
  {
    name: 'support',
    number: '6000',
    application: 'campaign',
    link: 'https://crm.example.org/{direction}?n={number}',
  },
  { name: 'sales', number: '6001' },
] as const;
await provision(db, crowd(4, { groups: [...groups] }));
await provision(db, crowd(1, { team: 'other', groups: [{ name: 'support' }], did: '600200' }));
for (const extension of ['5001', '5003', '5004'])
  await setExtension(db, 'astercc', extension, { agentMode: true });
await addAgent(db, 'astercc', {
  number: '1009',
  user: 'crowd',
  groups: ['support'],
  kind: 'fixed',
  extension: '5004',
});
await signInFixedAgents(db);
const signIns = new Map([
  ['5001', await enter(db, 1)],
  ['5002', await enter(db, 2)],
]);
const records = new PopupRecords(db, defaultNode);
const calls = new CallRecords(db, defaultNode);
const callsOut = new CallOutRecords(db, defaultNode);

const vip = { name: 'vip', application: 'third_party', link: 'https://vip.example.org/{caller}' };

/** How a call came about. */
interface Case {
  kind: PopupKind;
  extension: string;
  /** The current group of agent 1001. */
  current?: 'support' | 'sales';
  /** In whose queue it stands. */
  queue?: 'support' | 'sales';
  /** The binding that held when it arrived; null: none did; undefined: no call that a server has decided about. */
  binding?: typeof vip | null;
  /** Whether its arrival is still to be recorded. */
  arrives?: boolean;
  final?: boolean;
  number?: string;
  class?: string;
  /** Its application, or that there is none; undefined: that is not known yet. */
  opens: string | null | undefined;
}

const cases: Record<string, Case> = {
  'outbound: agent mode, signed in, the current group has an application': {
    kind: 'outbound',
    extension: '5001',
    opens: 'campaign',
  },
  'outbound: a fixed agent is signed in by nature': {
    kind: 'outbound',
    extension: '5004',
    opens: 'campaign',
  },
  'outbound: without agent mode': { kind: 'outbound', extension: '5002', opens: null },
  'outbound: nobody is signed in': { kind: 'outbound', extension: '5003', opens: null },
  'outbound: another group of the agent has one': {
    kind: 'outbound',
    extension: '5001',
    current: 'sales',
    opens: null,
  },
  'outbound: an emergency call': { kind: 'outbound', extension: '5001', class: 'emergency', opens: null },
  'outbound: the number is not known yet': {
    kind: 'outbound',
    extension: '5001',
    number: '',
    opens: undefined,
  },
  'outbound: the number never is': {
    kind: 'outbound',
    extension: '5001',
    number: '',
    final: true,
    opens: null,
  },
  'direct: agent mode, a binding holds': {
    kind: 'direct',
    extension: '5001',
    binding: vip,
    opens: 'third_party',
  },
  'direct: nobody need be signed in': {
    kind: 'direct',
    extension: '5003',
    binding: vip,
    opens: 'third_party',
  },
  'direct: without agent mode': { kind: 'direct', extension: '5002', binding: vip, opens: null },
  'direct: no binding holds, whatever the group has': {
    kind: 'direct',
    extension: '5001',
    binding: null,
    opens: null,
  },
  'direct: its arrival is not recorded yet': {
    kind: 'direct',
    extension: '5001',
    arrives: true,
    opens: undefined,
  },
  'direct: its arrival never is': {
    kind: 'direct',
    extension: '5001',
    arrives: true,
    final: true,
    opens: null,
  },
  'queue: a binding holds, before the application of the group': {
    kind: 'queue',
    extension: '5001',
    queue: 'support',
    binding: vip,
    opens: 'third_party',
  },
  'queue: a binding holds, and the group has none': {
    kind: 'queue',
    extension: '5001',
    queue: 'sales',
    binding: vip,
    opens: 'third_party',
  },
  'queue: no binding holds, the group of the queue has one': {
    kind: 'queue',
    extension: '5001',
    queue: 'support',
    binding: null,
    opens: 'campaign',
  },
  'queue: the group of the queue counts, not the current one': {
    kind: 'queue',
    extension: '5001',
    current: 'sales',
    queue: 'support',
    binding: null,
    opens: 'campaign',
  },
  'queue: neither has one': { kind: 'queue', extension: '5001', queue: 'sales', binding: null, opens: null },
  'queue: agent mode is not needed': {
    kind: 'queue',
    extension: '5002',
    queue: 'support',
    binding: vip,
    opens: 'third_party',
  },
  'queue: a call between phones of the team': {
    kind: 'queue',
    extension: '5001',
    queue: 'support',
    opens: 'campaign',
  },
  'queue: a binding may still be found': {
    kind: 'queue',
    extension: '5001',
    queue: 'support',
    arrives: true,
    opens: undefined,
  },
  'queue: nobody has said by which number it came': {
    kind: 'queue',
    extension: '5001',
    queue: 'support',
    arrives: true,
    final: true,
    opens: 'campaign',
  },
};

let number = 0;
async function dueOf({
  kind,
  extension,
  queue,
  binding,
  arrives = false,
  final = false,
  ...more
}: Case): Promise<PopupDue> {
  const [call, channel] = [`call.${++number}`, `phone.${number}`];
  const caller = callerOf(`astercc-${queue ?? ''}`, call);
  if (queue) {
    await calls.joined(caller, { number: '+49301' });
    await calls.offered(caller, channel, signIns.get(extension) ?? 0);
  }
  if (binding !== undefined) {
    const journal = new CallJournal(db, defaultNode, pino({ enabled: false }));
    journal.add({
      uniqueid: call,
      team: 'astercc',
      did: '600100',
      caller: '+49301',
      destination: null,
      binding,
    });
    await journal.flush();
  }
  if (kind === 'outbound')
    await callsOut.begun([
      {
        uniqueid: call,
        team: 'astercc',
        dialled: '0302',
        number: (more.number ?? '+49302') || null,
        class: more.class ?? 'national',
        refused: null,
        extension,
        decided: false,
        secondsAgo: 0,
      },
    ]);
  return { channel, call, kind, team: 'astercc', extension, caller: null, arrives, final, secondsAgo: 0 };
}

for (const [name, one] of Object.entries(cases))
  await t.test(name, async (t) => {
    await setAgentGroup(db, 'astercc', '1001', one.current ?? 'support');
    const due = await dueOf(one);
    const decided = (await records.due([due])).get(due.channel);
    t.equal(decided, one.opens === undefined ? undefined : one.opens !== null);
    const rows = await db('popups').where({ channel: due.channel }).select<Record<string, unknown>[]>();
    t.match(
      rows,
      typeof one.opens === 'string'
        ? [
            {
              kind: one.kind,
              application: one.opens,
              binding: one.kind !== 'outbound' && one.binding ? 'vip' : null,
            },
          ]
        : [],
    );
    t.equal(rows.length, typeof one.opens === 'string' ? 1 : 0);
  });

await t.test('a phone of another team, or of none, has no popup of this one', async (t) => {
  const due = await dueOf({ kind: 'direct', extension: '5001', binding: vip, opens: null });
  t.same(await records.due([{ ...due, team: 'other' }]), new Map(), 'its own team has no such call');
  t.same(await records.due([{ ...due, team: 'other', final: true }]), new Map([[due.channel, false]]));
  t.same(await records.due([{ ...due, team: 'nobody', final: true }]), new Map());
});

await t.test(
  'told twice, and by two servers, it is one popup with three events; the first word stays',
  async (t) => {
    const due = await dueOf({
      kind: 'queue',
      extension: '5001',
      queue: 'support',
      binding: vip,
      opens: 'third_party',
    });
    const other = new PopupRecords(db, defaultNode);
    const decided = await Promise.all([records.due([due]), other.due([due]), records.due([due])]);
    t.same(decided.map((one) => one.get(due.channel)).filter((open) => open !== true).length, 0);
    const told = { channel: due.channel, answeredAgo: 0, closedAgo: null, outcome: null };
    await Promise.all([records.told([told]), other.told([told])]);
    const over = { ...told, closedAgo: 0, outcome: 'missed' } as const;
    await Promise.all([records.told([over]), other.told([over])]);
    const [popup, ...more] = await db('popups')
      .where({ channel: due.channel })
      .select<{ id: number; outcome: string }[]>();
    t.same(more, []);
    t.equal(popup?.outcome, 'answered', 'an answered one is not missed');
    const events = await db('events')
      .where({ subject: `popup-${popup?.id ?? 0}` })
      .orderBy('id')
      .select<{ type: string; data: object }[]>();
    t.same(
      events.map(({ type }) => type),
      ['popup.opened', 'popup.answered', 'popup.closed'],
    );
    t.match(events[0]?.data, {
      team: 'astercc',
      kind: 'queue',
      application: 'third_party',
      binding: 'vip',
      agent: '1001',
      extension: '5001',
      user: 'crowd',
      group: 'support',
      call: due.call,
      caller: '+49301',
      number: '600100',
      link: 'https://vip.example.org/%2B49301',
      answered: null,
      closed: null,
    });
    t.match(events[2]?.data, { outcome: 'answered', answered: String, closed: String });
  },
);

await t.test('{number} is the other side in both directions', async (t) => {
  const links = async (one: Case): Promise<string[]> => {
    const due = await dueOf(one);
    await records.due([due]);
    return db('popups').where({ channel: due.channel }).pluck<string[]>('link');
  };
  await setAgentGroup(db, 'astercc', '1001', 'support');
  t.same(await links({ kind: 'outbound', extension: '5001', opens: 'campaign' }), [
    'https://crm.example.org/outbound?n=%2B49302',
  ]);
  t.same(
    await links({ kind: 'queue', extension: '5001', queue: 'support', binding: null, opens: 'campaign' }),
    ['https://crm.example.org/inbound?n=%2B49301'],
  );
});
