import t from 'tap';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, freezeAtRest, logged, waitMembers } from '../../support/centre.js';

/** Callers in a queue whose only member is a device that does not exist. */
const centre = await centreOf(t, crowd(1), {
  provision: async (db) => {
    await addExtension(db, 'astercc', { number: '201', user: 'crowd', endpoint: 'no-such-phone' });
  },
});
const { asterisk, db } = centre;

await t.test('with a server that hangs they are told in time, and have waited once', async (t) => {
  await signInAgent(db, 'astercc', '1001', { extension: '201', by: 'test' });
  await waitMembers(centre, 'astercc-support', ['1001']);
  t.match(await asterisk.console('queue show astercc-support'), /PJSIP\/no-such-phone\) .*\(Invalid\)/);
  await freezeAtRest(centre);
  const mark = await asterisk.verbose.mark();
  const caller = await callIn(centre);
  await caller.ended(120_000);
  await asterisk.waitPlayed('lab-trunk', 'vm-nobodyavail', mark);
  await logged(centre);
  const steps = (await asterisk.verbose.lines()).slice(mark);
  const times = (step: RegExp): number => steps.filter((line) => step.test(line)).length;
  t.equal(
    times(/ Executing \[\w+@astercc-groups:\d+\] Queue\(/),
    1,
    'no return to a queue that keeps nobody',
  );
  // A question to a server that hangs takes 2 s, and the look for a member 1 s: ten in 30 s, fewer on a busy machine.
  const questions = times(/ Executing \[s@star64-ask:\d+\] AGI\(.*\/anybody/);
  const looks = times(/ Executing \[s@star64-left:\d+\] MusicOnHold\(/);
  t.equal(questions, looks + 1, 'asked before each look, and once more at the end');
  t.ok(looks > 0 && questions <= 11, `${questions} questions`);
  centre.server.thaw();
  const visits = (): Promise<(string | null)[]> => db('queue_visits').orderBy('id').pluck('outcome');
  await until('the outcome of the visit', async () =>
    (await visits()).includes('nobody') ? true : undefined,
  );
  t.same(await visits(), ['nobody']);
});
