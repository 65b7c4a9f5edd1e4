import t from 'tap';
import {
  claimCallCommand,
  finishCallCommand,
  type ClaimedCommand,
} from '../../domain/calls/commands/call-commands.js';
import { beginClick } from '../../domain/calls/commands/click-records.js';
import { clickTarget } from '../../domain/calls/commands/click-target.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import { signInAgent } from '../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { givePassword, tokenBy } from '../support/doors/login.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

/** Calls that are started, supervised and commanded by API: who may, and what HTTP says; the test is the server. */
const { db } = await freshDatabase(t);
await provision(db, crowd(3));
await addGroup(db, 'astercc', { name: 'sales' });
await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['sales'] });
await addUser(db, 'astercc', { username: 'gerd' });
await addExtension(db, 'astercc', { number: '5009', user: 'gerd' });
await setGroup(db, 'astercc', 'support', {
  application: 'customer_service',
  administrators: { add: ['gerd'] },
});
await setGroup(db, 'astercc', 'sales', { application: 'campaign' });
await signInAgent(db, 'astercc', '1001', { extension: '5001', by: 'test' });
await signInAgent(db, 'astercc', '2001', { extension: '5003', by: 'test' });
const password = 'a long way home';
await givePassword(db, { agents: '1001' }, password);
await givePassword(db, { users: 'gerd' }, password);
const web = await apiOf(t, db, { requestsPerMinute: 10_000, guessesPerMinute: 10_000 });
const agent = await tokenBy(web, { team: 'astercc', agent: '1001', password });
const gerd = await tokenBy(web, { team: 'astercc', username: 'gerd', password });
const machine = await tokenOf(db, 'astercc', 'supervisor');
const reader = await tokenOf(db, 'astercc', 'reader');
await takeLeaderLease(db, 'default', 'one', 600);

/** Asks, and does what a server would: returns the answer and the command that it was given. */
async function ask(
  token: string,
  path: string,
  body: object,
  serve: (command: ClaimedCommand) => Promise<object> = () => Promise.resolve({}),
): Promise<{ status: number; body: Record<string, unknown>; command: ClaimedCommand | undefined }> {
  const answer = web.inject({
    method: 'POST',
    url: `/v1/teams/astercc/${path}`,
    headers: bearer(token),
    body,
  });
  const state = { over: false };
  const answered = answer.then((result) => {
    state.over = true;
    return result;
  });
  let command: ClaimedCommand | undefined;
  while (!state.over && command === undefined) {
    command = await claimCallCommand(db, 'default', 'one');
    if (command)
      await finishCallCommand(db, command.id, { result: 'done', reason: null, ...(await serve(command)) });
  }
  const { statusCode, body: text } = await answered;
  return { status: statusCode, body: JSON.parse(text) as Record<string, unknown>, command };
}

const begins = async (command: ClaimedCommand): Promise<object> => {
  const target = await clickTarget(db, 'astercc', command.arguments['agent'] ?? '');
  const given = {
    command: command.id,
    node: 'default',
    dialled: '5002',
    inside: true,
    autoAnswer: false,
    by: 'x',
  };
  t.ok(await beginClick(db, target, given));
  return {};
};

await t.test('who may start a call for whom', async (t) => {
  const body = { agent: '1001', to: '5002' };
  t.match(await ask(agent, 'calls', { agent: '2001', to: '5002' }), {
    status: 404,
    body: { code: 'unknown' },
  });
  t.match(await ask(gerd, 'calls', { agent: '2001', to: '5002' }), {
    status: 404,
    body: { code: 'unknown' },
  });
  t.match(await ask(reader, 'calls', body), { status: 403, body: { code: 'role_wanted' } });
  const id = 'a-call-made-up-by-a-crm';
  const started = await ask(agent, 'calls', { ...body, id, auto_answer: true }, begins);
  t.match(started, {
    status: 202,
    body: { call: /^star64-click-/, agent: '1001', extension: '5001', to: '5002' },
    command: { kind: 'originate', arguments: { agent: '1001', to: '5002', auto_answer: 'yes' } },
  });
  t.match(await ask(agent, 'calls', { ...body, id, auto_answer: true }), {
    status: 202,
    body: started.body,
    command: undefined,
  });
  t.match(await ask(agent, 'calls', { ...body, id }), {
    status: 422,
    body: { code: 'request_taken' },
  });
  const answered = await web.inject({
    method: 'POST',
    url: '/v1/teams/astercc/calls',
    headers: { ...bearer(agent), 'idempotency-key': id },
    body: { ...body, auto_answer: true },
  });
  t.match([answered.statusCode, answered.json()], [202, started.body], 'a header that says the same');
  t.match(await ask(machine, 'calls', body), { status: 409, body: { code: 'in_call' } });
  t.match(await ask(machine, 'calls', { agent: '1002', to: '5002' }), {
    status: 409,
    body: { code: 'not_signed_in' },
  });
  t.match(
    await ask(machine, 'calls', { agent: '2001', to: '5002' }, () =>
      Promise.resolve({
        result: 'refused',
        reason: 'may not',
        code: 'call_not_allowed',
        facts: { reason: 'class' },
      }),
    ),
    { status: 403, body: { code: 'call_not_allowed', facts: { reason: 'class' } } },
  );
});

await t.test('an agent does something in a call with their own phone alone', async (t) => {
  const { uniqueid: call } = await db('calls').first<{ uniqueid: string }>('uniqueid');
  await db('agent_states').whereNull('ended_at').update({ call_uniqueid: call });
  for (const verb of ['hold', 'resume', 'back', 'conference', 'hangup'])
    t.match(await ask(agent, `calls/${call}/${verb}`, {}), {
      status: 200,
      command: { kind: verb, arguments: { from: '5001' } },
    });
  t.match(await ask(agent, `calls/${call}/transfer`, { number: '5002', from: '5003' }), {
    status: 200,
    command: { arguments: { number: '5002', from: '5001' } },
  });
  t.match(await ask(machine, `calls/${call}/resume`, {}), { status: 200, command: { arguments: {} } });
});

await t.test('supervision is asked for by call or by agent, and never by an agent', async (t) => {
  const { uniqueid: call } = await db('calls').first<{ uniqueid: string }>('uniqueid');
  const body = { mode: 'whisper', extension: '5009' };
  t.match(await ask(gerd, `calls/${call}/supervise`, body), {
    status: 202,
    command: { kind: 'supervise', call, arguments: { mode: 'whisper', from: '5009', groups: 'support' } },
  });
  t.match(await ask(gerd, 'agents/1001/supervise', body), {
    status: 202,
    command: { kind: 'supervise', call: null, arguments: { extension: '5001' } },
  });
  t.match(await ask(gerd, 'agents/2001/supervise', body), { status: 404 });
  t.match(await ask(gerd, 'agents/1001/supervise', { ...body, extension: '5002' }), {
    status: 404,
    command: undefined,
  });
  t.match(await ask(agent, `calls/${call}/supervise`, body), { status: 403, body: { code: 'role_wanted' } });
  t.match(await ask(machine, 'agents/1001/supervise', { ...body, mode: 'shout' }), { status: 422 });
  t.match(
    await ask(machine, 'agents/1001/supervise', body, () =>
      Promise.resolve({ result: 'refused', reason: 'none', code: 'not_administrator' }),
    ),
    { status: 403, body: { code: 'not_administrator' } },
  );
});
