import t, { type Test } from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { addPauseReason } from '../../../domain/provisioning/people/pause-reason.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { centreOf, dialled, gaps, stateOf, waitMembers, waitState } from '../../support/centre.js';

/** The columns of the table, each with an agent, a phone, two groups and a DID of its own: they run side by side. */
const states = ['signed-out', 'idle', 'ringing', 'talking', 'wrap-up', 'paused'] as const;
type State = (typeof states)[number];

const columns = states.map((state, index) => ({
  state,
  agent: `100${index}`,
  extension: `500${index}`,
  /** Leaves the work mode to its agents. */
  choice: `choice_${index}`,
  other: `other_${index}`,
  otherNumber: `611${index}`,
  did: `60010${index}`,
}));
type Column = (typeof columns)[number];

const centre = await centreOf(
  t,
  {
    team: 'astercc',
    users: [{ username: 'anna' }],
    extensions: columns.map(({ extension }) => ({ number: extension, user: 'anna' })),
    groups: columns.flatMap(({ choice, other, otherNumber }, index) => [
      { name: choice, number: `610${index}`, wrapUpSeconds: 0, ringSeconds: 60 },
      { name: other, number: otherNumber, wrapUpSeconds: 0 },
    ]),
    agents: columns.map(({ agent, choice, other }) => ({
      number: agent,
      user: 'anna',
      groups: [choice, other],
    })),
    dids: columns.map(({ did, choice }) => ({ number: did, to: `group:${choice}` })),
  },
  {
    provision: async (db) => {
      await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
      for (const { choice } of columns) await setGroup(db, 'astercc', choice, { workMode: 'choice' });
    },
  },
);
const { asterisk, db } = centre;

interface Row {
  code: string;
  dial: (column: Column) => string;
  /** The state afterwards, where it is not the one before. */
  becomes: Partial<Record<State, State>>;
  /** What is heard; where a state is not named, that under `else`. */
  heard: Partial<Record<State, string[]>> & { else: string[] };
  /** What else is true afterwards. */
  then?: (test: Test, column: Column) => Promise<void>;
  /** The queue of the group with a choice does not have him any more. */
  leavesChoice?: true;
}

const signedOut = ['beeperr', 'vm-no', 'spy-agent'];
const busy = ['beeperr', 'extension', 'is-in-use'];
const digits = (number: string): string[] => Array.from(number, (digit) => `digits/${digit}`);

const rows: Row[] = [
  {
    code: '*64',
    dial: ({ agent }) => `*64${agent}`,
    becomes: { 'signed-out': 'idle' },
    heard: { else: ['agent-loginok'] },
  },
  {
    code: '*65',
    dial: () => '*65',
    becomes: Object.fromEntries(states.map((state) => [state, 'signed-out'])),
    heard: { 'signed-out': signedOut, else: ['agent-loggedoff'] },
  },
  {
    code: '*66',
    dial: () => '*661',
    becomes: { idle: 'paused', 'wrap-up': 'paused' },
    heard: { 'signed-out': signedOut, ringing: busy, talking: busy, else: ['do-not-disturb', 'digits/1'] },
    then: async (test, { agent, state }) => {
      if (!['idle', 'wrap-up', 'paused'].includes(state)) return;
      const open = await db('agent_states as s')
        .join('agents as a', 'a.id', 's.agent_id')
        .where({ 'a.number': agent })
        .whereNull('s.ended_at')
        .first<{ reason: string } | undefined>('s.reason');
      test.equal(open?.reason, 'Lunch', `${agent} pauses for lunch`);
    },
  },
  {
    code: '*67',
    dial: () => '*67',
    becomes: { 'wrap-up': 'idle', paused: 'idle' },
    heard: { 'signed-out': signedOut, ringing: busy, talking: busy, else: ['activated'] },
  },
  {
    code: '*62',
    dial: () => '*623',
    becomes: {},
    heard: { 'signed-out': signedOut, else: ['call-waiting', 'disabled'] },
    leavesChoice: true,
  },
  {
    code: '*63',
    dial: ({ otherNumber }) => `*63${otherNumber}`,
    becomes: {},
    heard: { 'signed-out': signedOut, else: ['is-set-to'] },
    then: async (test, { agent, other, state }) => {
      if (state === 'signed-out') return;
      const current = await db('sign_ins as i')
        .join('agents as a', 'a.id', 'i.agent_id')
        .join('agent_groups as g', 'g.id', 'i.current_group_id')
        .where({ 'a.number': agent })
        .whereNull('i.signed_out_at')
        .first<{ name: string } | undefined>('g.name');
      test.equal(current?.name, other, `${agent} works for ${other} now`);
    },
  },
  {
    code: '*60',
    dial: () => '*60',
    becomes: {},
    heard: {
      'signed-out': signedOut,
      idle: ['activated'],
      'wrap-up': ['vm-Work'],
      paused: ['dictate/paused'],
      else: ['calling'],
    },
  },
];

for (const row of rows) {
  await t.test(
    `${row.code} in every state: what is heard, what becomes of the agent, and in which queues`,
    async (t) => {
      await Promise.all(columns.map((column) => cell(t, row, column)));
    },
  );
}

await t.test('no interval of any agent has a gap', async (t) => {
  t.same(await gaps(centre), []);
});

async function cell(test: Test, row: Row, column: Column): Promise<void> {
  const { agent, extension, state } = column;
  const what = `${row.code} in ${state}`;
  const phone = await centre.phone(extension);
  const leave = await enter(column, phone);
  const heard = await dialled(centre, phone, row.dial(column));
  const wanted = row.heard[state] ?? row.heard.else;
  // What is read out after it, duration and number of callers, is not the same in every run.
  const readOut = row.code === '*60' && state !== 'signed-out' ? wanted.length : heard.length;
  const number = row.code === '*63' && state !== 'signed-out' ? digits(column.otherNumber) : [];
  test.same(heard.slice(0, readOut), [...wanted, ...number], `${what}: heard`);
  const after = row.becomes[state] ?? state;
  test.equal(await stateOf(centre, agent), after, `${what}: state afterwards`);
  await row.then?.(test, column);
  await waitMembers(
    centre,
    `astercc-${column.choice}`,
    row.leavesChoice ? [] : members(agent, after, row.code),
  );
  await waitMembers(centre, `astercc-${column.other}`, members(agent, after, row.code));
  await leave();
  await dialled(centre, phone, '*65');
  await waitState(centre, agent, 'signed-out');
}

/** The agent as a member of a queue, in a state. */
function members(agent: string, state: State, code: string): (string | RegExp)[] {
  if (state === 'signed-out') return [];
  if (state === 'wrap-up') return [`${agent} paused:wrapup`];
  // In a state that the test made, he pauses without a reason.
  if (state === 'paused') return [`${agent} paused:pause:${code === '*66' ? '1' : '0'}`];
  return [agent];
}

/** Brings the agent, signed out, into the state of his column, by phone; returns what ends the call, if there is one. */
async function enter({ agent, did, state }: Column, phone: Phone): Promise<() => Promise<void>> {
  const nothing = (): Promise<void> => Promise.resolve();
  if (state === 'signed-out') return nothing;
  await dialled(centre, phone, `*64${agent}`);
  if (state === 'idle') return nothing;
  if (state === 'paused') {
    await dialled(centre, phone, '*660');
    return nothing;
  }
  const customer = await Caller.call({ from: '4930123', to: did, server: asterisk.sip });
  const { id } = await phone.incoming();
  await waitState(centre, agent, 'ringing');
  const hangUp = async (): Promise<void> => {
    await customer.hangup();
    // Of this call: a code may have been dialled beside it.
    await until(`the end of the customer's call at ${phone.user}`, () =>
      phone.events.find((event) => event.type === 'CALL_CLOSED' && event.id === id),
    );
  };
  if (state === 'ringing') return hangUp;
  await phone.answer();
  await waitState(centre, agent, 'talking');
  if (state === 'talking') return hangUp;
  await hangUp();
  await waitState(centre, agent, 'wrap-up');
  return nothing;
}
