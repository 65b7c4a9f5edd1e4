import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { CallbackCentre, customer, queue } from '../support/callbacks.js';
import { Conversation, waitWaiting } from '../support/calls.js';
import { waitMembers, waitState } from '../support/centre.js';

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
  const asking = await site.call(customer.slice(1));
  await waitWaiting(centre, queue, 1);
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
    await centre.star64('callback', 'remove', String((await db('callbacks').pluck<number[]>('id'))[0]));
    await site.waitOrder();
  },
);

await t.test('with no server the key keeps a caller in the queue, at their place', async (t) => {
  const first = await site.call('4930444');
  await site.waitOrder('4930444');
  const second = await site.call(customer.slice(1));
  await site.waitOrder('4930444', '493012345678');
  await Promise.all(servers.map((server) => server.kill()));
  const mark = await asterisk.verbose.mark();
  await first.phone.digits('1');
  await asterisk.verbose.waitFor(/@astercc-returned:1\] Queue/, mark);
  await site.waitOrder('4930444', '493012345678');
  t.same(
    (await asterisk.played('lab-trunk', mark)).filter((sound) => sound === 'vm-num-i-have'),
    [],
  );
  await second.hangup();
});
