import t from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import { findQueue } from '../../domain/calls/queue.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { crowd, provision } from '../../lab/provision.js';
import { cli } from '../support/cli.js';
import { freshDatabase } from '../support/database.js';
import { callJoined, defaultNode } from '../support/records.js';

const { url, db } = await freshDatabase(t);
const env = { DATABASE_URL: url };
await provision(db, crowd(2));
const queue = await findQueue(db, defaultNode, 'astercc-support');
const entered = await signIn(db, 'astercc', { agent: '1001', extension: '5001', by: 'test' });
if (entered.outcome !== 'signed-in' || !queue) throw new Error('the team is not as it was set up');
await callJoined(db, 'astercc-support', 'call-1', '+4930\u009b2J');
await transition(db, entered.signIn.id, 'offer', {
  callUniqueid: 'call-1',
  groupId: queue.groupId,
});

const moment = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

await t.test('as data, with stable names', async (t) => {
  const { status, out, err } = await cli(['status', '--json', '--within', '30'], { env });
  t.match({ status, err }, { status: 0, err: '' });
  const data = JSON.parse(out) as { groups: object[]; agents: object[] };
  t.match(data, {
    team: 'astercc',
    at: moment,
    time_zone: 'UTC',
    today: moment,
    service_level: { formula: 'answered within 30 s / (answered + abandoned)', within_seconds: 30 },
  });
  t.match(data.groups[0], { name: 'support', waiting: 1, waiting_since: moment, talking: 0, signed_in: 1 });
  t.match(data.groups[0], { answered: 0, answered_in_time: 0, abandoned: 0, service_level: null });
  t.match(data.agents[0], {
    number: '1001',
    name: 'crowd',
    state: 'ringing',
    extension: '5001',
    since: moment,
  });
  t.match(data.agents[0], {
    until: null,
    reason: null,
    group: 'support',
    call: 'call-1',
    caller: '+4930\u009b2J',
  });
  t.match(data.agents[1], { number: '1002', state: 'signed-out', extension: null, since: null });
  t.notOk(out.includes('\u009b'), 'a caller cannot talk to the terminal');
});

await t.test('as text, in a pipe and on a terminal', async (t) => {
  const pipe = await cli(['status'], { env });
  t.match(
    pipe.out,
    /^support\t1\t\d{4}-[^\t]+Z\t0\t1\t\n1001\tcrowd\tringing\t5001\t[^\t]+Z\t\tsupport\t\+4930\ufffd2J\n/,
  );
  t.match(pipe.out, /\n1002\tcrowd\tsigned-out\t\t\t\t\t\n$/);
  const terminal = await cli(['status'], { env, terminal: true });
  t.match(
    terminal.out,
    /^NAME .* WAITING .* SERVICE LEVEL\nsupport .*\nNUMBER +NAME +STATE +EXTENSION .*\n1001 .* ringing/,
  );
  t.match(await cli(['status', '--within', '86401'], { env }), { status: 2, err: /from 0 to 86400/ });
});
