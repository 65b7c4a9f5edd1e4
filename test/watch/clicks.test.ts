import t from 'tap';
import { claimCallCommand, noteManagerLacks } from '../../domain/calls/commands/call-commands.js';
import { clickAnswered, clickOver } from '../../domain/calls/commands/click-records.js';
import type { CallWanted } from '../../domain/calls/commands/clicks.js';
import { readStory } from '../../domain/calls/records/story.js';
import { superviseFrom, type SupervisionAsked } from '../../domain/calls/commands/supervise-command.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import { readNotices } from '../../domain/monitor/notices.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { until } from '../../domain/machine/processes.js';
import { pauseAgent, signOutAgent } from '../../domain/provisioning/people/admin-action.js';
import { setGroup } from '../../domain/provisioning/people/group.js';
import { AmiError } from '../../pbx/ami/errors.js';
import { centre, node, refusal, server, start, stateOf, times } from '../support/doors/clicks.js';
import { allReadable } from '../support/doors/event-feed.js';

void t.test('the phone is rung to call a number as the agent dials it, and they are ringing', async (t) => {
  const centreOf = await centre(t);
  const { db, rung, variables } = centreOf;
  await server(t, centreOf);
  const started = await start(db);
  t.match(started, { call: /^star64-click-[0-9]+$/, extension: '5001', agent: '1001' });
  t.same(rung, [`PJSIP/astercc-5001 ${started.call} answered`]);
  t.match(variables[0], {
    STAR64_CLICK_TEAM: 'astercc',
    STAR64_CLICK_FROM: '5001',
    STAR64_CLICK_TO: '0+4930123456',
    STAR64_AGENT_CALL: 'out|called',
    'GROUP(star64)': 'PJSIP/astercc-5001',
  });
  t.notOk(Object.keys(variables[0] ?? {}).some((name) => name.startsWith('PJSIP_HEADER')));
  t.equal(await stateOf(db), 'ringing');
  await clickOver(db, node, started.call, 'no-answer');
  t.equal(await stateOf(db), 'idle');
  t.match(await db('calls').where({ uniqueid: started.call }).first(), {
    direction: 'out',
    outcome: 'no-agent',
    dialled: '+4930123456',
  });
  const inside = await start(db, { to: '5002', autoAnswer: true });
  t.match(variables[1], {
    STAR64_CLICK_TO: '5002',
    STAR64_AGENT_CALL: 'internal|called',
    'PJSIP_HEADER(add,Call-Info)': /answer-after=0/,
  });
  await clickAnswered(db, node, inside.call);
  t.equal(await stateOf(db), 'talking', 'though no call of the dialplan tells of it');
  await clickOver(db, node, inside.call, 'no-answer');
  t.equal(await stateOf(db), 'idle');
  t.match(await db('clicks').orderBy('call_id', 'desc').first(), {
    agent_result: 'answered',
    auto_answer: true,
  });
  t.match(
    (await readStory(db, 'astercc', started.call)).story.map(({ says }) => says),
    [/\+4930123456 is to be called for agent 1001 at 5001/, /rings|do not answer/],
  );
});

void t.test(
  'the same id again: the same answer, nobody is rung twice; another call by it is refused',
  async (t) => {
    const centreOf = await centre(t);
    const { db, rung } = centreOf;
    await server(t, centreOf);
    const [first, second] = await Promise.all([start(db, { id: 'a-1' }), start(db, { id: 'a-1' })]);
    t.same(first, second);
    t.same(await start(db, { id: 'a-1' }), first, 'also while they are in the call');
    t.match(await refusal(start(db, { id: 'a-1', to: '5002' })), { code: 'request_taken', kind: 'usage' });
    t.match(await refusal(start(db, { id: 'with space' })), { code: 'invalid_request_id' });
    t.equal(rung.length, 1);
  },
);

void t.test('the same id at once: what the first has begun keeps the second from nothing', async (t) => {
  const { db } = await centre(t);
  const asked = await db.transaction(async (trx) => {
    // The second has found no call of that id, and is held where it looks at the agent.
    await trx.raw('lock table sign_ins in access exclusive mode');
    const second = start(db, { id: 'a-1' });
    await until('the second to look at the agent', async () => {
      const { rows } = await trx.raw<{ rows: unknown[] }>(
        `select from pg_locks where relation = 'sign_ins'::regclass and not granted`,
      );
      return rows.length > 0 ? true : undefined;
    });
    const { rows } = await trx.raw<{ rows: { id: string }[] }>(
      `insert into call_commands (team_id, node, kind, arguments, given_by, request, expires_at, claimed_at, claimed_by, result, finished_at)
       select id, node, 'originate', '{"agent": "1001", "to": "+4930123456"}', 'test', 'a-1', now(), now(), 'one', 'done', now()
       from teams where identity = 'astercc' returning id`,
    );
    await trx('agent_states').whereNull('ended_at').update({ state: 'talking' });
    return { second, first: `star64-click-${rows[0]?.id ?? ''}` };
  });
  t.match(await asked.second, { call: asked.first, agent: '1001' }, 'the first answer, and no refusal');
});

void t.test('what stands against it is refused with its code, and no phone rings', async (t) => {
  const centreOf = await centre(t);
  const { db, rung, phone } = centreOf;
  await server(t, centreOf);
  const refused = async (code: string, wanted: Partial<CallWanted> = {}, says = /./): Promise<void> => {
    const error = await refusal(start(db, wanted));
    t.equal(error.code, code);
    t.match(error.message, says);
  };
  await refused('unknown', { agent: '1777' });
  await refused('not_signed_in', { agent: '1002' });
  await refused('not_dialled', { to: '*641001' });
  await refused('not_dialled', { to: '${EXTEN}' });
  await refused('call_not_allowed', { to: '+491900123456' }, /class of numbers/);
  await refused('call_not_allowed', { to: '5001' }, /own phone/);
  await refused('call_not_allowed', { to: '77777' }, /could not dial it/);
  phone.state = 'UNAVAILABLE';
  await refused('phone_unreachable');
  phone.state = 'NOT_INUSE';
  phone.reserved = 'taken';
  await refused('in_call', {}, /rings, or is in a call/);
  phone.reserved = 'free';
  phone.count = '2';
  await refused('in_call', {}, /rings, or is in a call/);
  t.match(await db('calls').select(), [{ outcome: 'no-agent' }], 'somebody has come in between');
  await db('calls').del();
  phone.count = '1';
  centreOf.refuses = new AmiError('rejected', 'Permission denied');
  await refused('manager_may_not', {}, /class originate/);
  centreOf.refuses = undefined;
  await noteManagerLacks(db, node, ['originate']);
  t.match(
    (await readNotices(db, 'astercc')).find(({ about }) => about === 'manager'),
    { says: /no calls can be started.*lacks originate/ },
  );
  await noteManagerLacks(db, node, []);
  await setGroup(db, 'astercc', 'support', { workMode: 'inbound' });
  await refused('call_not_allowed', {}, /only take calls/);
  await setGroup(db, 'astercc', 'support', { workMode: 'all', application: null });
  await refused('no_application', {}, /has no application/);
  await setGroup(db, 'astercc', 'support', { application: 'campaign' });
  t.same(rung, []);
  t.equal(await stateOf(db), 'idle');
  t.same(await db('calls').select(), [], 'nothing is recorded of what was refused');
  await pauseAgent(db, 'astercc', '1001', undefined);
  await start(db);
  t.equal(await stateOf(db), 'paused', 'a pause goes on until they talk');
  await signOutAgent(db, 'astercc', '1001', 'test');
  await refused('not_signed_in');
});

void t.test(
  'with no server it is told, no later one carries it out, and the id may be given again',
  async (t) => {
    const centreOf = await centre(t);
    const { db, rung } = centreOf;
    t.match(await refusal(start(db, { id: 'a-1' }, { ...times, claimSeconds: 0 })), {
      code: 'no_server',
      exitCode: 7,
    });
    await server(t, centreOf);
    await start(db, { id: 'a-1' });
    t.equal(rung.length, 1);
  },
);

void t.test(
  'two servers: one rings; killed between claim and Originate: unknown, and nobody ever rings',
  async (t) => {
    const centreOf = await centre(t);
    const { db, rung } = centreOf;
    await takeLeaderLease(db, node, 'one', 60);
    const lost = refusal(start(db, { id: 'a-1' }));
    let claimed;
    while (claimed === undefined) {
      t.equal(await claimCallCommand(db, node, 'two'), undefined, 'it does not lead');
      claimed = await claimCallCommand(db, node, 'one');
    }
    t.match(claimed, { kind: 'originate', call: null, givenBy: 'test', arguments: { agent: '1001' } });
    // The same server, started again.
    await server(t, centreOf);
    t.match(await lost, { code: 'call_command_unknown' });
    t.match(await refusal(start(db, { id: 'a-1' })), { code: 'call_command_unknown' }, 'the first answer');
    t.same(rung, []);
  },
);

void t.test('what happens on each leg is an event, once', async (t) => {
  const centreOf = await centre(t);
  const { db } = centreOf;
  await server(t, centreOf);
  const feed = await EventFeed.open(db, {
    team: 'astercc',
    types: [
      'click.began',
      'click.agent_ringing',
      'click.agent_answered',
      'click.agent_missed',
      'click.customer_ringing',
      'click.customer_answered',
      'click.ended',
    ],
  });
  const { call } = await start(db);
  const told = async (): Promise<string[]> => (await feed.next()).events.map(({ type }) => type);
  const seen: string[] = [];
  while (!seen.includes('click.agent_ringing')) seen.push(...(await told()));
  t.same(seen, ['click.began', 'click.agent_ringing']);
  await clickAnswered(db, node, call);
  await clickAnswered(db, node, call);
  await db('calls')
    .where({ uniqueid: call })
    .update({ ringing_at: db.raw('clock_timestamp()') });
  await db('calls')
    .where({ uniqueid: call })
    .update({ ended_at: db.raw('clock_timestamp()'), outcome: 'busy' });
  await clickOver(db, node, call, 'no-answer');
  await allReadable(db);
  t.same(await told(), ['click.agent_answered', 'click.customer_ringing', 'click.ended']);
});

void t.test('an administrator is rung for a call of their group alone', async (t) => {
  const centreOf = await centre(t);
  const { db, manager, rung, variables, phone } = centreOf;
  await server(t, centreOf);
  const ask = (asked: Partial<SupervisionAsked> = {}): Promise<void> =>
    superviseFrom(
      db,
      'astercc',
      { mode: 'listen', from: '5009', extension: '5001', by: 'test', ...asked },
      times,
    );
  const refused = async (code: string, asked: Partial<SupervisionAsked> = {}): Promise<void> => {
    t.equal((await refusal(ask(asked))).code, code);
  };
  await refused('nothing_to_hear');
  const name = 'PJSIP/astercc-5001-00000001';
  manager.channels = [{ channel: name, uniqueid: 'a.1', linkedid: 'c.1', channelstatedesc: 'Up' }];
  await refused('nothing_to_hear');
  manager.channelVariables.set(`${name} SPYGROUP`, 'astercc-sales');
  await refused('not_administrator');
  manager.channelVariables.set(`${name} SPYGROUP`, 'astercc-support');
  await refused('not_administrator', { from: '5002' });
  await refused('unknown', { from: '5777' });
  await refused('unknown', { extension: '5777' });
  await refused('invalid_choice', { mode: 'shout' });
  await refused('unknown_call', { extension: undefined, call: 'c.9' });
  phone.reserved = 'taken';
  await refused('in_call');
  phone.reserved = 'free';
  t.same(rung, []);
  await refused('unknown', { user: 'crowd' });
  await refused('not_administrator', { groups: ['sales'] });
  await ask({ mode: 'barge', user: 'carl', groups: ['sales', 'support'] });
  t.match(rung, [/^PJSIP\/astercc-5009 star64-supervise-[0-9]+ supervise$/]);
  t.match(variables[0], { STAR64_CLICK_MODE: 'barge', STAR64_CLICK_TO: '5001', STAR64_CLICK_FROM: '5009' });
});
