import { pino } from 'pino';
import t, { type Test } from 'tap';
import { claimCallCommand } from '../../domain/calls/call-commands.js';
import {
  clickAnswered,
  clickOver,
  startCall,
  type CallStarted,
  type CallWanted,
} from '../../domain/calls/clicks.js';
import { Outbound } from '../../domain/calls/outbound-memory.js';
import { readStory } from '../../domain/calls/story.js';
import { superviseFrom, type SupervisionAsked } from '../../domain/calls/supervise-command.js';
import { takeLeaderLease } from '../../domain/database/leases.js';
import type { Database } from '../../domain/database/pool.js';
import { Star64Error } from '../../domain/errors.js';
import { EventFeed } from '../../domain/monitor/event-feed.js';
import { pauseAgent, signInAgent, signOutAgent } from '../../domain/provisioning/admin-action.js';
import { setGroup } from '../../domain/provisioning/group.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/trunk.js';
import { crowd, provision } from '../../lab/provision.js';
import { AmiError } from '../../pbx/ami/errors.js';
import { CallCommands } from '../../pbx/watch/call-commands.js';
import { freshDatabase } from '../support/database.js';
import { StubManager } from '../support/stub-manager.js';

const log = pino({ enabled: false });
const node = 'default';
const times = { claimSeconds: 5, resultMs: 10_000, lookMs: 5 };

/** An Asterisk that takes Originate: what it was asked to ring, and what it says. */
interface Rung {
  manager: StubManager;
  /** Phones that were rung, with where they go once they answer. */
  rung: string[];
  variables: Record<string, string>[];
  /** What the guard says of a phone. */
  phone: { reserved: 'free' | 'taken'; state: string };
  refuses: AmiError | undefined;
}

async function centre(t: Test): Promise<Rung & { db: Database; outbound: Outbound }> {
  const { db } = await freshDatabase(t);
  const fixture = crowd(2);
  await provision(db, {
    ...fixture,
    users: [...fixture.users, { username: 'carl' }],
    extensions: [...fixture.extensions, { number: '5009', user: 'carl' }],
  });
  await setGroup(db, 'astercc', 'support', { application: 'customer_service', administrators: ['carl'] });
  await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'provider', country: 'DE' });
  await setTeam(db, 'astercc', { trunk: 'provider', outsidePrefix: '0', country: 'DE', area: '30' });
  await signInAgent(db, 'astercc', '1001', { extension: '5001', by: 'test' });
  const outbound = new Outbound(db, node, { did: () => undefined, hours: () => undefined });
  await outbound.load();
  const manager = new StubManager('astercc-support');
  const asked: Rung = {
    manager,
    rung: [],
    variables: [],
    phone: { reserved: 'free', state: 'NOT_INUSE' },
    refuses: undefined,
  };
  const action = manager.action;
  const answer = (headers: Record<string, string> = {}) => ({
    name: '',
    headers: new Map(Object.entries(headers)),
    repeated: new Map(),
  });
  Object.assign(manager, {
    action: (name: string, headers: Record<string, string> & { Variable: Record<string, string> }) => {
      if (name === 'ListCommands') return Promise.resolve(answer({ originate: 'x' }));
      if (name === 'Originate') {
        if (asked.refuses) return Promise.reject(asked.refuses);
        if (headers['Channel'] !== 'Local/reserve@star64-click/n') {
          asked.rung.push(`${headers['Channel']} ${headers['ChannelId']} ${headers['Exten']}`);
          asked.variables.push(headers.Variable);
        }
        return Promise.resolve(answer());
      }
      const variable = String(headers.Variable);
      if (name === 'Getvar' && variable === 'STAR64_RESERVED')
        return Promise.resolve(answer({ value: asked.phone.reserved }));
      if (name === 'Getvar' && variable.startsWith('DEVICE_STATE('))
        return Promise.resolve(answer({ value: asked.phone.state }));
      if (name === 'Getvar' && variable === 'CHANNEL(state)')
        return Promise.resolve(answer({ value: 'Ringing' }));
      return action(name, headers as never);
    },
  });
  return Object.assign(asked, { db, outbound });
}

async function server(
  t: Test,
  { db, manager, outbound }: { db: Database; manager: StubManager; outbound: Outbound },
  holder = 'one',
): Promise<CallCommands> {
  await takeLeaderLease(db, node, holder, 60);
  const settings = { everyMs: 5, atOnce: 5, sweepMs: 60_000 };
  const commands = new CallCommands(db, node, holder, manager, () => true, log, settings, outbound);
  commands.start();
  t.teardown(() => commands.stop());
  return commands;
}

const start = (db: Database, wanted: Partial<CallWanted> = {}, patience = times): Promise<CallStarted> =>
  startCall(db, 'astercc', { agent: '1001', to: '+4930123456', by: 'test', ...wanted }, patience);

async function refusal(work: Promise<unknown>): Promise<Star64Error> {
  const error: unknown = await work.then(
    () => new Error('not refused'),
    (caught: unknown) => caught,
  );
  if (!(error instanceof Star64Error)) throw error;
  return error;
}

const stateOf = async (db: Database): Promise<string> =>
  (await db('agent_states').whereNull('ended_at').first<{ state: string }>('state')).state;

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
  await clickOver(db, node, inside.call, 'no-answer');
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
  centreOf.refuses = new AmiError('rejected', 'Permission denied');
  await refused('manager_may_not', {}, /class originate/);
  centreOf.refuses = undefined;
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
  await ask({ mode: 'barge' });
  t.match(rung, [/^PJSIP\/astercc-5009 star64-supervise-[0-9]+ supervise$/]);
  t.match(variables[0], { STAR64_CLICK_MODE: 'barge', STAR64_CLICK_TO: '5001', STAR64_CLICK_FROM: '5009' });
});
