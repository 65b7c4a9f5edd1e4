import t from 'tap';
import { pino } from 'pino';
import { setAgent } from '../../../domain/provisioning/people/agent.js';
import { addApiToken } from '../../../domain/provisioning/people/api-token.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { createWeb } from '../../../web/server.js';
import { callIn, Conversation, waitCall, waitTalking } from '../../support/calls.js';
import { centreOf, waitState } from '../../support/centre.js';
import { Listener } from '../../support/doors/event-stream.js';

/** A program at the HTTP API, beside phones: what the one does, the others see, and the reverse. */
const centre = await centreOf(
  t,
  crowd(3, { groups: [{ name: 'support', number: '6000', wrapUp: 'answer' }] }),
  { apply: true },
);
const anna = await centre.phone('5001');
const extension = await centre.phone('5003', { mode: 'auto' });
const { token } = await addApiToken(centre.db, 'astercc', 'crm', { role: 'supervisor', by: 'test' });
const web = await createWeb(centre.db, pino({ enabled: false }), { version: '0' });
t.teardown(() => web.close());
const address = await web.listen({ host: '127.0.0.1', port: 0 });

async function ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${address}/v1/teams/astercc/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, ...((await answer.json()) as object) };
}

await t.test(
  'a team that was applied, as that of the demo, is not behind until something changes',
  async (t) => {
    const behind = async (): Promise<unknown> => (await ask('GET', '../astercc'))['files_are_behind'];
    t.equal(await behind(), false);
    await setAgent(centre.db, 'astercc', '1001', { password: 'seven small boats' });
    t.equal(await behind(), false, 'no file has a password');
  },
);

await t.test('signed in, rung, sent on and made ready by a program, and told of each', async (t) => {
  const stream = await Listener.open(`${address}/v1/teams/astercc/events`, token);
  t.match(await ask('POST', 'agents/1001/sign-in', { extension: '5001' }), {
    status: 200,
    outcome: 'signed-in',
  });
  t.match(await ask('POST', 'agents/1002/sign-in', { extension: '5001' }), {
    status: 409,
    code: 'phone_taken',
  });
  const customer = await callIn(centre);
  await anna.incoming();
  const rung = await until('the agent to ring for all to see', async () => {
    const agent = await ask('GET', 'agents/1001');
    return agent['state'] === 'ringing' ? agent : undefined;
  });
  t.match(rung, { status: 200, group: 'support', caller: '4930555' });
  await anna.answer();
  await anna.established();
  const { items } = (await ask('GET', 'calls?limit=1')) as unknown as { items: { uniqueid: string }[] };
  const call = items[0]?.uniqueid ?? '';
  await waitTalking(centre, '1001', call);
  const seen = extension.events.length;
  t.match(await ask('POST', `calls/${call}/transfer`, { number: '5003' }), { status: 200, result: 'done' });
  await extension.event(/^CALL_ESTABLISHED$/, { from: seen });
  await waitState(centre, '1001', 'wrap-up');
  t.match(await ask('POST', 'agents/1001/ready'), { status: 200, outcome: 'ready' });
  await waitState(centre, '1001', 'idle');
  t.match(await ask('POST', `calls/${call}/hangup`), { status: 200 });
  await customer.ended();
  await waitCall(centre, call, { open: false });
  t.match(await ask('POST', `calls/${call}/hangup`), { status: 409, code: 'call_over' });
  // The events of the call come in between.
  const states = (): string[] =>
    stream.events
      .filter(({ event }) => event === 'agent.state')
      .map(({ data }) => (JSON.parse(data) as { state: string }).state);
  await until('the states in the stream', () => (states().length >= 5 ? true : undefined));
  t.same(states().slice(0, 5), ['idle', 'ringing', 'talking', 'wrap-up', 'idle']);
  stream.close();
});

await t.test('PostgreSQL away: software is told so, phones go on, and then both', async (t) => {
  const stream = await Listener.open(`${address}/v1/teams/astercc/events`, token);
  // One that has not caught up yet is closed instead, and its listener comes back.
  t.match(await ask('POST', 'agents/1001/pause'), { status: 200 });
  t.match(await ask('POST', 'agents/1001/ready'), { status: 200 });
  await stream.has(2);
  const mark = await centre.server.log.mark();
  await centre.postgres.halt();
  await centre.server.log.waitFor(/PostgreSQL is away/, mark, 20_000);
  await until('the word of it', () =>
    stream.heard.some(({ event }) => event === 'away') ? true : undefined,
  );
  t.match(await ask('GET', 'agents/1001'), { status: 503, code: 'database_unreachable' });
  t.match(await ask('POST', 'agents/1001/pause'), { status: 503, code: 'database_unreachable' });
  const next = await Conversation.answer(centre, anna, await callIn(centre), { deadlineMs: 60_000 });
  await centre.postgres.restart();
  await waitTalking(centre, '1001', next.call, 60_000);
  await until('the agent at the API', async () =>
    (await ask('GET', 'agents/1001'))['state'] === 'talking' ? true : undefined,
  );
  await until('the call in the stream', () =>
    stream.events.some(({ data }) => (JSON.parse(data) as { call?: string }).call === next.call)
      ? true
      : undefined,
  );
  t.notOk(stream.ended, 'on the same connection');
  t.same(await next.harm(), [], 'the call did not notice');
  await next.end();
  stream.close();
});
