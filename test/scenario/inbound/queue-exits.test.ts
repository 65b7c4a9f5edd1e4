import t from 'tap';
import { pauseAgent, signInAgent, signOutAgent } from '../../../domain/provisioning/people/admin-action.js';
import { announcements } from '../../../domain/provisioning/features/announcement.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { until } from '../../../domain/machine/processes.js';
import type { Caller } from '../../../lab/caller.js';
import { crowd, provision } from '../../../lab/provision.js';
import { callIn, Conversation, waitWaiting } from '../../support/calls.js';
import { centreFor, needLab, waitMembers, waitState } from '../../support/centre.js';

/** Where callers go whom a queue lets go, or who leave it by a key, with a server and without one. */
await needLab(t);

const names = ['keyed', 'full', 'short', 'bare', 'paused'] as const;
type Name = (typeof names)[number];
const index = (name: Name): number => names.indexOf(name) + 1;
const agentOf = (name: Name): string => `100${index(name)}`;
const phoneOf = (name: Name): string => `500${index(name)}`;
const queueOf = (name: Name): string => `astercc-${name}`;
/** The sound of the announcement that each slot leads to, by which it is known where the caller has come to. */
const sounds = { key: 'vm-goodbye', full: 'vm-advopts', timeout: 'vm-intro', empty: 'vm-login' };

const centre = await centreFor(t, {
  provision: async (db) => {
    const all = crowd(names.length);
    await provision(db, {
      ...all,
      groups: names.map((name) => ({ name, wrapUp: 'off', missedLimit: 0 })),
      agents: names.map((name) => ({ number: agentOf(name), user: 'crowd', groups: [name] })),
      dids: names.map((name) => ({ number: `60010${index(name)}`, to: `group:${name}` })),
    });
    for (const [name, sound] of Object.entries(sounds))
      await announcements.add(db, 'astercc', `to_${name}`, { sound });
    for (const name of ['full', 'short', 'bare', 'paused'])
      await setGroup(db, 'astercc', name, {
        full: 'announcement:to_full',
        timeout: 'announcement:to_timeout',
        empty: 'announcement:to_empty',
      });
    await setGroup(db, 'astercc', 'full', { maxCallers: 1 });
    await setGroup(db, 'astercc', 'short', { maxWaitSeconds: 10 });
    await setGroup(db, 'astercc', 'keyed', { key1: 'announcement:to_key' });
  },
});
const { asterisk, db } = centre;
const call = (name: Name): Promise<Caller> => callIn(centre, `60010${index(name)}`);
const signIn = async (name: Name): Promise<void> => {
  await centre.phone(phoneOf(name));
  await signInAgent(db, 'astercc', agentOf(name), { extension: phoneOf(name), by: 'test' });
  await waitMembers(centre, queueOf(name), [agentOf(name)]);
};
const pause = async (name: Name): Promise<void> => {
  await pauseAgent(db, 'astercc', agentOf(name), '0');
  await waitMembers(centre, queueOf(name), [`${agentOf(name)} paused:pause:0`]);
};
const outcomes = async (name: Name): Promise<(string | null)[]> =>
  db('queue_visits as v')
    .join('agent_groups as g', 'g.id', 'v.group_id')
    .where({ 'g.name': name })
    .orderBy('v.id')
    .pluck('v.outcome');
const waitOutcomes = (name: Name, wanted: readonly (string | null)[]): Promise<unknown> =>
  until(`the outcomes ${wanted.join(', ')} in ${name}`, async () =>
    JSON.stringify(await outcomes(name)) === JSON.stringify(wanted) ? true : undefined,
  );
/** Waits until an announcement is played, and the caller is let go behind it. */
async function ends(caller: Caller, sound: string, mark: number, deadlineMs = 60_000): Promise<void> {
  await asterisk.waitPlayed('lab-trunk', sound, mark, deadlineMs);
  await caller.ended();
}

for (const name of ['keyed', 'full', 'short', 'paused'] as const) await signIn(name);
for (const name of ['full', 'short', 'paused'] as const) await pause(name);
// Those that take their time go beside the others.
const early = await asterisk.verbose.mark();
const patient = await call('paused');

await t.test(
  'a key leaves the queue while an agent is busy, paused, and while their phone rings',
  async (t) => {
    const phone = await centre.phone(phoneOf('keyed'));
    const busy = await Conversation.answer(centre, phone, await call('keyed'));
    const mark = await asterisk.verbose.mark();
    const caller = await call('keyed');
    await waitWaiting(centre, queueOf('keyed'), 1);
    // A key that leads nowhere does nothing, and a reload neither.
    await caller.phone.digits('5');
    await asterisk.verbose.waitFor(/DTMF end '5' received/, mark);
    await asterisk.reload();
    await waitWaiting(centre, queueOf('keyed'), 1);
    await caller.phone.digits('1');
    await ends(caller, sounds.key, mark);
    t.same(await busy.harm(), []);
    await busy.drop();
    const second = await asterisk.verbose.mark();
    const ringing = await call('keyed');
    await phone.incoming();
    await ringing.phone.digits('1');
    await phone.closed();
    await ends(ringing, sounds.key, second);
    await waitState(centre, agentOf('keyed'), 'idle');
    await pause('keyed');
    const third = await asterisk.verbose.mark();
    const waiting = await call('keyed');
    await waitWaiting(centre, queueOf('keyed'), 1);
    await waiting.phone.digits('1');
    await ends(waiting, sounds.key, third);
    await waitOutcomes('keyed', ['answered', 'key', 'key', 'key']);
  },
);

await t.test(
  'nobody signed in, the last one leaving, a full queue, the longest wait, all paused',
  async (t) => {
    let mark = await asterisk.verbose.mark();
    await ends(await call('bare'), sounds.empty, mark);
    await signIn('bare');
    await pause('bare');
    mark = await asterisk.verbose.mark();
    const last = await call('bare');
    await waitWaiting(centre, queueOf('bare'), 1);
    await signOutAgent(db, 'astercc', agentOf('bare'), 'test');
    await ends(last, sounds.empty, mark);
    await waitOutcomes('bare', ['nobody', 'nobody']);

    mark = await asterisk.verbose.mark();
    const first = await call('full');
    await waitWaiting(centre, queueOf('full'), 1);
    await ends(await call('full'), sounds.full, mark);
    await waitWaiting(centre, queueOf('full'), 1);
    await first.hangup();
    await waitOutcomes('full', ['abandoned', 'full']);

    mark = await asterisk.verbose.mark();
    await ends(await call('short'), sounds.timeout, mark);
    await waitOutcomes('short', ['timeout']);

    await ends(patient, sounds.empty, early);
    await waitOutcomes('paused', ['nobody']);
    t.notOk((await asterisk.played('lab-trunk')).includes('vm-nobodyavail'), 'everybody went somewhere');
  },
);

await t.test('the same with no server', async (t) => {
  await centre.server.stop();
  const before = await asterisk.verbose.mark();
  // Nobody says whether somebody is signed in: 30 s are waited for them.
  const slow = await call('bare');
  const short = await call('short');
  const mark = await asterisk.verbose.mark();
  const first = await call('full');
  await waitWaiting(centre, queueOf('full'), 1);
  await ends(await call('full'), sounds.full, mark);
  await first.hangup();
  const keyed = await call('keyed');
  await waitWaiting(centre, queueOf('keyed'), 1);
  await keyed.phone.digits('1');
  await ends(keyed, sounds.key, mark);
  await ends(short, sounds.timeout, before);
  await ends(slow, sounds.empty, before);
  t.pass('each has come where the group says');
});
