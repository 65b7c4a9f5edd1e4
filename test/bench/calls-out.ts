import { until } from '../../domain/machine/processes.js';
import { addExtension } from '../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addTrunk } from '../../domain/provisioning/numbers/trunk.js';
import { AnsweringPhones } from '../../lab/answering.js';
import { crowd as callers } from '../../lab/caller.js';
import { Centre } from '../../lab/centre.js';
import { crowd, provision } from '../../lab/provision.js';
import { cpuSecondsOf, cpuSecondsOfAll } from './cpu.js';
import { managerAdvice } from './manager-advice.js';
import { median } from './numbers.js';

export interface CallOutSettings {
  rounds: number;
  /** Seconds of calls for one way, before it is the other's turn. */
  sliceSeconds: number;
  /** Calls in a second. */
  rate: number;
}

/** Of one call: CPU milliseconds, without what the processes use when nobody calls, and milliseconds from INVITE to 200. */
export interface CallOutCost {
  asterisk: number;
  server: number;
  postgres: number;
  setupMs: number;
}

export interface CallOutResult {
  rate: number;
  calls: number;
  rounds: number;
  out: CallOutCost;
  static: CallOutCost;
}

/**
 * Phones, by the address from which they call: one of the team, and one of the operator's own dialplan. The trunks of the
 * lab have others: what calls from theirs is answered by the lab itself.
 */
const phones = { out: '127.0.0.97', static: '127.0.0.96' } as const;
type Way = keyof typeof phones;
const ways = ['out', 'static'] as const;
const number = '0030123456';

const settingsOf = (name: string, context: string): string => `[${name}]
type = endpoint
transport = lab-udp
context = ${context}
disallow = all
allow = ulaw
direct_media = no
`;
const identified = (name: string, address: string): string => `[${name}]
type = identify
endpoint = ${name}
match = ${address}
`;

/**
 * Calls to the same provider over the same Asterisk, by turns: with rights, limits, trunks and records of star64, and by
 * a static Dial. Of a static call only Asterisk counts, though the server hears of it.
 */
export async function measureCallsOut(
  { rounds, sliceSeconds, rate }: CallOutSettings,
  progress: (text: string) => void,
): Promise<CallOutResult> {
  const secret = 'benchmark';
  const centre = await Centre.start({
    progress,
    asterisk: {
      verboseLog: false,
      extra: {
        // What comes first falls into the section of our user, which is the last of the file.
        'manager.conf': Object.values(await managerAdvice()).join('\n'),
        'pjsip.conf': `${settingsOf('own-phone', 'astercc-phones')}${identified('own-phone', phones.out)}
${settingsOf('static-phone', 'bench-static')}${identified('static-phone', phones.static)}
${settingsOf('provider', 'star64-inbound')}auth = provider
aors = provider
[provider]
type = auth
auth_type = userpass
username = provider
password = ${secret}
[provider]
type = aor
max_contacts = 1
`,
        'extensions.conf': `[bench-static]
exten => _0X.,1,Dial(PJSIP/\${EXTEN:1}@provider,120)
 same => n,Hangup()
`,
      },
    },
    provision: async (db) => {
      await provision(db, crowd(0));
      const any = { callsAtOnce: 1000, callsPerHour: null, callsPerDay: null, minutesPerDay: null };
      await addExtension(db, 'astercc', { number: '5001', user: 'crowd', endpoint: 'own-phone', ...any });
      await addTrunk(db, 'astercc', { name: 'main', endpoint: 'provider', country: 'DE', channels: 1000 });
      const unlimited = { callsAtOnce: 1000, callsPerHour: null, callsPerDay: null };
      await setTeam(db, 'astercc', { outsidePrefix: '0', area: '30', trunk: 'main', ...unlimited });
    },
  });
  let provider: AnsweringPhones | undefined;
  try {
    const { asterisk, db } = centre;
    provider = await AnsweringPhones.start({
      logins: [{ user: 'provider', secret }],
      server: asterisk.sip,
      talkMs: 100,
    });
    const known = await asterisk.console('pjsip show identifies');
    for (const address of Object.values(phones))
      if (known.split(`${address}/`).length !== 2)
        throw new Error(`${address} is the address of another endpoint, too`);
    const calls = Math.round(rate * sliceSeconds);
    const snapshot = () => ({
      at: performance.now() / 1000,
      asterisk: cpuSecondsOf(asterisk.pid),
      server: cpuSecondsOf(centre.server.pid ?? 0),
      postgres: cpuSecondsOfAll(centre.postgres.pids),
    });
    const slice = async (way: Way): Promise<CallOutCost> => {
      const idleFrom = snapshot();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const from = snapshot();
      const result = await callers({
        to: number,
        server: asterisk.sip,
        address: phones[way],
        rate,
        total: calls,
        // The other side hangs up; who waits for so long has been lost.
        holdMs: 20_000,
        patienceMs: 10_000,
      });
      await until(
        'the calls to be in the database',
        async () => (await db('calls').whereNull('ended_at').first('id')) === undefined || undefined,
        30_000,
      );
      const to = snapshot();
      if (result.failed > 0) throw new Error(`${way}: calls failed: ${JSON.stringify(result)}`);
      const each = (part: 'asterisk' | 'server' | 'postgres'): number => {
        const idle = (from[part] - idleFrom[part]) / (from.at - idleFrom.at);
        return ((to[part] - from[part] - idle * (to.at - from.at)) / calls) * 1000;
      };
      const ours = way === 'out';
      return {
        asterisk: each('asterisk'),
        server: ours ? each('server') : 0,
        postgres: ours ? each('postgres') : 0,
        setupMs: result.answerMs.mean,
      };
    };
    progress(`${rate} calls a second to the outside`);
    const slices: Record<Way, CallOutCost[]> = { out: [], static: [] };
    // The first of each warms up.
    for (let round = 0; round <= rounds; round++)
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        const cost = await slice(way);
        if (round > 0) slices[way].push(cost);
      }
    return { rate, calls, rounds, out: medians(slices.out), static: medians(slices.static) };
  } finally {
    await provider?.stop();
    await centre.stop();
  }
}

function medians(slices: readonly CallOutCost[]): CallOutCost {
  const of = (part: keyof CallOutCost): number => median(slices.map((one) => one[part]));
  return { asterisk: of('asterisk'), server: of('server'), postgres: of('postgres'), setupMs: of('setupMs') };
}
