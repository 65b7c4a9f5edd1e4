import t from 'tap';
import { setAgent } from '../../../domain/provisioning/people/agent.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, waitMembers } from '../../support/centre.js';
import { givePassword, tokenBy } from '../../support/doors/login.js';
import { apiOf, bearer } from '../../support/doors/web.js';

/** A dynamic agent logs in at a page and signs in without saying where: at the phone of their own address (spec 22). */
const centre = await centreOf(t, crowd(3));
const web = await apiOf(t, centre.db);
const password = 'a long way home';
for (const agent of ['1001', '1002']) {
  await setAgent(centre.db, 'astercc', agent, { kind: 'dynamic' });
  await givePassword(centre.db, { agents: agent }, password);
}
const desk = await centre.phone('5001', { address: '127.0.0.5' });
await centre.phone('5002', { address: '127.0.0.6' });

const token = await tokenBy(web, { team: 'astercc', agent: '1001', password });
const act = async (verb: string, from: string, body: object = {}) => {
  const answer = await web.inject({
    method: 'POST',
    url: `/v1/teams/astercc/agents/1001/${verb}`,
    headers: bearer(token),
    remoteAddress: from,
    body,
  });
  return { status: answer.statusCode, ...answer.json<Record<string, unknown>>() };
};

await t.test('no phone at the address: asked for one, and told which are free', async (t) => {
  t.match(await act('sign-in', '127.0.0.9'), {
    status: 422,
    code: 'phone_wanted',
    facts: { candidates: [], phones: ['5001', '5002', '5003'] },
  });
});

await t.test('one phone at the address: signed in there, and in the queue', async (t) => {
  t.match(await act('sign-in', '127.0.0.5'), { status: 200, outcome: 'signed-in', extension: '5001' });
  await waitMembers(centre, 'astercc-support', ['1001']);
  t.match(await act('pause', '127.0.0.5'), { status: 200, outcome: 'paused' });
  t.match(await act('ready', '127.0.0.5'), { status: 200, outcome: 'ready' });
  t.match(await act('sign-out', '127.0.0.5'), { status: 200, outcome: 'signed-out' });
  await waitMembers(centre, 'astercc-support', []);
});

await t.test('several behind one address: asked which, by name', async (t) => {
  await centre.phone('5003', { address: '127.0.0.6' });
  t.match(await act('sign-in', '127.0.0.6'), {
    status: 422,
    code: 'phone_wanted',
    facts: { candidates: ['5002', '5003'] },
  });
  t.match(await act('sign-in', '127.0.0.6', { extension: '5003', group: 'support' }), {
    status: 200,
    extension: '5003',
    group: 'support',
  });
  t.match(await act('sign-out', '127.0.0.6'), { status: 200 });
});

await t.test('a phone that has gone is no candidate', async (t) => {
  await desk.unregister();
  await desk.stop();
  const gone = await until('its registration to end', async () => {
    const answer = await act('sign-in', '127.0.0.5');
    if (answer.status === 200) await act('sign-out', '127.0.0.5');
    return answer.status === 422 ? answer : undefined;
  });
  t.match(gone, { code: 'phone_wanted', facts: { candidates: [] } });
});
