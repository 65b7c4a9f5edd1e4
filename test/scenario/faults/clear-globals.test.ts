import t from 'tap';
import { crowd } from '../../../lab/provision.js';
import { Conversation } from '../../support/calls.js';
import {
  centreOf,
  dialAndHear,
  signedInPhone,
  statesOf,
  waitMembers,
  waitState,
} from '../../support/centre.js';

/** What the promise of a dead server lasts, and a machine that has much else to do. */
const leaseOverMs = 60_000;
const calls = 5;
const queue = 'astercc-support';

const groups = [{ name: 'support', wrapUp: 'answer', wrapUpSeconds: 0 }];
/** An operator's Asterisk that forgets all globals at each reload of the dialplan. */
const centre = await centreOf(t, crowd(1, { groups }), {
  asterisk: { extra: { 'extensions.conf': '\n[general](+)\nclearglobalvars = yes\n' } },
});
const { asterisk, server } = centre;
const phone = await signedInPhone(centre, '1001');

/** Reloads the dialplan again and again while `work` goes on, and once more after it. Returns how often. */
async function reloading(work: () => Promise<void>): Promise<number> {
  const working = work();
  const over = working.then(
    () => true,
    () => true,
  );
  let count = 0;
  for (let done = false; !done; count++) {
    await asterisk.console('dialplan reload');
    done = await Promise.race([over, Promise.resolve(false)]);
  }
  await working;
  return count;
}

await t.test('what a reload may have changed is compared at once', async () => {
  // The next regular reconciliation comes after a minute.
  for (const command of ['module reload app_queue.so', 'dialplan reload']) {
    await waitMembers(centre, queue, ['1001']);
    await asterisk.console(`queue remove member PJSIP/astercc-5001 from ${queue}`);
    await asterisk.console(command);
    await waitMembers(centre, queue, ['1001']);
  }
});

await t.test('every wrap-up begins, however often the dialplan is reloaded', async (t) => {
  const before = (await statesOf(centre, '1001')).length;
  let reloads = 0;
  for (let call = 0; call < calls; call++) {
    const talk = await Conversation.begin(centre, phone);
    reloads += await reloading(async () => {
      await talk.end();
      await waitState(centre, '1001', 'wrap-up');
    });
    await waitMembers(centre, queue, [/^1001 paused:wrapup$/]);
    await dialAndHear(centre, phone, '*67', 'activated');
    await waitMembers(centre, queue, ['1001']);
  }
  t.comment(`${reloads} reloads`);
  const states = (await statesOf(centre, '1001')).slice(before);
  t.equal(states.filter((state) => state === 'wrap-up').length, calls);
});

await t.test('nobody stays paused when the server is killed meanwhile', async (t) => {
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  const from = performance.now();
  const reloads = await reloading(async () => {
    await server.kill();
    await waitMembers(centre, queue, ['1001'], leaseOverMs);
  });
  t.comment(`${reloads} reloads, released after ${Math.round(performance.now() - from)} ms`);
  // Nobody knows by now what was promised: a wrap-up that begins all the same ends, too.
  await asterisk.console('dialplan reload');
  await (await Conversation.begin(centre, phone)).end();
  await waitMembers(centre, queue, ['1001'], leaseOverMs);
});
