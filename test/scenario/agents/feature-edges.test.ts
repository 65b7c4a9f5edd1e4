import t from 'tap';
import { addPauseReason } from '../../../domain/provisioning/people/pause-reason.js';
import { prompts } from '../../../agi/prompts.js';
import { Caller } from '../../../lab/caller.js';
import type { Phone } from '../../../lab/phone.js';
import { until } from '../../../domain/machine/processes.js';
import { type TeamFixture } from '../../../lab/provision.js';
import {
  centreOf,
  dialled,
  gaps,
  membersOf,
  stateOf,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

/** What is heard by those who may try another number; `*60` and `*62` also say what `*69` asks with. */
const askingAgain = new Set<string>(
  Object.entries(prompts).flatMap(([outcome, { next, sounds }]) =>
    next === 'again' && outcome !== 'queue-wanted' ? sounds.slice(0, 1) : [],
  ),
);

const many = Array.from({ length: 10 }, (_, index) => `group_${index}`);
const team: TeamFixture = {
  team: 'astercc',
  users: [{ username: 'anna' }],
  extensions: ['5001', '5002', '5003', '5004'].map((number) => ({ number, user: 'anna' })),
  groups: [
    { name: 'support', number: '6000', workMode: 'choice', ringSeconds: 60, wrapUpSeconds: 0 },
    ...many.map((name, index) => ({ name, number: `610${index}`, wrapUpSeconds: 0 })),
  ],
  agents: [
    ...['1001', '1002'].map((number) => ({ number, user: 'anna', groups: ['support'] })),
    { number: '1003', user: 'anna', groups: ['support', 'group_9'] },
    { number: '1004', user: 'anna', groups: many },
  ],
  dids: [
    { number: '600100', to: 'group:support' },
    { number: '600101', to: 'group:group_7' },
  ],
};
const centre = await centreOf(t, team, {
  provision: async (db) => {
    await addPauseReason(db, 'astercc', { digit: '1', name: 'Lunch' });
  },
});
const { asterisk, db } = centre;
const call = (to: string): Promise<Caller> => Caller.call({ from: '4930123', to, server: asterisk.sip });

/** Everything that the database says of an agent who is signed in, for a look whether something has changed. */
async function recordOf(agent: string): Promise<unknown> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `select s.id, s.state, s.pause_digit, i.work_mode, i.current_group_id from agent_states s
     join sign_ins i on i.id = s.sign_in_id join agents a on a.id = i.agent_id
     where a.number = ? and s.ended_at is null`,
    [agent],
  );
  return rows;
}

await t.test(
  'a code that asks: wrong digits, silence, too many digits, and a hang-up in the prompt',
  async (t) => {
    const codes = [
      {
        code: '*66',
        extension: '5001',
        agent: '1001',
        asked: 'do-not-disturb',
        again: 'privacy-incorrect',
        wrong: '9#',
      },
      {
        code: '*62',
        extension: '5002',
        agent: '1002',
        asked: 'calling',
        again: 'pm-invalid-option',
        wrong: '4#',
      },
      { code: '*63', extension: '5003', agent: '1003', asked: 'extension', again: 'invalid', wrong: '6100#' },
    ];
    await Promise.all(
      codes.map(async ({ code, extension, agent, asked, again, wrong }) => {
        const phone = await centre.phone(extension);
        await dialled(centre, phone, `*64${agent}`);
        const before = await recordOf(agent);

        await dialUntil(phone, code, asked);
        await phone.hangup();
        await phone.closed();
        await dialUntil(phone, `${code}99`, again);
        await phone.hangup();
        await phone.closed();
        t.same(await recordOf(agent), before, `${code}: a hang-up in a prompt changes nothing`);

        await dialUntil(phone, code, asked);
        for (const keys of [wrong, '12345678901']) {
          const from = await asterisk.verbose.mark();
          await phone.digits(keys);
          await asterisk.waitPlayed(phone.user, again, from);
        }
        // The third time nothing is keyed at all.
        await asterisk.waitPlayed(phone.user, 'vm-goodbye', 0, 30_000);
        await phone.closed();
        t.same(await recordOf(agent), before, `${code}: nor do wrong digits and silence`);
      }),
    );

    const [one, two, three] = await Promise.all(codes.map(({ extension }) => centre.phone(extension)));
    if (!one || !two || !three) throw new Error('three phones');
    await keyed(one, '*66', 'do-not-disturb', '1#', 'digits/1');
    t.equal(await stateOf(centre, '1001'), 'paused');
    await keyed(two, '*62', 'calling', '3#', 'call-waiting');
    await waitMembers(centre, 'astercc-support', [/^1001 paused:pause:1/, '1003']);
    await keyed(three, '*63', 'extension', '6000#', 'is-set-to');
    for (const phone of [one, two, three]) await dialled(centre, phone, '*65');
    t.same(await gaps(centre), []);
  },
);

await t.test('a mode chosen in a pause or wrap-up takes effect in it, and the pause goes on', async (t) => {
  const phone = await centre.phone('5001');
  await dialled(centre, phone, '*641001');
  await dialled(centre, phone, '*661');
  await dialled(centre, phone, '*623');
  await waitMembers(centre, 'astercc-support', []);
  t.equal(await stateOf(centre, '1001'), 'paused');
  await dialled(centre, phone, '*621');
  await waitMembers(centre, 'astercc-support', ['1001 paused:pause:1']);
  await dialled(centre, phone, '*67');
  await waitMembers(centre, 'astercc-support', ['1001']);
  await dialled(centre, phone, '*65');
});

await t.test(
  'a sign-out while an offer rings: the next agent gets the call, the caller notices nothing',
  async (t) => {
    const [one, two] = [await centre.phone('5001'), await centre.phone('5002')];
    await dialled(centre, one, '*641001');
    const customer = await call('600100');
    await one.incoming();
    await waitState(centre, '1001', 'ringing');
    await dialled(centre, two, '*641002');
    await dialled(centre, one, '*65');
    t.equal(await stateOf(centre, '1001'), 'signed-out');
    await two.incoming();
    await one.closed();
    await two.answer();
    await waitState(centre, '1002', 'talking');
    const outcomes = (): Promise<(string | null)[]> => db('calls').pluck('outcome');
    await until('the answer to be recorded', async () =>
      (await outcomes()).includes('answered') ? true : undefined,
    );
    t.same(await outcomes(), ['answered'], 'one call, answered');
    await customer.hangup();
    await two.closed();
    await dialled(centre, two, '*65');
  },
);

await t.test('an agent in ten groups: one wrap-up, one pause, never partly', async (t) => {
  const phone = await centre.phone('5004');
  await dialled(centre, phone, '*641004');
  const everywhere = async (member: string | RegExp): Promise<void> => {
    for (const name of many) await waitMembers(centre, `astercc-${name}`, [member]);
  };
  await everywhere('1004');
  const customer = await call('600101');
  await phone.incoming();
  await waitState(centre, '1004', 'ringing');
  await phone.answer();
  await waitState(centre, '1004', 'talking');
  await customer.hangup();
  await phone.closed();
  await waitState(centre, '1004', 'wrap-up');
  const paused = new Set(
    (await Promise.all(many.map((name) => membersOf(centre, `astercc-${name}`)))).flat(),
  );
  t.equal(paused.size, 1, 'the same wrap-up in every queue');
  t.match([...paused][0], '1004 paused:wrapup');
  await dialled(centre, phone, '*661');
  await everywhere('1004 paused:pause:1');
  await dialled(centre, phone, '*67');
  await everywhere('1004');
  t.same(await statesOf(centre, '1004'), ['idle', 'ringing', 'talking', 'wrap-up', 'paused', 'idle']);
  await dialled(centre, phone, '*65');
  for (const name of many) await waitMembers(centre, `astercc-${name}`, []);
});

await t.test('two phones at once, for every code: one place, one state, no gap', async (t) => {
  const [here, there] = [await centre.phone('5001'), await centre.phone('5002')];
  for (const code of ['*65', '*661', '*67', '*622', '*636000', '*60', '*641001']) {
    await dialled(centre, here, '*641001');
    await db.raw(
      `update sign_ins set signed_in_at = signed_in_at - interval '1 minute' where signed_out_at is null`,
    );
    await db.raw(`update agent_states s set started_at = i.signed_in_at from sign_ins i
      where s.sign_in_id = i.id and s.ended_at is null`);
    await Promise.all([attempt(here, code), attempt(there, '*641001')]);
    const open = await db('sign_ins as i')
      .join('extensions as x', 'x.id', 'i.extension_id')
      .whereNull('i.signed_out_at')
      .pluck<string[]>('x.number');
    t.ok(open.length <= 1, `${code}: at most one phone`);
    const state = await stateOf(centre, '1001');
    const member = { 'signed-out': [], paused: ['1001 paused:pause:1'] }[state] ?? ['1001'];
    await waitMembers(centre, 'astercc-support', member);
    const [at] = open;
    if (at !== undefined)
      await until(`a member at ${at}`, async () =>
        (await asterisk.console('queue show astercc-support')).includes(`astercc-${at}`) ? true : undefined,
      );
    for (const phone of [here, there]) await dialled(centre, phone, '*65');
    await waitMembers(centre, 'astercc-support', []);
  }
  t.same(await gaps(centre), []);
});

/** Dials, and waits for the end of the call; who is asked once more, because another phone was faster, hangs up. */
async function attempt(phone: Phone, number: string): Promise<void> {
  const from = await asterisk.verbose.mark();
  let over = false;
  const askedAgain = until(
    `the answer to ${number} at ${phone.user}`,
    async () => {
      if (over) return 'over';
      const sounds = await asterisk.played(phone.user, from);
      return sounds.some((sound) => askingAgain.has(sound)) ? 'again' : undefined;
    },
    40_000,
  );
  const call = dialled(centre, phone, number).finally(() => (over = true));
  if ((await askedAgain) === 'again') await phone.hangup();
  await call;
}

/** Dials and waits until a prompt starts. */
async function dialUntil(phone: Phone, number: string, prompt: string): Promise<void> {
  const from = await asterisk.verbose.mark();
  await phone.dial(number);
  await asterisk.waitPlayed(phone.user, prompt, from);
}

/** Dials, keys digits when asked, waits for the answer and the end of the call. */
async function keyed(phone: Phone, code: string, asked: string, keys: string, answer: string): Promise<void> {
  await dialUntil(phone, code, asked);
  const from = await asterisk.verbose.mark();
  await phone.digits(keys);
  await asterisk.waitPlayed(phone.user, answer, from);
  await phone.closed();
}
