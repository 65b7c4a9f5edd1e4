import { readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { pino } from 'pino';
import type { Database } from '../domain/database/pool.js';
import { Manager, type ManagerActions, type ManagerSettings } from './ami/manager.js';
import { emergencyNotLoaded, loadedGeneration } from './loaded-dialplan.js';
import { leaseVariable, memberOf } from './queue/names.js';
import { readEpoch, readQueues } from './queue/status.js';
import { readRooms, type OpenRoom } from './rooms.js';
import { readSignedInPhones } from './watch/compare/signed-in-phones.js';

/** Whether what star64 rests on is there, as somebody sees it who asks from outside. */
export interface Health {
  /** The servers that Asterisk asks, and whether each takes a connection now. */
  servers: { address: string; answers: boolean }[];
  /** Whether the manager interface of Asterisk takes our login; `not asked`: no secret for it is set. */
  asterisk: 'connected' | 'away' | 'not asked';
  /** Why it is away. */
  reason: string | null;
  /** The generation of files in force on this machine, and whether Asterisk has loaded it; null: not known. */
  generation: { name: string; loaded: boolean } | null;
  /** For how long a server has promised to end wrap-ups, in seconds; 0: it has run out, or a reload has emptied it; null: not known. */
  leaseSeconds: number | null;
  /** Signed-in agents whose phone Asterisk cannot reach. */
  unreachable: { agent: string; extension: string; device: string }[];
  /** The conference rooms of the team that somebody is in; null: not known; `missing`: Asterisk has no ConfBridge, and they are closed. */
  rooms: OpenRoom[] | 'missing' | null;
  /** Emergency numbers of the team that are in the database, and not in Asterisk; null: not known. */
  emergencyNotLoaded: string[] | null;
}

export interface HealthSettings {
  /** Whose phones are looked at. */
  team: string;
  servers: readonly string[];
  ami: Pick<ManagerSettings, 'host' | 'port' | 'username'> & { secret: string | undefined };
  /** Where the generated files are. */
  directory: string;
  node: string;
}

const patienceMs = 2000;

type OfAsterisk = Omit<Health, 'servers'>;

const unknown = {
  generation: null,
  leaseSeconds: null,
  unreachable: [],
  rooms: null,
  emergencyNotLoaded: null,
};

/** Looks whether everything is there, as often as it is asked, over one connection to Asterisk. */
export class HealthCheck {
  readonly #manager: Manager | undefined;

  constructor(
    private readonly db: Database,
    private readonly settings: HealthSettings,
  ) {
    const { secret, ...ami } = settings.ami;
    if (secret === undefined) return;
    this.#manager = new Manager({ ...ami, secret, events: false }, pino({ enabled: false }));
    this.#manager.start();
  }

  /** Asks the servers and Asterisk, side by side; in about two seconds at most. Rejects only for the database. */
  async read(): Promise<Health> {
    const [servers, asterisk] = await Promise.all([
      Promise.all(
        this.settings.servers.map(async (address) => ({ address, answers: await answers(address) })),
      ),
      this.#askAsterisk(),
    ]);
    return { servers, ...asterisk };
  }

  async close(): Promise<void> {
    await this.#manager?.stop();
  }

  async #askAsterisk(): Promise<OfAsterisk> {
    const manager = this.#manager;
    if (!manager) return { asterisk: 'not asked', reason: null, ...unknown };
    try {
      await manager.whenUp(patienceMs);
      const found = await look(manager, this.db, this.settings, await inForce(this.settings.directory));
      return { asterisk: 'connected', reason: null, ...found };
    } catch (error) {
      const { kind, message } = error as Error & { kind?: string };
      if (kind !== 'asterisk_unreachable') throw error;
      return { asterisk: 'away', reason: message, ...unknown };
    }
  }
}

/** What an Asterisk that answers says. */
export async function look(
  manager: ManagerActions,
  db: Database,
  { team, node }: Pick<HealthSettings, 'team' | 'node'>,
  generation: string | undefined,
): Promise<Omit<OfAsterisk, 'asterisk' | 'reason'>> {
  const promised = (await manager.action('Getvar', { Variable: leaseVariable })).headers.get('value');
  const lease = Number(promised ?? '') - (await readEpoch(manager));
  const loaded = await loadedGeneration(manager);
  const { members } = await readQueues(manager);
  const silent = new Set(members.filter(({ unavailable }) => unavailable).map(({ device }) => device));
  const phones = await readSignedInPhones(db, node);
  return {
    generation: generation === undefined ? null : { name: generation, loaded: loaded === generation },
    leaseSeconds: Math.max(0, lease || 0),
    unreachable: phones
      .filter((phone) => phone.team === team && silent.has(memberOf(phone)))
      .map((phone) => ({
        agent: phone.agent,
        extension: phone.extension,
        device: memberOf(phone),
      })),
    rooms: await readRooms(manager, db, team),
    emergencyNotLoaded: await emergencyNotLoaded(manager, db, { team, node }),
  };
}

/** The generation whose files Asterisk finds, where they are on this machine. */
async function inForce(directory: string): Promise<string | undefined> {
  const target = await readlink(join(directory, 'current')).catch(() => '');
  const name = basename(target);
  return /^[a-z0-9]+$/.test(name) ? name : undefined;
}

/** Whether a server takes a connection: one that cannot work keeps its port closed. */
function answers(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  return new Promise((resolve) => {
    const host = address.slice(0, at).replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(address.slice(at + 1)) });
    const say = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(patienceMs, say(false));
    socket.once('connect', say(true)).once('error', say(false));
  });
}
