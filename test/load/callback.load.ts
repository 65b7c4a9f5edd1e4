import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { CallbackCentre, customer, own, queue } from '../support/trials/callbacks.js';
import { Conversation, waitWaiting } from '../support/calls.js';
import { dialAndHear, waitMembers, waitState } from '../support/centre.js';

/** Somebody is called back by an agent in their turn, once, whatever happens then; the way there is test/scenario/inbound/callback.test.ts. */
const site = await CallbackCentre.start(t);
const { centre, provider } = site;
const { asterisk, db } = centre;
const [phone, colleague] = [await centre.phone('5001'), await centre.phone('5002')];
const story = async (call: string): Promise<string> => centre.star64('call', 'show', call);
/** A caller asks to be called back while the agent is in wrap-up. */
async function asked(): Promise<void> {
  const asking = await site.call(customer.slice(1));
  await waitWaiting(centre, queue, 1);
  await site.asks(asking);
  await site.waitOrder('callback');
}
await (await Conversation.answer(centre, phone, await site.call('4930222'))).end();
await waitState(centre, '1001', 'wrap-up');
await asked();

await t.test('an agent is offered it, calls, and talks; the records say so', async (t) => {
  await dialAndHear(centre, phone, '*67', 'activated');
  await phone.incoming(60_000);
  const mark = await asterisk.verbose.mark();
  await phone.answer();
  const rings = await provider.call(0, 'invited');
  t.same(await asterisk.played('astercc-5001', mark), ['calling', 'telephone-number']);
  t.match([rings.number, rings.from], [customer, own], 'from the number that they had dialled');
  provider.pickUp(rings);
  await waitState(centre, '1001', 'talking');
  await until('the answer of the customer', () => db('calls').whereNotNull('leg_answered_at').first());
  // Kept at once: whatever becomes of the conversation, nobody calls them once more.
  await until('the end of the callback', () => db('callbacks').whereNotNull('ended_at').first());
  // Sent on to a queue they are a customer who waits, and nobody who is to be called, whatever becomes of the callback.
  await phone.transfer('6000');
  await phone.closed();
  await waitState(centre, '1001', 'wrap-up');
  await site.waitOrder('callback');
  await dialAndHear(centre, colleague, '*641002', 'agent-loginok');
  await colleague.incoming(60_000);
  await colleague.answer();
  await waitState(centre, '1002', 'talking');
  await colleague.established();
  t.match([provider.calls.length, rings.state], [1, 'answered'], 'nobody is called a second time');
  provider.hangUp(rings);
  await colleague.closed();
  await waitState(centre, '1002', 'wrap-up');
  const ended = await until('the end of the callback', async () => {
    const { rows } = await db.raw<{ rows: { uniqueid: string }[] }>(
      `select k.outcome, k.tries, c.uniqueid, c.outcome as call
       from callbacks k join calls c on c.id = k.call_id where k.ended_at is not null`,
    );
    return rows[0];
  });
  t.match(ended, { outcome: 'answered', tries: 0, call: 'callback' });
  const out = await until('the end of the call back', async () => {
    const { rows } = await db.raw<{ rows: { uniqueid: string }[] }>(
      `select * from calls where direction = 'out' and ended_at is not null`,
    );
    return rows[0];
  });
  t.match(out, { number: customer, outcome: 'answered', trunk: 'a', class: 'national', ended_by: null });
  const { rows: waited } = await db.raw<{ rows: object[] }>(
    `select v.outcome, a.number as agent, exists (select from callbacks k where k.arrived_at = v.joined_at) as first
     from queue_visits v join calls c on c.id = v.call_id join agents a on a.id = v.agent_id
     where c.direction = 'out' order by v.id`,
  );
  const answered = [
    { outcome: 'answered', agent: '1001', first: true },
    { outcome: 'answered', agent: '1002', first: false },
  ];
  t.same(waited, answered, 'with the wait since they first came');
  const told = await story(ended.uniqueid);
  for (const words of [
    'asks to be called back at +493012345678',
    'called back (call star64-callback-',
    'the callback is done',
  ])
    t.match(told, new RegExp(words.replace(/[+()]/g, '\\$&')));
  t.match(await story(out.uniqueid), /it is a callback, asked for in call/);
  t.equal(await centre.star64('call', 'list', '--unreturned', '--caller', customer.slice(1)), '');
});

await t.test('Asterisk ends in the middle of the conversation: nobody is called once more', async (t) => {
  await dialAndHear(centre, colleague, '*65', 'agent-loggedoff');
  await asked();
  await dialAndHear(centre, phone, '*67', 'activated');
  await phone.incoming(60_000);
  await phone.answer();
  const rings = await provider.call(1, 'invited');
  provider.pickUp(rings);
  await until(
    'the answer to be known',
    async () =>
      (await db('callbacks').orderBy('id').pluck<(string | null)[]>('outcome')).at(-1) === 'answered' ||
      undefined,
  );
  await asterisk.kill();
  await asterisk.restart();
  await waitMembers(centre, queue, [/^1001/], 60_000);
  const mark = await asterisk.verbose.mark();
  // A caller after it comes through to an agent: that one was looked at before.
  await until(
    'a server to look after callbacks',
    async () => /STAR64_CALLBACKS=[1-9]/.test(await asterisk.console('dialplan show globals')) || undefined,
  );
  await site.waitOrder();
  t.equal(provider.calls.length, 2);
  t.notOk(
    (await asterisk.verbose.lines()).slice(mark).some((line) => line.includes('star64-callback-enter')),
  );
  t.equal(await centre.star64('callback', 'list'), '');
});
