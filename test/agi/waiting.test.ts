import { pino } from 'pino';
import t from 'tap';
import { waiting } from '../../agi/scripts/waiting.js';
import type { Services } from '../../agi/scripts/script.js';
import type { Session } from '../../agi/wire/session.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { setCurrentGroup } from '../../domain/presence/current-group.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import { crowd, provision } from '../../lab/provision.js';
import { freshDatabase } from '../support/database.js';
import { callJoined } from '../support/records.js';

const { db } = await freshDatabase(t);
const groups = [
  { name: 'support', number: '60' },
  { name: 'sales', number: '61' },
];
await provision(db, crowd(2, { groups }));
await provision(db, crowd(2, { team: 'b2', groups, did: '600101' }));
await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });

/** What the phone is told that dials *69 and these digits. */
async function told(digits: string, phone = 'astercc-5001', team = 'astercc'): Promise<string> {
  let heard = '';
  const session = {
    request: { uniqueid: 'call.1', script: 'waiting' },
    noop: () => Promise.resolve(),
    setVariable: (_name: string, value: string) => Promise.resolve((heard = value)),
  };
  const services = { db, log: pino({ enabled: false }) };
  await waiting(services as unknown as Services, session as unknown as Session, [team, phone, digits, '']);
  return heard;
}
const queue = (number: string): string =>
  ['number', ...Array.from(number, (digit) => `digits/${digit}`)].join('&');

await t.test(
  'how many wait, and how long the first of them; of the current group without digits',
  async (t) => {
    const queues = ['astercc-support', 'astercc-support', 'astercc-support', 'astercc-sales', 'b2-support'];
    for (const [index, name] of queues.entries()) await callJoined(db, name, `call.${index}`);
    await db.raw(`update queue_visits set joined_at = now() - make_interval(secs => 100 - id)`);
    // One is answered, and talks.
    await db.raw(`update queue_visits set joined_at = now() - interval '10 minutes', answered_at = now(), outcome = 'answered'
    where id = (select min(id) from queue_visits)`);
    t.match(await told(''), `done,${queue('60')}&call-waiting&number:2&queue-reporthold&number:1&minutes`);
    t.match(await told('61'), `done,${queue('61')}&call-waiting&number:1&queue-reporthold`);
    t.match(await told('60', 'astercc-5002'), /number:2/, 'also a phone at which nobody is signed in');
    await setCurrentGroup(db, 'astercc', { agent: '1001' }, { name: 'sales' });
    t.match(await told(''), queue('61'));
    await db('queue_visits').delete();
    t.equal(await told(''), `done,${queue('61')}&call-waiting&number:0`);
  },
);

await t.test(
  'where there is no queue to tell of, it asks for one, and never tells of another team',
  async (t) => {
    t.match(await told('', 'astercc-5002'), /^again,call-waiting&number&/);
    t.equal(await told('62'), 'again,invalid');
    await setGroup(db, 'b2', 'sales', { number: '63' });
    t.equal(await told('63'), 'again,invalid');
    t.match(await told('63', 'b2-5001', 'b2'), /^done,/);
    t.equal(await told('60', 'b2-5001'), 'done,beeperr&privacy-unident', 'nor to a phone of another team');
  },
);
