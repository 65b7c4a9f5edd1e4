import t from 'tap';
import { CallJournal } from '../../domain/calls/records/journal.js';
import { pino } from 'pino';
import {
  pauseAgent,
  setAgentGroup,
  setAgentWorkMode,
} from '../../domain/provisioning/people/admin-action.js';
import { addAgent } from '../../domain/provisioning/people/agent.js';
import { addGroup } from '../../domain/provisioning/people/group.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { enter } from '../support/doors/event-feed.js';
import { givePassword, tokenBy } from '../support/doors/login.js';
import { callJoined, defaultNode } from '../support/records.js';
import { apiOf, bearer, tokenOf } from '../support/doors/web.js';

/** How agents and queues of a team stand, as software reads it. */
const { db } = await freshDatabase(t);
await provision(
  db,
  crowd(2, { groups: [{ name: 'support', number: '6000', workMode: 'choice' }, { name: 'sales' }] }),
);
await addGroup(db, 'astercc', { name: 'night' });
await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['sales'] });
await provision(db, crowd(1, { team: 'other', did: '600200' }));
const password = 'a long way home';
await givePassword(db, { agents: '2001' }, password);
const web = await apiOf(t, db);
const reader = await tokenOf(db, 'astercc', 'reader');
const agent = await tokenBy(web, { team: 'astercc', agent: '2001', password });
const get = async (path: string, token = reader) => {
  const answer = await web.inject({ url: `/v1/teams/astercc/${path}`, headers: bearer(token) });
  return {
    status: answer.statusCode,
    body: answer.json<{ items?: { number: string }[]; callers?: object[] }>(),
  };
};

await t.test('agents by group and state, with what they have chosen', async (t) => {
  await enter(db, 1);
  await enter(db, 2);
  await setAgentWorkMode(db, 'astercc', '1001', 'inbound');
  await setAgentGroup(db, 'astercc', '1001', 'support');
  await pauseAgent(db, 'astercc', '1002', undefined);
  const numbers = async (query: string, token = reader) =>
    (await get(`agents?${query}`, token)).body.items?.map(({ number }) => number);
  t.same(await numbers('group=sales'), ['1001', '1002', '2001']);
  t.same(await numbers('group=support'), ['1001', '1002']);
  t.same(await numbers('group=support&state=paused'), ['1002']);
  t.same(await numbers('group=night'), []);
  t.same(await numbers('group=sales', agent), ['2001'], 'an agent sees themselves');
  for (const [group, token] of [
    ['nobody', reader],
    ['support', agent],
  ] as const)
    t.match(await get(`agents?group=${group}`, token), { status: 404, body: { code: 'unknown' } });
  t.match((await get('agents/1001')).body, { work_mode: 'inbound', current_group: 'support' });
  t.match((await get('agents/2001')).body, { state: 'signed-out', work_mode: null, current_group: null });
});

await t.test('a queue: how it stands, and who waits, the longest first', async (t) => {
  const journal = new CallJournal(db, defaultNode, pino({ enabled: false }));
  journal.add({ uniqueid: 'c.1', team: 'astercc', did: '600100', caller: '+4930111', destination: null });
  await journal.flush();
  await callJoined(db, 'astercc-sales', 'c.1', '+4930111');
  await callJoined(db, 'astercc-sales', 'c.2');
  await callJoined(db, 'astercc-support', 'c.3');
  await callJoined(db, 'other-support', 'c.4');
  const queue = await get('groups/sales/queue', agent);
  t.match(queue, {
    status: 200,
    body: {
      name: 'sales',
      waiting: 2,
      waiting_since: String,
      service_level: null,
      callers: [
        { call: 'c.1', caller: '+4930111', did: '600100', joined_at: String },
        { call: 'c.2', caller: null, did: null },
      ],
    },
  });
  t.equal(queue.body.callers?.length, 2);
  t.match(await get('groups/night/queue'), { status: 200, body: { waiting: 0, callers: [] } });
  for (const [group, token] of [
    ['nobody', reader],
    ['support', agent],
  ] as const)
    t.match(await get(`groups/${group}/queue`, token), { status: 404, body: { code: 'unknown' } });
});
