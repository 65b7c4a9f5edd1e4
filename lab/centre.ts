import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { connect, type Database } from '../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../domain/database/migrate.js';
import { showExtensionSecret } from '../domain/provisioning/numbers/extension.js';
import { generateSecret } from '../domain/password.js';
import { LabAsterisk, type LabAsteriskOptions } from './asterisk.js';
import { labVersion, tree, type TreeName } from './debian.js';
import { Phone, type PhoneOptions } from './phone.js';
import { PortBlock } from '../domain/machine/ports.js';
import { LabPostgres, type LabPostgresOptions } from '../domain/database/embedded/postgres.js';
import { run } from '../domain/machine/processes.js';
import { LabServer, star64Command } from './server.js';
import { patient } from './patience.js';

export interface Address {
  host: string;
  port: number;
}

export interface CentreOptions {
  /** Fills the migrated database. */
  provision: (db: Database) => Promise<void>;
  /** Starts a PostgreSQL, for whoever has a quicker way to a migrated database than `migratedPostgres`. */
  postgres?: () => Promise<LabPostgres>;
  /** How many `star64 serve` share the work. */
  servers?: number;
  asterisk?: LabAsteriskOptions;
  /** Has `star64 apply` put the files in force, as an operator does; without it `generate` and a reload, which nobody checks, are quicker. */
  apply?: boolean;
  /** Where the servers reach Asterisk's manager, for one who stands between them. Default: at Asterisk itself. */
  managerVia?: (asterisk: Address) => Promise<Address>;
  /** Told of each step, for a person who waits. What it throws ends the start; everything is stopped again. */
  progress?: (text: string) => void;
}

/**
 * A whole call centre on this machine: PostgreSQL, Asterisk with the generated configuration included, servers, phones
 * and callers. The demo, the tests and the benchmark are this same thing.
 */
export class Centre {
  readonly phones: Phone[] = [];
  readonly servers: LabServer[] = [];
  #env: NodeJS.ProcessEnv = {};
  #ports: PortBlock | undefined;
  #dir = '';
  #db: Database | undefined;
  #postgres: LabPostgres | undefined;
  #asterisk: LabAsterisk | undefined;

  static async start(options: CentreOptions): Promise<Centre> {
    const centre = new Centre();
    try {
      await centre.#start(options);
    } catch (error) {
      await centre.stop();
      throw error;
    }
    return centre;
  }

  /** A connection of its own to the database, to look at what the servers wrote. */
  get db(): Database {
    return this.#given(this.#db);
  }

  get postgres(): LabPostgres {
    return this.#given(this.#postgres);
  }

  get asterisk(): LabAsterisk {
    return this.#given(this.#asterisk);
  }

  /** The server, where there is only one. */
  get server(): LabServer {
    return this.#given(this.servers[0]);
  }

  /** Environment in which the star64 command works on this centre. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** Runs the star64 command as an admin would. */
  async star64(...args: string[]): Promise<string> {
    const { stdout } = await run(...star64Command(...args), { env: this.#env });
    return stdout;
  }

  /** Writes the configuration anew and lets Asterisk read it. */
  async generate(): Promise<void> {
    await this.star64('generate');
    await this.asterisk.reload();
  }

  /** The phone of an extension, registered; started when it is asked for the first time. */
  async phone(extension: string, options: Partial<PhoneOptions> & { team?: string } = {}): Promise<Phone> {
    const { team = 'astercc', ...rest } = options;
    const user = `${team}-${extension}`;
    const running = this.phones.find((phone) => phone.user === user);
    if (running) return running;
    const { secret } = await showExtensionSecret(this.db, team, extension);
    const phone = await Phone.start({ user, secret: secret ?? '', server: this.asterisk.sip, ...rest });
    this.phones.push(phone);
    await phone.register();
    return phone;
  }

  /** Ends everything that it started. May be called twice. */
  async stop(): Promise<void> {
    await Promise.all(this.phones.splice(0).map((phone) => phone.stop()));
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.#asterisk?.stop();
    this.#postgres?.thaw();
    await this.#db?.destroy();
    await this.#postgres?.stop();
    await this.#ports?.release();
    if (this.#dir !== '') await rm(this.#dir, { recursive: true, force: true });
  }

  async #start(options: CentreOptions): Promise<void> {
    const progress = options.progress ?? ((): void => undefined);
    this.#dir = await mkdtemp(join(tmpdir(), 'star64-centre-'));
    for (const name of ['asterisk', 'phones'] as const) await fetch(name, progress);
    const generated = join(this.#dir, 'generated');
    progress('starting PostgreSQL and Asterisk, loading the team');
    // Side by side, since each mostly waits for its own. Both are awaited: what has started is stopped whatever fails.
    const started = await Promise.allSettled([
      this.#startDatabase(options),
      LabAsterisk.start({ generated, ...options.asterisk }).then((asterisk) => (this.#asterisk = asterisk)),
    ]);
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    this.#ports = await PortBlock.reserve('server');
    const { ami } = this.asterisk;
    const manager = (await options.managerVia?.(ami)) ?? ami;
    const first = this.#ports.first;
    const agiPorts = Array.from({ length: options.servers ?? 1 }, (_, index) => first + index);
    this.#env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      // What this machine's own star64 is told is no part of it.
      STAR64_CONFIG: '/dev/null',
      DATABASE_URL: this.postgres.url,
      STAR64_LOG_FORMAT: 'json',
      STAR64_DATA_DIR: join(this.#dir, 'data'),
      STAR64_AGI_TOKEN: generateSecret(),
      STAR64_AGI_SERVERS: agiPorts.map((port) => `127.0.0.1:${port}`).join(','),
      STAR64_AMI_HOST: manager.host,
      STAR64_AMI_PORT: String(manager.port),
      STAR64_AMI_USERNAME: ami.username,
      STAR64_AMI_SECRET: ami.secret,
      STAR64_ASTERISK_CONFIG_DIR: generated,
      STAR64_ASTERISK_CONSOLE: this.asterisk.consoleCommand.join(' '),
      STAR64_ASTERISK_USER: userInfo().username,
      ...(labVersion() === '16' && { STAR64_ASTERISK_VERSION: '16' }),
    };
    progress('generating the configuration and reloading Asterisk');
    if (options.apply === true) await this.star64('apply');
    else await this.generate();
    progress('starting the server');
    for (const agiPort of agiPorts)
      this.servers.push(new LabServer({ env: this.#env, dir: this.#dir, agiPort }));
    await Promise.all(this.servers.map((server) => server.start()));
  }

  async #startDatabase({ provision, postgres = migratedPostgres }: CentreOptions): Promise<void> {
    this.#postgres = await postgres();
    this.#db = connect(this.#postgres.url, patient);
    await provision(this.#db);
  }

  #given<T>(part: T | undefined): T {
    if (part === undefined) throw new Error('the centre has not been started');
    return part;
  }
}

/** A PostgreSQL with a migrated database: a temporary one, if no directory is given. */
export async function migratedPostgres(options: LabPostgresOptions = {}): Promise<LabPostgres> {
  const postgres = await LabPostgres.start(options);
  try {
    const migrator = connect(postgres.url, { max: 1, deadlineMs: migrationDeadlineMs });
    await migrate(migrator).finally(() => migrator.destroy());
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return postgres;
}

/** Gets the programs into the cache, and says in quarters how far it is. */
async function fetch(name: TreeName, progress: (text: string) => void): Promise<void> {
  let said = '';
  await tree(name, {
    onProgress: ({ step, percent }) => {
      const text = `${step === 'waiting' ? 'waiting for another download of' : `fetching (${step})`} ${name}: ${Math.floor(percent / 25) * 25} %`;
      if (text !== said) progress(text);
      said = text;
    },
    onStale: (reason) =>
      progress(`${name} could not be renewed, the one in the cache is used: ${reason.message}`),
  });
}
