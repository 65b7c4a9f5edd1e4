import t from 'tap';
import { addDid } from '../../domain/provisioning/did.js';
import { setGroup } from '../../domain/provisioning/group.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/trunk.js';
import { until } from '../../domain/machine/processes.js';
import { Caller } from '../../lab/caller.js';
import { crowd, provision } from '../../lab/provision.js';
import { Conversation, waitWaiting } from '../support/calls.js';
import { centreFor, dialAndHear, needLab, waitMembers, waitState } from '../support/centre.js';
import { Provider } from '../support/providers.js';

/** A caller hangs up, keeps their place over a restart of Asterisk, and is called back by an agent in their turn. */
await needLab(t);
const provider = await Provider.start('provider.a', 83);
t.teardown(() => provider.stop());

const own = '+4930600101';
const customer = '+493012345678';
const queue = 'astercc-support';
const centre = await centreFor(t, {
  servers: 2,
  asterisk: { amiWrite: 'agent,call,reporting,originate', extra: { 'pjsip.conf': provider.section() } },
  provision: async (db) => {
    const groups = [{ name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, missedLimit: 0 }];
    await provision(db, crowd(2, { groups }));
    await addTrunk(db, 'astercc', { name: 'a', endpoint: provider.endpoint, country: 'DE' });
    await setTeam(db, 'astercc', { country: 'DE', trunk: 'a', outsidePrefix: '0' });
    await addDid(db, 'astercc', { number: own, to: 'group:support' });
    await setGroup(db, 'astercc', 'support', { callbackKey: 1 });
  },
});
const { asterisk, db, servers } = centre;
await provider.reachable(asterisk);
provider.does('ring');
const [phone, colleague] = [await centre.phone('5001'), await centre.phone('5002')];
await dialAndHear(centre, phone, '*641001', 'agent-loginok');
await waitMembers(centre, queue, ['1001']);

const call = async (from: string): Promise<Caller> => {
  const caller = await Caller.call({ from, to: own.slice(1), server: asterisk.sip });
  centre.phones.push(caller.phone);
  return caller;
};
/** Who waits, the first one first: `callback`, or the number of a caller. */
async function order(): Promise<string[]> {
  const text = await asterisk.console(`queue show ${queue}`);
  const channels = [...text.matchAll(/^ +[0-9]+\. ([A-Za-z0-9]+)\/(\S+) /gm)];
  const numbers = await Promise.all(
    channels.map(async ([, kind = '', rest = '']) =>
      kind === 'Local'
        ? 'callback'
        : /CALLERID\(num\) *= *(\S+)|Caller ID: (\S+)/.exec(
            await asterisk.console(`core show channel ${kind}/${rest}`),
          )?.[2],
    ),
  );
  return numbers.map((number) => number ?? '?');
}
const waitOrder = (...wanted: string[]): Promise<unknown> =>
  until(
    `${wanted.join(', ')} in the queue`,
    async () => ((await order()).join() === wanted.join() ? true : undefined),
    30_000,
  );
const story = async (call: string): Promise<string> => centre.star64('call', 'show', call);

await t.test('a caller confirms the number, hangs up, and keeps the place before a later one', async (t) => {
  await (await Conversation.answer(centre, phone, await call('4930222'))).end();
  await waitState(centre, '1001', 'wrap-up');
  const asking = await call(customer.slice(1));
  await waitWaiting(centre, queue, 1);
  const later = await call('4930333');
  await waitWaiting(centre, queue, 2);
  const mark = await asterisk.verbose.mark();
  await asking.phone.digits('1');
  await asterisk.waitPlayed('lab-trunk', 'if-correct-press', mark);
  await asking.phone.digits('1');
  await asking.ended();
  await waitOrder('callback', '4930333');
  t.match(await centre.star64('callback', 'list'), /\tsupport\t\+493012345678\t/);
  await later.hangup();
});

let early: Caller;
await t.test('a restart of Asterisk costs nobody their place', async (t) => {
  await asterisk.restart();
  await waitMembers(centre, queue, ['1001 paused:wrapup'], 60_000);
  await waitOrder('callback');
  const puts = await db('callbacks').pluck<number[]>('puts');
  t.same(puts, [2], 'put back once, though two servers see it');
  // And it is the longest there, whoever comes first after a start.
  early = await call('4930444');
  await waitOrder('callback', '4930444');
  t.match(await centre.star64('--json', 'status'), /"callbacks": ?1/);
});

await t.test('an agent is offered it, calls, and talks; the records say so', async (t) => {
  await phone.register();
  await colleague.register();
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
  // Sent on to a queue they are a customer who waits, and nobody who is to be called, whatever becomes of the callback.
  await early.hangup();
  await phone.transfer('6000');
  await phone.closed();
  await waitState(centre, '1001', 'wrap-up');
  await waitOrder('callback');
  await db('callbacks').update({ expires_at: db.raw('clock_timestamp()') });
  await dialAndHear(centre, colleague, '*641002', 'agent-loginok');
  // Asterisk, just started, may take a minute until it has asked a phone whether it is there.
  await colleague.incoming(90_000);
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

await t.test('with no server the key keeps a caller in the queue, at their place', async (t) => {
  const first = await call('4930444');
  await waitOrder('4930444');
  const second = await call(customer.slice(1));
  await waitOrder('4930444', '493012345678');
  await Promise.all(servers.map((server) => server.kill()));
  const mark = await asterisk.verbose.mark();
  await first.phone.digits('1');
  await asterisk.verbose.waitFor(/@astercc-returned:1\] Queue/, mark);
  await waitOrder('4930444', '493012345678');
  t.same(
    (await asterisk.played('lab-trunk', mark)).filter((sound) => sound === 'vm-num-i-have'),
    [],
  );
  await second.hangup();
});
