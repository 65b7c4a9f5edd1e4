import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { crowd } from '../../../lab/provision.js';
import { until } from '../../../domain/machine/processes.js';
import {
  centreOf,
  dialAndHear,
  gaps,
  sameStates,
  stateOf,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';
import { watchOfferEnds, type OfferEnd } from '../../support/phones/offer-ends.js';

/**
 * A phone that is picked up too late is Up, and its agent has talked to nobody: no wrap-up after answered calls
 * (spec 54). For wrap-up after every offer the phone has rung (spec 53).
 */
const did = { answer: '600100', ring: '600101' } as const;
const modes = ['answer', 'ring'] as const;

const groups = modes.map((wrapUp, index) => ({
  name: wrapUp,
  number: `600${index}`,
  wrapUp,
  wrapUpSeconds: 0,
  strategy: 'ringall',
  // Who picks up is told how long the caller has waited, before the two are joined.
  announceCall: true,
}));
const dids = modes.map((group) => ({ number: did[group], to: `group:${group}` }));
/** Lasts for seven seconds. */
const long = 'vm-instructions';
const centre = await centreOf(t, { ...crowd(2, { groups }), dids }, { asterisk: { briefPrompts: [long] } });
// The caller must be gone before who has picked up has been told: that takes so long that a busy machine gets there, too.
const soundOf = (name: string): string => join(centre.asterisk.dir, 'data/sounds/en', `${name}.wav`);
await copyFile(soundOf(long), soundOf('queue-reporthold'));
const phones: Record<string, Phone> = {
  1001: await centre.phone('5001'),
  1002: await centre.phone('5002'),
};
const agentAt = (member: string | undefined): string => `10${member?.slice(-2) ?? ''}`;
const ends = await watchOfferEnds(t, centre);
const signIn = async (agent: string): Promise<void> => {
  await dialAndHear(centre, phones[agent] as Phone, `*64${agent}`, 'agent-loginok');
};
const call = (mode: (typeof modes)[number]): Promise<Caller> =>
  Caller.call({ from: '4930555', to: did[mode], server: centre.asterisk.sip });
const endsAfter = (from: number, count: number): Promise<OfferEnd[]> =>
  until(`the end of ${count} offers`, () => (ends.length < from + count ? undefined : ends.slice(from)));

/** Waits for these states of agents, in the database and in every queue, and makes everybody ready again. */
async function expect(states: Record<string, 'wrap-up' | 'idle'>): Promise<void> {
  for (const [agent, state] of Object.entries(states)) await waitState(centre, agent, state);
  const members = Object.entries(states).map(([agent, state]) =>
    state === 'idle' ? agent : `${agent} paused:wrapup`,
  );
  for (const mode of modes) await waitMembers(centre, `astercc-${mode}`, members);
  for (const [agent, state] of Object.entries(states)) {
    if (state === 'wrap-up') await dialAndHear(centre, phones[agent] as Phone, '*67', 'activated');
    await waitState(centre, agent, 'idle');
  }
}

await signIn('1001');
for (const mode of modes) {
  const state = mode === 'ring' ? 'wrap-up' : 'idle';
  await t.test(
    `${mode}: picked up, and the caller is gone before the two are joined: ${state}`,
    async (t) => {
      const phone = phones['1001'] as Phone;
      const before = (await statesOf(centre, '1001')).length;
      const from = ends.length;
      const log = await centre.asterisk.verbose.mark();
      const caller = await call(mode);
      await phone.incoming();
      await waitState(centre, '1001', 'ringing');
      await phone.answer();
      await centre.asterisk.waitPlayed(phone.user, 'queue-reporthold', log);
      await caller.hangup();
      await phone.closed();
      const [end] = await endsAfter(from, 1);
      t.match(end, { state: 'Up', joined: false, wrapUp: state === 'wrap-up' });
      await sameStates(t, centre, '1001', before, ['ringing', state]);
      await expect({ 1001: state });
    },
  );
}

for (const mode of modes) {
  await t.test(
    `${mode}: two phones are picked up at once: one talks, the other one came too late`,
    async (t) => {
      if ((await stateOf(centre, '1002')) === 'signed-out') await signIn('1002');
      const from = ends.length;
      const before: Record<string, number> = {};
      for (const agent of Object.keys(phones)) before[agent] = (await statesOf(centre, agent)).length;
      const caller = await call(mode);
      for (const phone of Object.values(phones)) await phone.incoming();
      // Both have said that they are picked up before Asterisk, stopped meanwhile, reads either.
      const seen = Object.values(phones).map(({ events }) => events.length);
      centre.asterisk.freeze();
      await Promise.all(
        Object.values(phones).map(async (phone, index) => {
          await phone.answer();
          await phone.event(/^CALL_LOCAL_SDP$/, { from: seen[index] ?? 0 });
        }),
      );
      centre.asterisk.thaw();
      const [late] = await endsAfter(from, 1);
      const loser = agentAt(late?.member);
      const winner = loser === '1001' ? '1002' : '1001';
      await phones[loser]?.closed();
      await waitState(centre, winner, 'talking');
      await caller.hangup();
      await phones[winner]?.closed();
      const [, talked] = await endsAfter(from, 2);
      t.match(late, { joined: false, wrapUp: mode === 'ring' });
      t.match(talked, { state: 'Up', joined: true, wrapUp: true });
      const rest = mode === 'ring' ? 'wrap-up' : 'idle';
      await until(`${loser} to be ${rest} again`, async () =>
        (await statesOf(centre, loser)).slice(before[loser]).at(-1) === rest ? true : undefined,
      );
      t.notOk(
        (await statesOf(centre, loser)).slice(before[loser]).includes('talking'),
        'no state says that the late one talked',
      );
      await expect(
        Object.fromEntries(
          [
            [winner, 'wrap-up'],
            [loser, rest],
          ].sort(),
        ) as Record<string, 'idle'>,
      );
    },
  );
}

await t.test('no interval of any agent has a gap', async (t) => {
  t.same(await gaps(centre), []);
});
