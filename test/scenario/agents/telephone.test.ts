import t from 'tap';
import { Caller } from '../../../lab/caller.js';
import { until } from '../../../domain/machine/processes.js';
import {
  gaps,
  membersOf,
  sameStates,
  stateOf,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';
import { callIn, endings } from '../../support/phones/telephone.js';
import { didOf, number, queues, rings, telephoneCentre } from '../../support/phones/telephone-centre.js';

const { centre, mobile, signIn, customer } = await telephoneCentre(t);
const { asterisk, db } = centre;

/** Waits until a caller has waited in the queue long enough to have been offered to anybody who is free. */
const waitsInVain = (queue: string) =>
  until(`a caller who waits in ${queue}`, async () =>
    /\(wait: (?!0:0[0-3])/.test(await asterisk.console(`queue show ${queue}`)) ? true : undefined,
  );

await t.test('an agent signs in by calling from his telephone', async (t) => {
  t.same(await membersOf(centre, 'astercc-support'), []);
  await signIn();
  for (const queue of queues) await waitMembers(centre, queue, ['2001']);
  t.equal(await stateOf(centre, '2001'), 'idle');
  const mark = await asterisk.verbose.mark();
  await mobile.dial(didOf('status'));
  await asterisk.waitPlayed('provider.1', 'activated', mark);
  await mobile.leave();
  await mobile.closed();
  t.same(await db('calls'), [], 'he is no customer');
});

await t.test('a queue call rings his telephone; while he talks and wraps up there is no other', async (t) => {
  const before = rings(mobile);
  const first = await customer();
  await mobile.incoming();
  await waitState(centre, '2001', 'ringing');
  const second = await customer();
  await mobile.answer();
  await mobile.established();
  await waitState(centre, '2001', 'talking');
  await waitsInVain('astercc-support');
  t.equal(rings(mobile), before + 1, 'the second caller waits');

  const ends = await endings(centre);
  await mobile.hangup();
  await mobile.closed();
  // It lasts two seconds, which a busy machine may take to look.
  for (const queue of queues)
    await until(`the wrap-up in ${queue}`, async () =>
      (await asterisk.queueLog()).find((line) => line.includes(`|${queue}|2001|PAUSE|wrapup`)),
    );
  t.same(await ends(), ['paused', 'free'], 'paused before his telephone counts as free');
  await first.ended();

  await mobile.incoming();
  const { rows } = await db.raw<{ rows: { rested: number }[] }>(
    `select extract(epoch from ended_at - started_at)::float as rested from agent_states where state = 'wrap-up'`,
  );
  t.ok((rows[0]?.rested ?? 0) >= 2, 'the second came after the wrap-up');
  await waitState(centre, '2001', 'ringing');
  await mobile.answer();
  await mobile.established();
  const endsAgain = await endings(centre);
  const states = (await statesOf(centre, '2001')).length;
  await second.hangup();
  await mobile.closed();
  await until('his second wrap-up', async () =>
    (await statesOf(centre, '2001')).slice(states).includes('wrap-up') ? true : undefined,
  );
  t.same(await endsAgain(), ['paused', 'free'], 'nor is he free when the caller hangs up');
  await callIn(centre, mobile, 'provider.1', didOf('ready'), ['activated']);
  for (const queue of queues) await waitMembers(centre, queue, ['2001']);
  const cycle = ['idle', 'ringing', 'talking', 'wrap-up'];
  await sameStates(t, centre, '2001', 0, [...cycle, ...cycle, 'idle']);
});

await t.test(
  'a call that he refuses is a wrap-up where a group wants it after every ring (spec 53)',
  async (t) => {
    const caller = await customer('600900');
    await mobile.incoming();
    await mobile.hangup();
    await mobile.closed();
    // Support wants it after answered calls only: the queue tries again.
    await mobile.incoming();
    await caller.hangup();
    await mobile.closed();
    await waitState(centre, '2001', 'idle');

    const phone = await centre.phone('5001');
    await until('the calls before to be gone', async () =>
      (await asterisk.console('core show channels concise')).includes('Local/7000@') ? undefined : true,
    );
    // It rings for five seconds, in which he refuses it or, on a busy machine, does not answer.
    const ends = await endings(centre);
    await phone.dial('6001');
    await mobile.incoming();
    await mobile.leave();
    await mobile.closed();
    await waitState(centre, '2001', 'wrap-up');
    t.same(await ends(), ['paused', 'free']);
    await phone.leave();
    await phone.closed();
    await callIn(centre, mobile, 'provider.1', didOf('ready'), ['activated']);
    await waitState(centre, '2001', 'idle');
  },
);

await t.test(
  'his short number calls his telephone, and during that call no queue does (spec 15)',
  async (t) => {
    const phone = await centre.phone('5001');
    const before = rings(mobile);
    await phone.dial('7000');
    await mobile.incoming();
    await until('the lamp of the number', async () =>
      (await asterisk.console('core show hint 7000')).includes('State:InUse') ? true : undefined,
    );
    await mobile.answer();
    await mobile.established();
    await phone.established();
    const caller = await customer();
    await waitsInVain('astercc-support');
    t.equal(rings(mobile), before + 1, 'the queue waits');
    await mobile.hangup();
    await mobile.closed();
    await phone.closed();
    await mobile.incoming();
    await waitState(centre, '2001', 'ringing');
    await caller.hangup();
    await mobile.closed();
    await waitState(centre, '2001', 'idle');
  },
);

await t.test('with no server left his *67 ends his wrap-up, or Asterisk does, and nobody else', async (t) => {
  const caller = await customer();
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await centre.server.kill();
  // Asterisk does not end it before he has.
  const lease = (until: number) => asterisk.console(`dialplan set global STAR64_LEASE ${until}`);
  await lease(4_000_000_000);
  await mobile.hangup();
  await mobile.closed();
  for (const queue of queues) await waitMembers(centre, queue, [/^2001 paused:wrapup/]);
  await caller.ended();
  for (const [address, from] of [
    ['127.0.0.99', number],
    ['127.0.0.97', '+4915112345679'],
  ] as const) {
    const rogue = await Caller.call({ from, address, to: didOf('ready'), server: asterisk.sip });
    await rogue.ended(30_000);
    for (const queue of queues) await waitMembers(centre, queue, [/^2001 paused:wrapup/]);
  }
  await callIn(centre, mobile, 'provider.1', didOf('ready'), ['activated']);
  for (const queue of queues) await waitMembers(centre, queue, ['2001']);

  const next = await customer();
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await mobile.hangup();
  await mobile.closed();
  for (const queue of queues) await waitMembers(centre, queue, [/^2001 paused:wrapup/]);
  await lease(0);
  for (const queue of queues) await waitMembers(centre, queue, ['2001'], 30_000);
  await next.ended();
  await centre.server.start();
  await waitState(centre, '2001', 'idle', 30_000);
  t.same(await gaps(centre), []);
});

await t.test('an Asterisk that crashes in his call lets his telephone ring when it is back', async () => {
  const lost = await customer();
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await waitState(centre, '2001', 'talking');
  await asterisk.kill();
  await lost.phone.stop();
  await mobile.hangup();
  await asterisk.restart();
  for (const queue of queues) await waitMembers(centre, queue, ['2001'], 30_000);
  await waitState(centre, '2001', 'idle', 30_000);
  const from = mobile.events.length;
  const caller = await customer();
  await mobile.event(/^CALL_INCOMING$/, { from });
  await waitState(centre, '2001', 'ringing');
  await caller.hangup();
  await waitState(centre, '2001', 'idle');
});
