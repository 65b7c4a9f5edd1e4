import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import t from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import { findQueue } from '../../domain/calls/queue/queue.js';
import { notAppliedEmergency } from '../../domain/monitor/notices.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { crowd, provision } from '../../lab/provision.js';
import { look } from '../../pbx/health.js';
import { readEpoch } from '../../pbx/queue/status.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { callJoined, defaultNode } from '../support/records.js';
import { StubManager } from '../support/stub-manager.js';

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
  await db.raw(`update teams set time_zone = 'Asia/Tokyo'`);
  const { rows } = await db.raw<{ rows: { since: string }[] }>(
    `select to_char(joined_at at time zone 'Asia/Tokyo', 'YYYY-MM-DD HH24:MI:SS') as since from queue_visits`,
  );
  await db.raw(`insert into queue_visits (team_id, node, call_id, uniqueid, group_id, joined_at, answered_at, left_at, outcome)
    select team_id, node, call_id, 'call-0', group_id, now(), now() + s, now() + s, 'answered'
    from queue_visits, unnest(array[interval '1 s', '30 s', '1 s']) s`);
  const pipe = await cli(['status'], { env });
  const [head = '', ...lines] = pipe.out.split('\n').slice(0, -1);
  const table = lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(head.split('\t').map((name, index) => [name, cells[index]]));
  });
  t.match(table, [
    { kind: 'server', name: /:\d+$/, state: /^(answers|silent)$/ },
    { kind: 'asterisk', name: 'default', state: 'not asked' },
    { kind: 'group', name: 'support', waiting: '1', waiting_since: rows[0]?.since, service_level: '66.67 %' },
    { kind: 'agent', name: '1001', person: 'crowd', state: 'ringing', caller: '+4930\ufffd2J' },
    { kind: 'agent', name: '1002', state: 'signed-out', since: '', extension: '' },
  ]);
  for (const line of lines) t.equal(line.split('\t').length, head.split('\t').length, line);
  const terminal = await cli(['status'], { env, terminal: true });
  t.match(
    terminal.out,
    /^servers +[01] of 1 answer.*\nasterisk +not asked\n[^]*\nNAME .* WAITING .* SERVICE LEVEL\nsupport .*66\.67 %\nNUMBER +NAME +STATE +EXTENSION .*\n1001 .* ringing/,
  );
  t.match(await cli(['status', '--within', '86401'], { env }), { status: 2, err: /from 0 to 86400/ });
});

await t.test(
  'servers and an Asterisk that are away are said, and the exit status says it, too',
  async (t) => {
    const servers = createServer().listen(0, '127.0.0.1');
    await once(servers, 'listening');
    t.teardown(() => servers.close());
    const { port } = servers.address() as AddressInfo;
    const asterisk = {
      ...env,
      STAR64_AMI_SECRET: 'not-there-64',
      STAR64_AMI_PORT: '1',
      STAR64_AGI_SERVERS: `127.0.0.1:${port},127.0.0.1:1`,
    };
    const said = await cli(['status'], { env: asterisk });
    t.match(said, { status: 7, err: /^star64: Asterisk cannot be reached at 127\.0\.0\.1:1 .*ami\.secret/m });
    t.match(said.out, `server\t127.0.0.1:${port}\tanswers`);
    t.match(said.out, 'server\t127.0.0.1:1\tsilent');
    t.match(said.out, /^asterisk\tdefault\taway\t/m);
    t.match(said.out, /^agent\t1001\tringing/m, 'the rest is known all the same');
  },
);

await t.test('what Asterisk says: its files, the lease, phones that it cannot reach', async (t) => {
  const manager = new StubManager('astercc-support');
  await manager.action('QueueAdd', {
    Queue: 'astercc-support',
    Interface: 'PJSIP/astercc-5001',
    MemberName: '1001',
  });
  const where = { team: 'astercc', node: defaultNode };
  t.same(await look(manager, db, where, 'g0123456789abcdef'), {
    generation: { name: 'g0123456789abcdef', loaded: false },
    leaseSeconds: 0,
    unreachable: [],
    rooms: [],
    emergencyNotLoaded: ['112', '911'],
  });
  manager.unavailable.add('PJSIP/astercc-5001');
  manager.generation = 'g0123456789abcdef';
  manager.variables.set('STAR64_LEASE', String((await readEpoch(manager)) + 9));
  t.match(await look(manager, db, where, 'g0123456789abcdef'), {
    generation: { loaded: true },
    leaseSeconds: 8,
    unreachable: [{ agent: '1001', extension: '5001', device: 'PJSIP/astercc-5001' }],
  });
  t.match(await look(manager, db, { ...where, team: 'other' }, undefined), {
    generation: null,
    unreachable: [],
  });
});

await t.test(
  'emergency numbers that Asterisk has not got yet are named, and none of another node',
  async (t) => {
    const manager = new StubManager('astercc-support');
    const missing = async (node = defaultNode) =>
      (await look(manager, db, { team: 'astercc', node }, undefined)).emergencyNotLoaded;
    manager.dialplan.set('astercc-emergency', ['112', '112#', '911', '911#']);
    t.same(await missing(), []);
    await setTeam(db, 'astercc', { emergency: '112,911,116117' });
    t.same(await missing(), ['116117']);
    t.same(await missing('elsewhere'), [], 'this Asterisk is not the one of the team');
    t.match(notAppliedEmergency('astercc', ['116117']), [{ says: /116117 .*`star64 apply`/ }]);
    t.same(notAppliedEmergency('astercc', []), []);
    await setTeam(db, 'astercc', { emergency: null });
    t.same(await missing(), []);
  },
);
