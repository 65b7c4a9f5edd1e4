import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import {
  answerPhoneQuestion,
  askPhoneAddresses,
  openPhoneQuestions,
  type RegisteredAt,
} from '../../domain/presence/phone-questions.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { registeredFrom } from '../../domain/provisioning/people/agent-sign-in.js';
import { addApiToken } from '../../domain/provisioning/people/api-token.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { givePassword, tokenBy } from '../support/doors/login.js';
import { apiOf, bearer } from '../support/doors/web.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(3));
await addGroup(db, 'astercc', { name: 'sales' });
await addUser(db, 'astercc', { username: 'neighbour' });
await addExtension(db, 'astercc', { number: '5009', user: 'neighbour' });
const web = await apiOf(t, db);
const password = 'a long way home';
await givePassword(db, { agents: '1001' }, password);
const token = await tokenBy(web, { team: 'astercc', agent: '1001', password });
await takeLeaderLease(db, 'default', 'one', 600, 0);

const act = async (verb: string, body: object = {}, headers = bearer(token)) => {
  const url = `/v1/teams/astercc/agents/1001/${verb}`;
  const answer = await web.inject({ method: 'POST', url, headers, remoteAddress: '10.0.0.5', body });
  return { status: answer.statusCode, ...answer.json<Record<string, unknown>>() };
};
/** Answers the next question in the place of a server. */
const answerNext = async (phones: RegisteredAt): Promise<string[]> => {
  const question = await until('a question', async () => (await openPhoneQuestions(db, 'default', 'one'))[0]);
  await answerPhoneQuestion(db, question.id, phones);
  return question.phones.map(({ extension }) => extension);
};
const at = async (phones: RegisteredAt, body: object = {}) => {
  const [answer, asked] = await Promise.all([act('sign-in', body), answerNext(phones)]);
  return { ...answer, asked };
};

await t.test('an adaptive agent names an extension', async (t) => {
  t.match(await act('sign-in'), {
    status: 422,
    code: 'phone_wanted',
    facts: { candidates: [], phones: ['5001', '5002', '5003'] },
  });
  t.match(await act('sign-in', { extension: '5002' }), { status: 200, extension: '5002' });
  t.match(await act('sign-in', { extension: '4711' }), { status: 404, code: 'unknown' });
  t.match(
    await act('sign-in', { extension: '5009' }),
    { status: 422, code: 'phone_wanted', facts: { candidates: ['5001', '5003'] } },
    'the room and the purse of another',
  );
  t.match(await act('work-mode', { mode: 'inbound' }), { status: 409, code: 'no_choice' });
  t.match(await act('pause', { reason: '7' }), { status: 404, code: 'unknown' });
  t.match(await act('sign-out'), { status: 200, outcome: 'signed-out' });
  t.match(await act('sign-out'), { status: 409, code: 'not_signed_in' });
});

await t.test('a group that is not theirs leaves them signed out', async (t) => {
  t.match(await act('sign-in', { extension: '5002', group: 'sales' }), { status: 409, code: 'conflict' });
  t.match(await act('sign-in', { extension: '5002', group: 'nothing' }), { status: 404 });
  t.match(await act('ready'), { status: 409, code: 'not_signed_in' });
});

await t.test('a dynamic agent at the phone of their address: none, one, several', async (t) => {
  await setAgent(db, 'astercc', '1001', { kind: 'dynamic' });
  const none = await at({ '5002': ['10.0.0.6'] });
  t.match(none, { status: 422, code: 'phone_wanted', facts: { candidates: [] } });
  t.same(none.asked, ['5001', '5002', '5003'], 'asked of their own phones, and nobody else is');
  t.match(await at({ '5001': ['10.0.0.5'], '5003': ['10.0.0.5'] }), {
    status: 422,
    code: 'phone_wanted',
    facts: { candidates: ['5001', '5003'] },
  });
  t.match(await at({ '5001': ['10.0.0.6'], '5003': ['10.0.0.5'] }, { group: 'support' }), {
    status: 200,
    extension: '5003',
    group: 'support',
  });
  t.match(await act('sign-out'), { status: 200 });
  t.match(
    await act('sign-in', { extension: '5001' }),
    { status: 200, extension: '5001' },
    'or where they say',
  );
  t.match(await act('sign-in', { extension: '5009' }), { status: 422, code: 'phone_wanted' });
  t.match(await act('sign-out'), { status: 200 });
  t.same(await db('phone_questions'), [], 'nothing is left of the questions');
});

await t.test('the address of a program is not the agent’s', async (t) => {
  const crm = await addApiToken(db, 'astercc', 'crm', { role: 'supervisor', by: 'test' });
  t.match(await act('sign-in', {}, bearer(crm.token)), { status: 422, code: 'phone_wanted' });
  t.match(await act('sign-in', { extension: '5009' }, bearer(crm.token)), { status: 200, extension: '5009' });
  t.match(await act('sign-out'), { status: 200 });
});

await t.test('a fixed agent is at their phone, whatever they say', async (t) => {
  await setAgent(db, 'astercc', '1001', { kind: 'fixed', extension: '5001' });
  t.match(await act('sign-in', { extension: '5003' }), { status: 200, extension: '5001' });
  t.match(await act('sign-out'), { status: 409, code: 'fixed_agent' });
});

await t.test('without a server nobody can say, and a server that does not lead is not asked', async (t) => {
  const refused = t.rejects(askPhoneAddresses(db, 'astercc', '1001', { seconds: 600, lookMs: 10 }), {
    code: 'no_server',
  });
  await until('the question', async () => (await openPhoneQuestions(db, 'default', 'one'))[0]);
  t.same(await openPhoneQuestions(db, 'default', 'two'), []);
  await db('phone_questions').update({ expires_at: db.raw('clock_timestamp()') });
  await refused;
  t.same(await db('phone_questions'), []);
});

await t.test('addresses in whatever way they are written', (t) => {
  const phones = { '5001': ['10.0.0.5'], '5002': ['2001:db8::5'], '5003': ['10.0.0.50'] };
  t.same(registeredFrom(phones, '::ffff:10.0.0.5'), ['5001']);
  t.same(registeredFrom(phones, '2001:0DB8:0:0::5'), ['5002']);
  t.same(registeredFrom(phones, 'nowhere'), []);
  t.end();
});
