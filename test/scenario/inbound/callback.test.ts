import t from 'tap';
import { until } from '../../../domain/machine/processes.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { addHours } from '../../../domain/provisioning/features/hours.js';
import { CallbackCentre, customer, queue } from '../../support/trials/callbacks.js';
import { Conversation, waitWaiting } from '../../support/calls.js';
import { waitMembers, waitState } from '../../support/centre.js';

/** A caller hangs up and keeps their place, over a restart of Asterisk too; the rest is in test/load/callback.load.ts. */
const site = await CallbackCentre.start(t);
const { centre } = site;
const { asterisk, db, servers } = centre;
const phone = await centre.phone('5001');
const outcomes = async (): Promise<unknown[]> =>
  db('queue_visits').orderBy('id').pluck<(string | null)[]>('outcome');

await t.test('a caller confirms the number, hangs up, and keeps the place before a later one', async (t) => {
  await (await Conversation.answer(centre, phone, await site.call('4930222'))).end();
  await waitState(centre, '1001', 'wrap-up');
  const offered = await asterisk.verbose.mark();
  const asking = await site.call(customer.slice(1));
  await waitWaiting(centre, queue, 1);
  await asterisk.waitPlayed('lab-trunk', 'to-call-this-number', offered);
  const later = await site.call('493087654321');
  await waitWaiting(centre, queue, 2);
  await site.asks(asking);
  await site.waitOrder('callback', '493087654321');
  t.match(await centre.star64('callback', 'list'), /\tsupport\t\+493012345678\t/);
  // Another server has put them there meanwhile, as far as the database knows: whoever stood there before goes.
  await db('callbacks').update({ puts: 2 });
  await until(
    'a third put',
    async () => (await db('callbacks').pluck<number[]>('puts'))[0] === 3 || undefined,
  );
  await site.waitOrder('callback', '493087654321');
  // Who hangs up while they are asked has given up.
  const mark = await asterisk.verbose.mark();
  await later.phone.digits('1');
  await asterisk.waitPlayed('lab-trunk', 'vm-num-i-have', mark);
  await later.hangup();
  await until('the end of their wait', async () => (await outcomes()).includes('abandoned') || undefined);
  t.same(await outcomes(), ['answered', 'callback', 'abandoned']);
});

await t.test('who shows no number is offered nothing, and the key leaves them where they are', async (t) => {
  const mark = await asterisk.verbose.mark();
  const hidden = await site.call('anonymous');
  await site.waitOrder('callback', 'anonymous');
  await hidden.phone.digits('1');
  await asterisk.waitPlayed('lab-trunk', 'feature-not-avail-line', mark);
  await site.waitOrder('callback', 'anonymous');
  const heard = await asterisk.played('lab-trunk', mark);
  t.notOk(heard.some((sound) => ['to-call-this-number', 'vm-num-i-have'].includes(sound)));
  t.equal((await db('callbacks')).length, 1);
  await hidden.hangup();
  await site.waitOrder('callback');
});

await t.test(
  'a restart of Asterisk costs nobody their place, and no more are kept than may be',
  async (t) => {
    await asterisk.restart();
    await waitMembers(centre, queue, ['1001 paused:wrapup'], 60_000);
    await site.waitOrder('callback');
    t.same(await db('callbacks').pluck<number[]>('puts'), [4], 'put back once, though two servers see it');
    t.match(await centre.star64('--json', 'status'), /"callbacks": ?1/);
    await centre.star64('group', 'set', 'support', '--callback-limit', '1');
    await until(
      'Asterisk to know that no more are kept',
      async () =>
        /STAR64_CALLBACKS_astercc-support=[1-9]/.test(await asterisk.console('dialplan show globals')) ||
        undefined,
    );
    const mark = await asterisk.verbose.mark();
    // And it is the longest there, whoever comes first after a start.
    const early = await site.call('4930444');
    await site.waitOrder('callback', '4930444');
    const heard = await asterisk.played('lab-trunk', mark);
    t.notOk(heard.includes('to-call-this-number'), 'nobody else is offered it');
    await early.hangup();
    await site.waitOrder('callback');
  },
);

await t.test('with no server the key keeps a caller in the queue, at their place', async (t) => {
  const first = await site.call('4930444');
  await site.waitOrder('callback', '4930444');
  const second = await site.call('493076543210');
  await site.waitOrder('callback', '4930444', '493076543210');
  await Promise.all(servers.map((server) => server.kill()));
  const mark = await asterisk.verbose.mark();
  await first.phone.digits('1');
  await asterisk.verbose.waitFor(/@astercc-returned:1\] Queue/, mark);
  await site.waitOrder('callback', '4930444', '493076543210');
  // What the servers had promised is over.
  for (const name of ['STAR64_CALLBACKS', `STAR64_CALLBACKS_${queue}`])
    await asterisk.console(`dialplan set global ${name} 1`);
  const third = await site.call('493087654321');
  await site.waitOrder('callback', '4930444', '493076543210', '493087654321');
  const heard = await asterisk.played('lab-trunk', mark);
  t.notOk(heard.some((sound) => ['to-call-this-number', 'vm-num-i-have'].includes(sound)));
  for (const caller of [first, second, third]) await caller.hangup();
});

await t.test('the group closes: nobody is called back any more, and none of them is forgotten', async (t) => {
  await addHours(db, 'astercc', { name: 'never' });
  await setGroup(db, 'astercc', 'support', { hours: 'never' });
  t.notMatch(await centre.star64('call', 'list', '--unreturned'), new RegExp(customer.slice(1)));
  await servers[0]?.start();
  await site.waitOrder();
  t.match(await db('callbacks'), [{ outcome: 'closed', number: customer }]);
  t.match(await centre.star64('call', 'list', '--unreturned'), new RegExp(customer.slice(1)));
});
