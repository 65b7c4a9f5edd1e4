import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { pauseAgent, signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { until } from '../../../domain/machine/processes.js';
import type { Caller } from '../../../lab/caller.js';
import { crowd } from '../../../lab/provision.js';
import { callIn, waitWaiting } from '../../support/calls.js';
import { centreOf, dialAndHear, waitMembers, waitState } from '../../support/centre.js';

/** Callers whom nobody can answer: they are told, and those whom somebody will answer go on waiting. */
/** A group with an agent and a phone of its own, and a DID. */
const names = ['empty', 'paused', 'gone', 'short', 'resting', 'anew', 'start'] as const;
type Name = (typeof names)[number];
const index = (name: Name): number => names.indexOf(name) + 1;
const agentOf = (name: Name): string => `100${index(name)}`;
const phoneOf = (name: Name): string => `500${index(name)}`;
const queueOf = (name: Name): string => `astercc-${name}`;

const centre = await centreOf(
  t,
  {
    ...crowd(names.length),
    groups: names.map((name) => ({
      name,
      wrapUpSeconds: 0,
      ...(name === 'short' && { maxWaitSeconds: 10 }),
    })),
    agents: names.map((name) => ({ number: agentOf(name), user: 'crowd', groups: [name] })),
    dids: names.map((name) => ({ number: `60010${index(name)}`, to: `group:${name}` })),
  },
  { asterisk: { persistentMembers: false } },
);
const { asterisk, db } = centre;
const call = (name: Name): Promise<Caller> => callIn(centre, `60010${index(name)}`);
const signIn = async (name: Name): Promise<void> => {
  await signInAgent(db, 'astercc', agentOf(name), { extension: phoneOf(name), by: 'test' });
  await waitMembers(centre, queueOf(name), [agentOf(name)]);
};
const outcomes = async (name: Name): Promise<(string | null)[]> =>
  db('queue_visits as v')
    .join('agent_groups as g', 'g.id', 'v.group_id')
    .where({ 'g.name': name })
    .orderBy('v.id')
    .pluck('v.outcome');
/** Waits until the visits of a group are on record so. */
async function waitOutcomes(name: Name, ...wanted: (string | null)[]): Promise<void> {
  await until(`the outcomes ${wanted.join(', ')} in ${name}`, async () =>
    isDeepStrictEqual(await outcomes(name), wanted) ? true : undefined,
  );
}

// Those that take their time go side by side. The first of them waits for an agent who is in wrap-up.
const tired = await centre.phone(phoneOf('resting'));
await dialAndHear(centre, tired, `*64${agentOf('resting')}`, 'agent-loginok');
const before = await call('resting');
await tired.incoming();
await tired.answer();
await waitState(centre, agentOf('resting'), 'talking');
await before.hangup();
await tired.closed();
await waitState(centre, agentOf('resting'), 'wrap-up');
const patient = await call('resting');
await waitWaiting(centre, queueOf('resting'), 1);
for (const name of ['paused', 'gone', 'short'] as const) await signIn(name);
for (const name of ['paused', 'short'] as const) {
  await pauseAgent(db, 'astercc', agentOf(name), '0');
  await waitMembers(centre, queueOf(name), [`${agentOf(name)} paused:pause:0`]);
}
const waiting = { paused: await call('paused'), gone: await call('gone'), short: await call('short') };
await waitWaiting(centre, queueOf('paused'), 1);
const late = await call('paused');
await waitWaiting(centre, queueOf('paused'), 2);

await t.test('nobody is signed in, also no longer: the caller is told at once', async () => {
  const mark = await asterisk.verbose.mark();
  const first = await call('empty');
  await asterisk.waitPlayed('lab-trunk', 'vm-nobodyavail', mark);
  await first.ended();
  await waitOutcomes('empty', 'nobody');
  const phone = await centre.phone(phoneOf('empty'));
  await dialAndHear(centre, phone, `*64${agentOf('empty')}`, 'agent-loginok');
  await dialAndHear(centre, phone, '*660', 'do-not-disturb');
  const second = await call('empty');
  await waitWaiting(centre, queueOf('empty'), 1);
  await dialAndHear(centre, phone, '*65', 'agent-loggedoff');
  await second.ended();
  await waitOutcomes('empty', 'nobody', 'nobody');
});

await t.test('a phone that registers anew throws nobody out', async () => {
  const phone = await centre.phone(phoneOf('anew'));
  await dialAndHear(centre, phone, `*64${agentOf('anew')}`, 'agent-loginok');
  await phone.unregister();
  const caller = await call('anew');
  await waitWaiting(centre, queueOf('anew'), 1);
  await phone.register();
  await phone.incoming();
  await phone.answer();
  await waitState(centre, agentOf('anew'), 'talking');
  await waitOutcomes('anew', 'answered');
  await caller.hangup();
  await phone.closed();
});

await t.test('all paused, all unreachable, the longest wait: told in time; not so in wrap-up', async (t) => {
  await waiting.short.ended();
  await waitOutcomes('short', 'timeout');
  await waiting.paused.ended(60_000);
  // Also who came later.
  await late.ended(60_000);
  await waitOutcomes('paused', 'nobody', 'nobody');
  await waiting.gone.ended(60_000);
  await waitOutcomes('gone', 'nobody');
  // Who began to wait before them does so still.
  t.same(await outcomes('resting'), ['answered', null]);
  await waitWaiting(centre, queueOf('resting'), 1);
  await dialAndHear(centre, tired, '*67', 'activated');
  await tired.incoming();
  await patient.hangup();
  await tired.closed();
});

await t.test("the first seconds after Asterisk's start throw nobody out", async (t) => {
  const phone = await centre.phone(phoneOf('start'));
  await dialAndHear(centre, phone, `*64${agentOf('start')}`, 'agent-loginok');
  await centre.server.stop();
  await asterisk.restart();
  const mark = await asterisk.verbose.mark();
  const caller = await call('start');
  await until('a caller in an empty queue', async () =>
    (await asterisk.verbose.lines()).slice(mark).find((line) => line.includes('@star64-left:')),
  );
  await centre.server.start();
  await phone.incoming();
  await phone.answer();
  await waitState(centre, agentOf('start'), 'talking');
  t.notOk((await asterisk.verbose.lines()).slice(mark).some((line) => line.includes('vm-nobodyavail')));
  await waitOutcomes('start', 'answered');
  await caller.hangup();
  await phone.closed();
});
