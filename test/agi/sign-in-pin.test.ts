import { pino } from 'pino';
import t from 'tap';
import { signInPin } from '../../agi/scripts/sign-in-pin.js';
import type { Services } from '../../agi/scripts/script.js';
import type { Session } from '../../agi/wire/session.js';
import { setAgent } from '../../domain/provisioning/people/agent.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';

const pin = '48263917';
const { db } = await freshDatabase(t);
await provision(db, crowd(1));
await setAgent(db, 'astercc', '1001', { pin });
await setTeam(db, 'astercc', { phonePin: true });

/** One call in which this is keyed, `` for silence: what the phone is asked and told. */
async function call(...keyed: string[]): Promise<string[]> {
  const heard: string[] = [];
  const session = {
    request: { uniqueid: 'call.1', script: 'sign-in-pin' },
    noop: () => Promise.resolve(),
    getData: (prompt: string) => {
      heard.push(prompt);
      return Promise.resolve(keyed.shift() ?? 'too often');
    },
    setVariable: (_name: string, value: string) => Promise.resolve(heard.push(value)),
  };
  const membership = { sync: () => Promise.resolve() };
  const services = { db, membership, log: pino({ enabled: false }) };
  const args = ['astercc', 'astercc-5001', '1001', ''];
  await signInPin(services as unknown as Services, session as unknown as Session, args);
  return heard;
}
const failures = () => db('sign_in_failures').where({ kind: 'agent' }).pluck<number[]>('failures');

await t.test(
  'silence is no wrong PIN: it is asked again, not counted, and after the third time over',
  async (t) => {
    t.same(await call('0815', '', ''), ['agent-pass', 'auth-incorrect', 'agent-pass', 'done,vm-goodbye']);
    for (let time = 0; time < 3; time++) {
      t.same(await call('', '', ''), ['agent-pass', 'agent-pass', 'agent-pass', 'done,vm-goodbye']);
    }
    t.same(await failures(), [1]);
    t.same(await call('', pin), ['agent-pass', 'agent-pass', 'done,agent-loginok']);
    t.same(await failures(), []);
  },
);

await t.test('a lock is said as a lock, and not as something wrong', async (t) => {
  await db('sign_ins').update({ signed_out_at: db.raw('clock_timestamp()') });
  await call('0815', '0815', '0815');
  const locked = 'done,beeperr&confbridge-pin-bad&please-try-call-later';
  t.same(await call('0815', '0815', '0815'), ['agent-pass', 'auth-incorrect', 'auth-incorrect', locked]);
});
