import { join } from 'node:path';
import type { Command } from 'commander';
import type { Database, PoolOptions } from '../domain/database/pool.js';
import { fail, Star64Error } from '../domain/errors.js';
import type { DatabaseName } from '../domain/database/name.js';
import { createPrinter, type Printer } from './output.js';
import type { DatabaseSetting, FlagSetting, Settings } from './settings.js';

/** The process as the command line sees it; tests put their own in its place. */
export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The settings of this machine, which count where the directory has none: /etc/star64/star64.yml. */
  readonly systemConfig: string;
  /** Data, to stdout. */
  readonly out: (text: string) => void;
  /** Talk, to stderr. */
  readonly err: (text: string) => void;
  /** Whether stdout is a terminal. */
  readonly terminal: boolean;
  /** Everything that comes on stdin. */
  readonly readInput: () => Promise<string>;
  readonly now: () => Date;
  /** How long its connections wait; default: as those of a server. */
  readonly pool?: PoolOptions;
}

/** What a command gets to work with; nothing is read or connected before it is asked for. */
export interface Invocation {
  /** Identity of the team that `--team` or STAR64_TEAM names. */
  readonly team: string;
  readonly print: Printer;
  /** Says one line on stderr. */
  readonly say: (line: string) => void;
  readonly now: () => Date;
  readonly env: NodeJS.ProcessEnv;
  /** The settings, checked; `flags` are the command's own options. */
  readonly settings: (flags?: readonly FlagSetting[]) => Promise<Settings>;
  /** The migrated database, the same each time; closed when the command has ended. */
  readonly db: () => Promise<Database>;
  /** The database as it is, with deadlines of its own. */
  readonly rawDb: (options: PoolOptions) => Promise<Database>;
  /** URL of the database and its name, for a command that connects by itself. */
  readonly databaseUrl: () => Promise<{ url: string; name: DatabaseName }>;
  /** An error of the database, saying which one it is; any other as it is. */
  readonly explained: (error: unknown) => Promise<unknown>;
  /** One secret from stdin, without its line end. */
  readonly secret: (what: string) => Promise<string>;
}

/** Options that every command has. */
interface GlobalFlags {
  team: string;
  json?: true;
  config?: string;
  dataDir?: string;
  logLevel?: string;
}

interface Opened {
  close: () => Promise<void>;
}

/** What a command has opened. */
interface Used {
  readonly opened: Opened[];
  /** Which PostgreSQL it works on. */
  name?: DatabaseName;
}

/** Which PostgreSQL a command works on, and how to leave it. */
interface FoundDatabase extends Opened {
  url: string;
  name: DatabaseName;
}

/** The one place that decides which PostgreSQL a command works on: the one that is named, or one of star64's own. */
async function findDatabase({ database }: Settings, env: NodeJS.ProcessEnv): Promise<FoundDatabase> {
  const { nameOf, nameOfOwn } = await import('../domain/database/name.js');
  switch (database.is) {
    case 'named': {
      const { url, from } = database;
      return { url, name: nameOf(url, from, env), close: () => Promise.resolve() };
    }
    case 'own': {
      const { LabPostgres } = await import('../domain/database/embedded/postgres.js');
      const name = nameOfOwn(database.dir, database.from);
      const own = await LabPostgres.start({ dir: database.dir }).catch(async (error: unknown) => {
        throw await withDatabaseNamed(error, name);
      });
      return { url: own.url, name, close: () => own.stop() };
    }
    case 'unset':
      throw await unsetDatabase(database);
  }
}

async function unsetDatabase({
  dir,
  looked,
}: Extract<DatabaseSetting, { is: 'unset' }>): Promise<Star64Error> {
  const { access } = await import('node:fs/promises');
  // Versions before used it without being told to: its data are not to be missed in silence.
  const before = await access(join(dir, 'data')).then(
    () => ` (which has data in ${dir})`,
    () => '',
  );
  return fail('database_unset', {
    facts: { looked },
    says: `no setting says which PostgreSQL to work on; looked at DATABASE_URL, ${looked.join(', ')}`,
    remedy: {
      text: `set database.url there, or DATABASE_URL, to postgres://user:password@host:5432/star64, or say \`database: { embedded: true }\` for a PostgreSQL of star64's own${before}`,
    },
  });
}

/** Refuses to work on tables of another version. */
export async function requireMigrated(db: Database): Promise<void> {
  const { isMigrated } = await import('../domain/database/migrate.js');
  const { withDatabaseErrors } = await import('../domain/database/sql-errors.js');
  if (await withDatabaseErrors(() => isMigrated(db))) return;
  throw fail('database_unfit', {
    says: 'the database has not got the tables of this version',
    remedy: { text: 'run `star64 migrate`' },
  });
}

/**
 * Makes a commander action of a command: `run` gets its invocation, then the arguments and options that commander
 * has parsed. Whatever it opened is closed when it ends, also when it fails.
 */
export function action(
  context: Context,
  run: (invocation: Invocation, ...given: never[]) => Promise<void>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    // Commander passes the arguments, the options and, last, the command itself.
    const command = given.pop() as Command;
    const used: Used = { opened: [] };
    const flags = command.optsWithGlobals<GlobalFlags>();
    if (context.terminal && flags.json !== true) await (await import('./display.js')).readyToAlign();
    try {
      await run(createInvocation(context, flags, used), ...(given as never[]));
    } catch (error) {
      throw await withDatabaseNamed(error, used.name);
    } finally {
      for (const { close } of used.opened.reverse()) await close();
    }
  };
}

/** What is wrong with the database is said of the one that it is. */
async function withDatabaseNamed(error: unknown, name: DatabaseName | undefined): Promise<unknown> {
  if (name === undefined) return error;
  if (error instanceof Star64Error && error.code === 'database_unfit') {
    const { says, ...details } = error.details;
    const named = says.replace('the database', `${name.label} (${name.from})`);
    return fail('database_unfit', { ...details, says: named }, { cause: error });
  }
  const { databaseError } = await import('../domain/database/sql-errors.js');
  return databaseError(error, name) ?? error;
}

function createInvocation(context: Context, flags: GlobalFlags, used: Used): Invocation {
  const say = (line: string): void => context.err(`${line}\n`);
  const settings = async (own: readonly FlagSetting[] = []): Promise<Settings> => {
    const { loadSettings } = await import('./settings.js');
    return loadSettings({
      env: context.env,
      cwd: context.cwd,
      systemConfig: context.systemConfig,
      config: flags.config,
      flags: [
        { path: 'data_dir', value: flags.dataDir, flag: '--data-dir' },
        { path: 'log_level', value: flags.logLevel, flag: '--log-level' },
        ...own,
      ],
      warn: say,
    });
  };
  const find = async (): Promise<FoundDatabase> => {
    const found = await findDatabase(await settings(), context.env);
    used.opened.push(found);
    used.name = found.name;
    return found;
  };
  const rawDb = async (options: PoolOptions = {}): Promise<Database> => {
    const { url } = await find();
    const { connect } = await import('../domain/database/pool.js');
    const db = connect(url, options);
    used.opened.push({ close: () => db.destroy() });
    return db;
  };
  let migrated: Promise<Database> | undefined;
  return {
    team: flags.team,
    print: createPrinter({ out: context.out, terminal: context.terminal, json: flags.json === true }),
    say,
    now: context.now,
    env: context.env,
    settings,
    rawDb,
    db: () => (migrated ??= rawDb(context.pool).then((db) => requireMigrated(db).then(() => db))),
    databaseUrl: find,
    explained: (error) => withDatabaseNamed(error, used.name),
    secret: async (what) => {
      const text = (await context.readInput()).replace(/\r?\n$/, '');
      if (text !== '') return text;
      throw fail('input_missing', {
        facts: { what },
        says: `stdin holds no ${what}`,
        remedy: { text: 'pipe it in, for example from a file' },
      });
    },
  };
}
