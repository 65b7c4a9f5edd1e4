import type { Test } from 'tap';
import { addAgent } from '../../../domain/provisioning/people/agent.js';
import { addGroup, setGroup } from '../../../domain/provisioning/people/group.js';
import { addTeam } from '../../../domain/provisioning/team.js';
import { addUser } from '../../../domain/provisioning/people/user.js';
import { crowd, provision } from '../../../lab/provision.js';
import { freshDatabase } from '../database.js';
import { givePassword } from './login.js';
import { apiOf, bearer } from './web.js';

/**
 * The API of a team of which agents 1001 and 1003 log in, its administrator anna, gerd, who administers the group support,
 * and nobody, who may do nothing.
 */
export async function loginSite(t: Test) {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(4));
  await addTeam(db, 'other', {});
  await addGroup(db, 'astercc', { name: 'sales' });
  const password = 'a long way home';
  await addAgent(db, 'astercc', { number: '2001', user: 'crowd', groups: ['sales'] });
  await addUser(db, 'astercc', { username: 'anna', administrator: true });
  for (const username of ['gerd', 'nobody']) await addUser(db, 'astercc', { username });
  for (const agents of ['1001', '1003']) await givePassword(db, { agents }, password);
  for (const users of ['anna', 'gerd', 'nobody']) await givePassword(db, { users }, password);
  await setGroup(db, 'astercc', 'support', { administrators: { add: ['gerd'] } });
  const web = await apiOf(t, db, { requestsPerMinute: 10_000, guessesPerMinute: 10_000 });

  const agent = { team: 'astercc', agent: '1001', password };
  const get = async (url: string, token: string) => {
    const answer = await web.inject({ url, headers: bearer(token) });
    return [answer.statusCode, answer.json<{ code?: string }>().code ?? 'ok'];
  };
  const post = (url: string, token: string, body: object = {}) =>
    web.inject({ method: 'POST', url, headers: bearer(token), body });
  const forget = () => db('login_failures').delete();
  return { db, password, web, agent, get, post, forget };
}
