import t from 'tap';
import { addApiToken } from '../../domain/provisioning/people/api-token.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { givePassword, tokenBy } from '../support/doors/login.js';
import { pastShift } from '../support/states.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

const { db } = await freshDatabase(t);
await provision(db, crowd(3));
await addGroup(db, 'astercc', { name: 'sales' });
await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['sales'] });
await addTeam(db, 'zeta', {});
for (const agent of ['1001', '1002', '2001'])
  await pastShift(db, agent, [
    ['idle', '2025-11-24T08:00:00Z', '2025-11-24T09:00:00Z'],
    ['paused', '2025-11-24T09:00:00Z', '2025-11-24T09:10:00Z', 'Lunch'],
    ['paused', '2025-11-24T09:10:00Z', '2025-11-24T09:11:00Z'],
  ]);
const web = await apiOf(t, db);
const supervisor = await tokenOf(db, 'astercc', 'supervisor');

interface Page {
  items: { agent: string }[];
  next_cursor: string | null;
}
const day = 'since=2025-11-24T09:05:00Z&until=2025-11-25T00:00:00%2B01:00';
const get = (query: string, token: string, team = 'astercc') =>
  web.inject({ url: `/v1/teams/${team}/reports/agents?${query}`, headers: bearer(token) });
const numbers = async (query: string, token: string) =>
  (await get(query, token)).json<Page>().items.map(({ agent }) => agent);

await t.test('the report of a period, an agent an item, a page at a time', async (t) => {
  const page = (await get(`${day}&limit=2`, supervisor)).json<Page>();
  t.match(page, { since: '2025-11-24T09:05:00.000Z', until: '2025-11-24T23:00:00.000Z' });
  t.match(page.items[0], {
    agent: '1001',
    signed_in_seconds: 360,
    idle_seconds: 0,
    ringing_seconds: 0,
    talking_seconds: 0,
    wrap_up_seconds: 0,
    paused_seconds: 360,
    pauses: [
      { reason: 'Lunch', seconds: 300 },
      { reason: 'no reason', seconds: 60 },
    ],
  });
  t.same(await numbers(`${day}&limit=2&cursor=${page.next_cursor}`, supervisor), ['2001']);
  t.match((await get(`${day}&limit=2&cursor=${page.next_cursor}`, supervisor)).json(), { next_cursor: null });
  t.same(await numbers(`${day}&group=sales`, supervisor), ['2001']);
  t.same(await numbers(`${day}&agent=1002`, supervisor), ['1002']);
});

await t.test('no period, one that is too long, a group and an agent that there are not', async (t) => {
  for (const [query, status, code] of [
    ['', 422, 'invalid_request'],
    ['since=yesterday', 422, 'invalid_request'],
    ['since=2025-01-01T00:00:00Z', 422, undefined],
    [`${day}&group=nobody`, 404, 'unknown'],
    [`${day}&agent=1999`, 404, 'unknown'],
  ] as const) {
    const answer = await get(query, supervisor);
    t.equal(answer.statusCode, status, answer.body);
    if (code) t.match(answer.json(), { code });
  }
});

await t.test('who sees whom', async (t) => {
  t.equal((await get(day, await tokenOf(db, 'astercc', 'reader'))).statusCode, 403);
  t.equal((await get(day, await tokenOf(db, 'zeta', 'administrator'))).statusCode, 404);
  t.equal((await get(day, supervisor, 'zeta')).statusCode, 404);
  const { token: ofSales } = await addApiToken(db, 'astercc', 'sales', {
    role: 'supervisor',
    groups: ['sales'],
    by: 'test',
  });
  t.same(await numbers(day, ofSales), ['2001'], 'of their groups alone');
  t.equal((await get(`${day}&group=support`, ofSales)).statusCode, 404);
  t.equal((await get(`${day}&agent=1001`, ofSales)).statusCode, 404);
  await givePassword(db, { agents: '1001' }, 'a long way home');
  const agent = await tokenBy(web, { team: 'astercc', agent: '1001', password: 'a long way home' });
  t.same(await numbers(day, agent), ['1001'], 'an agent themselves');
  t.equal((await get(`${day}&agent=1002`, agent)).statusCode, 404);
});
