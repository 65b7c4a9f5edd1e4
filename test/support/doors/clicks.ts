import { pino } from 'pino';
import type { Test } from 'tap';
import { startCall, type CallStarted, type CallWanted } from '../../../domain/calls/commands/clicks.js';
import { Outbound } from '../../../domain/calls/outbound/outbound-memory.js';
import { takeLeaderLease } from '../../../domain/database/leases.js';
import type { Database } from '../../../domain/database/pool.js';
import { Star64Error } from '../../../domain/errors.js';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { crowd, provision } from '../../../lab/provision.js';
import { AmiError } from '../../../pbx/ami/errors.js';
import { CallCommands } from '../../../pbx/watch/loops/call-commands.js';
import { freshDatabase } from '../database.js';
import { StubManager } from '../stub-manager.js';

const log = pino({ enabled: false });
export const node = 'default';
export const times = { claimSeconds: 60, resultMs: 10_000, lookMs: 5 };

/** An Asterisk that takes Originate: what it was asked to ring, and what it says. */
export interface Rung {
  manager: StubManager;
  /** Phones that were rung, with where they go once they answer. */
  rung: string[];
  variables: Record<string, string>[];
  /** What the guard says of a phone. */
  phone: { reserved: 'free' | 'taken'; state: string; count: string };
  /** What Asterisk says of the state of a channel that is rung. */
  channelState: () => Promise<string>;
  /** No answer comes to what rings a phone. */
  lost: boolean;
  refuses: AmiError | undefined;
}

export async function centre(t: Test): Promise<Rung & { db: Database; outbound: Outbound }> {
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
  const outbound = new Outbound(db, node, { did: () => undefined, hours: () => undefined }, {}, 60_000);
  await outbound.load();
  const manager = new StubManager('astercc-support');
  const asked: Rung = {
    manager,
    rung: [],
    variables: [],
    phone: { reserved: 'free', state: 'NOT_INUSE', count: '1' },
    channelState: () => Promise.resolve('Ringing'),
    lost: false,
    refuses: undefined,
  };
  const action = manager.action;
  const answer = (headers: Record<string, string> = {}) => ({
    name: '',
    headers: new Map(Object.entries(headers)),
    repeated: new Map(),
  });
  Object.assign(manager, {
    action: (
      name: string,
      headers: {
        Channel?: string;
        ChannelId?: string;
        Exten?: string;
        Variable: string | Record<string, string>;
      },
    ) => {
      if (name === 'ListCommands') return Promise.resolve(answer({ originate: 'x' }));
      if (name === 'Originate') {
        if (asked.refuses) return Promise.reject(asked.refuses);
        if (headers.Channel !== 'Local/reserve@star64-click/n') {
          asked.rung.push([headers.Channel, headers.ChannelId, headers.Exten].join(' '));
          asked.variables.push(headers.Variable as Record<string, string>);
          if (asked.lost) return Promise.reject(new AmiError('timeout', 'no answer'));
        }
        return Promise.resolve(answer());
      }
      const variable = typeof headers.Variable === 'string' ? headers.Variable : '';
      if (name === 'Getvar' && variable === 'STAR64_RESERVED')
        return Promise.resolve(answer({ value: asked.phone.reserved }));
      if (name === 'Getvar' && variable.startsWith('DEVICE_STATE('))
        return Promise.resolve(answer({ value: asked.phone.state }));
      if (name === 'Getvar' && variable === 'CHANNEL(state)')
        return asked.channelState().then((value) => answer({ value }));
      if (name === 'Getvar' && variable === 'GROUP_COUNT(@star64)')
        return Promise.resolve(answer({ value: asked.phone.count }));
      return action(name, headers);
    },
  });
  return Object.assign(asked, { db, outbound });
}

export async function server(
  t: Test,
  { db, manager, outbound }: { db: Database; manager: StubManager; outbound: Outbound },
  holder = 'one',
  atOnce = 5,
): Promise<CallCommands> {
  await takeLeaderLease(db, node, holder, 60);
  const settings = { everyMs: 5, atOnce, sweepMs: 60_000 };
  const commands = new CallCommands(db, node, holder, manager, () => true, log, settings, outbound);
  commands.start();
  t.teardown(() => commands.stop());
  return commands;
}

export const start = (
  db: Database,
  wanted: Partial<CallWanted> = {},
  patience = times,
): Promise<CallStarted> =>
  startCall(db, 'astercc', { agent: '1001', to: '+4930123456', by: 'test', ...wanted }, patience);

export async function refusal(work: Promise<unknown>): Promise<Star64Error> {
  const error: unknown = await work.then(
    () => new Error('not refused'),
    (caught: unknown) => caught,
  );
  if (!(error instanceof Star64Error)) throw error;
  return error;
}

export const stateOf = async (db: Database): Promise<string> =>
  (await db('agent_states').whereNull('ended_at').first<{ state: string }>('state')).state;
