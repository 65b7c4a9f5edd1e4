import { showExtensionSecret } from '../../domain/provisioning/numbers/extension.js';
import { Dialler } from './phone-dialler.js';
import { quantiles, type Quantiles } from './numbers.js';
import { each, fixedNumber, team, type Agent, type Cpu, type PhoneSite } from './phone-site.js';

export interface SignInResult {
  /** Phones that dial at the same time; each next one as soon as one has heard the confirmation. */
  concurrency: number;
  agents: number;
  perSecond: number;
  /** Milliseconds from the INVITE, its authentication included, to the first sound of the confirmation at the phone. */
  toConfirmation: Quantiles;
  /** The same, and calls in a second, for a number at which Asterisk by itself answers and plays the same sound. */
  plain: { perSecond: number; toSound: Quantiles };
  /** CPU milliseconds for one sign-in: Asterisk, all servers, PostgreSQL. */
  cpu: Cpu;
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
      const dialAll = async (numberFor: (agent: Agent) => string) => {
        const begin = performance.now();
        const heard = await each(agents, concurrency, (agent, index) =>
          dialler.dial(
            { user: `${team}-${agent.extension}`, secret: secrets[index] ?? '' },
            numberFor(agent),
          ),
        );
        return { perSecond: (count / (performance.now() - begin)) * 1000, toSound: quantiles(heard) };
      };
      const plain = await dialAll(() => fixedNumber);
      const before = site.cpu();
      const { perSecond, toSound } = await dialAll(({ number }) => `*64${number}`);
      const after = site.cpu();
      // A refusal is heard, too.
      await site.checkMembers(agents);
      const cpu = (of: keyof Cpu): number => ((after[of] - before[of]) / count) * 1000;
      results.push({
        concurrency,
        agents: count,
        perSecond,
        toConfirmation: toSound,
        plain,
        cpu: { asterisk: cpu('asterisk'), servers: cpu('servers'), postgres: cpu('postgres') },
      });
      await site.signOut(agents);
    }
    return results;
  } finally {
    dialler.stop();
  }
}
