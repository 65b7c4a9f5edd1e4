import { showExtensionSecret } from '../../domain/extension.js';
import { cpuSecondsOf, cpuSecondsOfAll } from './cpu.js';
import { Dialler } from './phone-dialler.js';
import { quantiles, type Quantiles } from './phone-numbers.js';
import { each, team, type PhoneSite } from './phone-site.js';

export interface SignInResult {
  /** Phones that dial at the same time; each next one as soon as one has heard the confirmation. */
  concurrency: number;
  agents: number;
  perSecond: number;
  /** Milliseconds from the INVITE, its authentication included, to the first sound of the confirmation at the phone. */
  toConfirmation: Quantiles;
  /** CPU milliseconds for one sign-in: Asterisk, all servers, PostgreSQL. */
  cpu: { asterisk: number; servers: number; postgres: number };
}

export interface SignInSettings {
  /** Agents who sign in at each concurrency. */
  rounds: readonly { concurrency: number; agents: number }[];
}

/**
 * Agents dial `*64` and their number at their own phones: SIP authentication, dialplan, FastAGI, PostgreSQL and queue
 * members. Everybody is signed out between the rounds.
 */
export async function measureSignIns(
  site: PhoneSite,
  { rounds }: SignInSettings,
  progress: (text: string) => void,
): Promise<SignInResult[]> {
  const { centre } = site;
  const secrets = await each(
    site.agents,
    10,
    async ({ extension }) => (await showExtensionSecret(centre.db, team, extension)).secret ?? '',
  );
  const dialler = await Dialler.start(centre.asterisk.sip);
  try {
    const results: SignInResult[] = [];
    for (const { concurrency, agents: count } of rounds) {
      progress(`${count} sign-ins, ${concurrency} at a time`);
      const agents = site.agents.slice(0, count);
      const before = cpuOf(site);
      const begin = performance.now();
      const heard = await each(agents, concurrency, ({ extension, number }, index) =>
        dialler.dial({ user: `${team}-${extension}`, secret: secrets[index] ?? '' }, `*64${number}`),
      );
      const seconds = (performance.now() - begin) / 1000;
      const after = cpuOf(site);
      // A refusal is heard, too.
      await site.checkMembers(agents);
      const cpu = (of: keyof typeof after): number => ((after[of] - before[of]) / count) * 1000;
      results.push({
        concurrency,
        agents: count,
        perSecond: count / seconds,
        toConfirmation: quantiles(heard),
        cpu: { asterisk: cpu('asterisk'), servers: cpu('servers'), postgres: cpu('postgres') },
      });
      await site.signOut(agents);
    }
    return results;
  } finally {
    dialler.stop();
  }
}

function cpuOf({ centre }: PhoneSite): { asterisk: number; servers: number; postgres: number } {
  return {
    asterisk: cpuSecondsOf(centre.asterisk.pid),
    servers: cpuSecondsOfAll(centre.servers.flatMap(({ pid }) => pid ?? [])),
    postgres: cpuSecondsOfAll(centre.postgres.pids),
  };
}
