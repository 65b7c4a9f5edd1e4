import { join } from 'node:path';
import type { Command } from 'commander';
import type { Database } from '../domain/database/pool.js';
import { fail, Star64Error } from '../domain/errors.js';
import { createPrinter, type Printer } from './output.js';
import type { FlagSetting, Settings } from './settings.js';

/** The process as the command line sees it; tests put their own in its place. */
export interface Context {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Data, to stdout. */
  readonly out: (text: string) => void;
  /** Talk, to stderr. */
  readonly err: (text: string) => void;
  /** Whether stdout is a terminal. */
  readonly terminal: boolean;
  /** Everything that comes on stdin. */
  readonly readInput: () => Promise<string>;
  readonly now: () => Date;
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
  /** The database as it is, with a deadline for long statements, in milliseconds. */
  readonly rawDb: (deadlineMs: number) => Promise<Database>;
  /** URL of the database, for a command that connects by itself. */
  readonly databaseUrl: () => Promise<string>;
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

/** An open database, and what is to be closed with it. */
export interface OpenDatabase extends Opened {
  db: Database;
}

/** The one place that decides which PostgreSQL a command works on: the one that is named, or one of star64's own. */
async function findDatabase(settings: Settings): Promise<{ url: string; close: () => Promise<void> }> {
  if (settings.databaseUrl !== undefined) {
    return { url: settings.databaseUrl, close: () => Promise.resolve() };
  }
  const { LabPostgres } = await import('../domain/database/embedded/postgres.js');
  const own = await LabPostgres.start({ dir: join(settings.dataDir, 'postgres') });
  return { url: own.url, close: () => own.stop() };
}

/** Opens the database of the settings. */
export async function openDatabase(settings: Settings, deadlineMs?: number): Promise<OpenDatabase> {
  const { connect } = await import('../domain/database/pool.js');
  const found = await findDatabase(settings);
  const db = connect(found.url, deadlineMs === undefined ? {} : { deadlineMs });
  return { db, close: () => db.destroy().then(found.close) };
}

/** Refuses to work on tables of another version. */
export async function requireMigrated(db: Database): Promise<void> {
  const { isMigrated } = await import('../domain/database/migrate.js');
  const { withDatabaseErrors } = await import('../domain/database/sql-errors.js');
  if (await withDatabaseErrors(() => isMigrated(db))) return;
  throw new Star64Error(
    'failure',
    'the database has not got the tables of this version: run `star64 migrate`.',
  );
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
    const opened: Opened[] = [];
    try {
      await run(
        createInvocation(context, command.optsWithGlobals<GlobalFlags>(), opened),
        ...(given as never[]),
      );
    } finally {
      for (const { close } of opened) await close();
    }
  };
}

function createInvocation(context: Context, flags: GlobalFlags, opened: Opened[]): Invocation {
  const say = (line: string): void => context.err(`${line}\n`);
  const settings = async (own: readonly FlagSetting[] = []): Promise<Settings> => {
    const { loadSettings } = await import('./settings.js');
    return loadSettings({
      env: context.env,
      cwd: context.cwd,
      config: flags.config,
      flags: [
        { path: 'data_dir', value: flags.dataDir, flag: '--data-dir' },
        { path: 'log_level', value: flags.logLevel, flag: '--log-level' },
        ...own,
      ],
      warn: say,
    });
  };
  const rawDb = async (deadlineMs?: number): Promise<Database> => {
    const database = await openDatabase(await settings(), deadlineMs);
    opened.push(database);
    return database.db;
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
    db: () => (migrated ??= rawDb().then((db) => requireMigrated(db).then(() => db))),
    databaseUrl: async () => {
      const found = await findDatabase(await settings());
      opened.push(found);
      return found.url;
    },
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
