import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { usage } from '../domain/errors.js';
import { readSettingsFile, type Given } from './settings-file.js';
import * as kinds from './settings-values.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['text', 'json'] as const;

/** Which PostgreSQL: one that is named, one of star64's own in `dir`, or none was said. `from` is where that was said. */
export type DatabaseSetting =
  | { readonly is: 'named'; readonly url: string; readonly from: string }
  | { readonly is: 'own'; readonly dir: string; readonly from: string }
  | { readonly is: 'unset'; readonly dir: string; readonly looked: readonly string[] };

/** Everything that star64 can be told besides its command line, complete and checked. */
export interface Settings {
  database: DatabaseSetting;
  agi: {
    host: string;
    port: number;
    /** Undefined: the one in the database. */
    token: string | undefined;
    maxSessions: number;
    /** `host:port` of every server, as Asterisk reaches it, in the order in which it asks them. */
    servers: string[];
  };
  ami: {
    host: string;
    port: number;
    username: string;
    secret: string | undefined;
    /** The user through whom `apply` asks Asterisk; undefined: by its console on this machine. */
    apply: { username: string; secret: string } | undefined;
  };
  asterisk: {
    /** Where `generate` writes. */
    configDir: string;
    /** Templates of the operator's own; a file that is not there is ours. */
    templatesDir: string | undefined;
    /** Name of the Asterisk that this star64 serves. */
    node: string;
    /** Which Asterisk reads the files, as far as that was said: `18`, `22.10`. */
    version: string | undefined;
    /** As whom Asterisk runs, and the group of what is generated; undefined: see `accessTo`. */
    user: string | undefined;
    group: string | undefined;
    /** The words that open Asterisk's console on this machine; `apply` adds -rx and a command. */
    console: string[];
    /** Asterisk's directory of recordings, as this machine sees it. */
    recordingsDir: string;
    /** Where phones register, `host` or `host:port`, to be told to people. */
    sipServer: string | undefined;
  };
  /** Where `star64 serve` tells this machine of its health; undefined: nowhere. */
  serve: { healthPort: number | undefined };
  /** Where `star64 web` listens, and what it may do. */
  web: {
    host: string;
    port: number;
    /** The proxies that it believes who asks; undefined: none. */
    trustProxy: string[] | undefined;
    /** Where webhooks may send beside the public network. */
    webhookNetworks: string[];
    /** The origins whose pages may use the API from a browser. */
    corsOrigins: string[];
    /** Opens /metrics; undefined: only who asks from this machine, and by no proxy. */
    metricsToken: string | undefined;
  };
  dataDir: string;
  logLevel: (typeof logLevels)[number];
  logFormat: (typeof logFormats)[number];
}

/** A setting from a command's own option, which beats every other source. Never a secret: options show in `ps`. */
export interface FlagSetting {
  path: string;
  value: unknown;
  /** As typed, for messages: `--port`. */
  flag: string;
}

export interface SettingsSources {
  env: NodeJS.ProcessEnv;
  /** Path of the file that must exist; without it `star64.yml` in `cwd`, else `systemConfig`, whichever is there. */
  config?: string | undefined;
  cwd: string;
  /** The settings of this machine. */
  systemConfig: string;
  flags?: readonly FlagSetting[];
  warn: (text: string) => void;
  /** Whether root asks. Default: whether this process is root's. */
  root?: boolean;
}

interface Setting<T> {
  readonly variable: string;
  readonly kind: kinds.Kind<T>;
  readonly secret?: true;
  readonly directory?: true;
}

const setting = <T>(
  variable: string,
  kind: kinds.Kind<T>,
  more: { secret?: true; directory?: true } = {},
): Setting<T> => ({ variable, kind, ...more });

/** Every setting: its path in the file, its variable of the environment, what it accepts. */
const table = {
  'database.url': setting('DATABASE_URL', kinds.databaseUrl, { secret: true }),
  'database.embedded': setting('STAR64_DATABASE_EMBEDDED', kinds.yesNo),
  'agi.host': setting('STAR64_AGI_HOST', kinds.host),
  'agi.port': setting('STAR64_AGI_PORT', kinds.whole(0, 65_535)),
  'agi.token': setting('STAR64_AGI_TOKEN', kinds.token, { secret: true }),
  'agi.max_sessions': setting('STAR64_AGI_MAX_SESSIONS', kinds.whole(1, 100_000)),
  'agi.servers': setting('STAR64_AGI_SERVERS', kinds.servers),
  'ami.host': setting('STAR64_AMI_HOST', kinds.host),
  'ami.port': setting('STAR64_AMI_PORT', kinds.whole(1, 65_535)),
  'ami.username': setting('STAR64_AMI_USERNAME', kinds.line('must be the name of a user in manager.conf')),
  'ami.secret': setting('STAR64_AMI_SECRET', kinds.line('must be the secret of that user in manager.conf'), {
    secret: true,
  }),
  'ami.apply_username': setting(
    'STAR64_AMI_APPLY_USERNAME',
    kinds.line('must be the name of a user in manager.conf'),
  ),
  'ami.apply_secret': setting(
    'STAR64_AMI_APPLY_SECRET',
    kinds.line('must be the secret of that user in manager.conf'),
    { secret: true },
  ),
  'asterisk.config_dir': setting('STAR64_ASTERISK_CONFIG_DIR', kinds.directory, { directory: true }),
  'asterisk.templates_dir': setting('STAR64_ASTERISK_TEMPLATES_DIR', kinds.directory, { directory: true }),
  'asterisk.node': setting('STAR64_ASTERISK_NODE', kinds.node),
  'asterisk.version': setting('STAR64_ASTERISK_VERSION', kinds.asteriskVersion),
  'asterisk.user': setting('STAR64_ASTERISK_USER', kinds.account),
  'asterisk.group': setting('STAR64_ASTERISK_GROUP', kinds.account),
  'asterisk.console': setting(
    'STAR64_ASTERISK_CONSOLE',
    kinds.words('must be how to open the console of Asterisk, for example asterisk, or sudo asterisk'),
  ),
  'asterisk.recordings_dir': setting('STAR64_ASTERISK_RECORDINGS_DIR', kinds.directory, { directory: true }),
  'asterisk.sip_server': setting('STAR64_ASTERISK_SIP_SERVER', kinds.sipServer),
  'serve.health_port': setting('STAR64_SERVE_HEALTH_PORT', kinds.whole(1, 65_535)),
  'web.host': setting('STAR64_WEB_HOST', kinds.host),
  'web.port': setting('STAR64_WEB_PORT', kinds.whole(0, 65_535)),
  'web.trust_proxy': setting('STAR64_WEB_TRUST_PROXY', kinds.networks),
  'web.webhook_networks': setting('STAR64_WEB_WEBHOOK_NETWORKS', kinds.networks),
  'web.cors_origins': setting('STAR64_WEB_CORS_ORIGINS', kinds.origins),
  'web.metrics_token': setting('STAR64_WEB_METRICS_TOKEN', kinds.token, { secret: true }),
  data_dir: setting('STAR64_DATA_DIR', kinds.directory, { directory: true }),
  log_level: setting('STAR64_LOG_LEVEL', kinds.oneOf(logLevels)),
  log_format: setting('STAR64_LOG_FORMAT', kinds.oneOf(logFormats)),
};

type Path = keyof typeof table;
type Values = { [P in Path]?: (typeof table)[P] extends Setting<infer T> ? T : never };

const isPath = (path: string): path is Path => Object.hasOwn(table, path);
const sections = [...new Set(Object.keys(table).flatMap((path) => /^(.*)\./.exec(path)?.[1] ?? []))];
const wildcards = ['0.0.0.0', '::'];

/**
 * Reads all sources (defaults < file < environment < flags) and checks the result once. Throws one usage error that
 * lists every mistake with its source; values are never repeated in it, because some are secrets.
 */
export async function loadSettings(sources: SettingsSources): Promise<Settings> {
  const { env, cwd, systemConfig } = sources;
  const named = sources.config ?? (env['STAR64_CONFIG'] || undefined);
  const file = await readSettingsFile({
    named,
    cwd,
    systemConfig,
    sections,
    root: sources.root ?? process.getuid?.() === 0,
  });
  const mistakes = [...file.mistakes];
  const given = new Map(file.given);
  for (const [path, { variable }] of Object.entries(table)) {
    const value = env[variable];
    if (value) given.set(path, { value, source: variable, base: cwd });
  }
  for (const { path, value, flag } of sources.flags ?? []) {
    if (value !== undefined) given.set(path, { value, source: flag, base: cwd });
  }
  if (file.worldReadable && Object.entries(table).some(([path, one]) => one.secret && file.given.has(path))) {
    const { source } = file;
    sources.warn(
      `star64: ${source} holds secrets and everybody on this machine can read it: chmod 640 ${source}`,
    );
  }

  const values = checked(given, mistakes);
  const agiHost = values['agi.host'] ?? '127.0.0.1';
  if (!given.has('agi.servers') && wildcards.includes(agiHost)) {
    mistakes.push(
      `${given.get('agi.host')?.source ?? 'agi.host'}: agi.host means every address here; say with agi.servers (STAR64_AGI_SERVERS) how Asterisk reaches it`,
    );
  }
  const dataDir = values.data_dir ?? defaultDataDir(env, sources.root ?? process.getuid?.() === 0);
  const database = whichDatabase(values, given, mistakes, { dataDir, looked: file.looked });
  if (mistakes.length > 0) {
    throw usage(`the settings are not valid:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`);
  }
  const agiPort = values['agi.port'] ?? 4573;
  return {
    database,
    agi: {
      host: agiHost,
      port: agiPort,
      token: values['agi.token'],
      maxSessions: values['agi.max_sessions'] ?? 1000,
      servers: values['agi.servers'] ?? [`${agiHost.includes(':') ? `[${agiHost}]` : agiHost}:${agiPort}`],
    },
    ami: {
      host: values['ami.host'] ?? '127.0.0.1',
      port: values['ami.port'] ?? 5038,
      username: values['ami.username'] ?? 'star64',
      secret: values['ami.secret'],
      apply:
        values['ami.apply_secret'] === undefined
          ? undefined
          : {
              username: values['ami.apply_username'] ?? 'star64-apply',
              secret: values['ami.apply_secret'],
            },
    },
    asterisk: {
      configDir: values['asterisk.config_dir'] ?? '/etc/asterisk/star64',
      templatesDir: values['asterisk.templates_dir'],
      node: values['asterisk.node'] ?? 'default',
      version: values['asterisk.version'],
      user: values['asterisk.user'],
      group: values['asterisk.group'],
      console: values['asterisk.console'] ?? ['asterisk'],
      recordingsDir: values['asterisk.recordings_dir'] ?? '/var/spool/asterisk/monitor',
      sipServer: values['asterisk.sip_server'],
    },
    serve: { healthPort: values['serve.health_port'] },
    web: {
      host: values['web.host'] ?? '127.0.0.1',
      port: values['web.port'] ?? 4564,
      trustProxy: values['web.trust_proxy'],
      webhookNetworks: values['web.webhook_networks'] ?? [],
      corsOrigins: values['web.cors_origins'] ?? [],
      metricsToken: values['web.metrics_token'],
    },
    dataDir,
    logLevel: values.log_level ?? 'info',
    logFormat: values.log_format ?? 'text',
  };
}

/** What was given, each by its kind; what breaks a rule is added to `mistakes`. */
function checked(given: ReadonlyMap<string, Given>, mistakes: string[]): Values {
  const values: Record<string, unknown> = {};
  for (const [path, { value, source, base }] of given) {
    if (!isPath(path)) {
      mistakes.push(`${source}: ${path} is not a setting`);
      continue;
    }
    const { kind, directory } = table[path] as Setting<unknown>;
    const read = kind.read(value);
    if (read === undefined) mistakes.push(`${source}: ${path} ${kind.rule}`);
    values[path] = directory && typeof read === 'string' ? resolve(base, read) : read;
  }
  return values;
}

/** A URL, or star64's own: where one place says the first and a stronger one the second, the stronger one counts. */
function whichDatabase(
  values: Values,
  given: ReadonlyMap<string, Given>,
  mistakes: string[],
  { dataDir, looked }: { dataDir: string; looked: readonly string[] },
): DatabaseSetting {
  const dir = join(dataDir, 'postgres');
  const url = values['database.url'];
  // A file by its whole path: there may be several of the same name.
  const from = (path: Path): string => {
    const { source = '', inFile } = given.get(path) ?? {};
    return inFile ? (looked.at(-1) ?? source) : source;
  };
  const urlFrom = from('database.url');
  const ownFrom = from('database.embedded');
  const own = values['database.embedded'] === true;
  if (own && url !== undefined) {
    const [urlInFile, ownInFile] = [given.get('database.url'), given.get('database.embedded')].map(
      (one) => one?.inFile,
    );
    if (urlInFile === ownInFile) {
      mistakes.push(
        `${urlFrom}: database.url and database.embedded exclude each other: a PostgreSQL that is named, or one of star64's own`,
      );
    }
    if (ownInFile) return { is: 'named', url, from: urlFrom };
  }
  if (own) return { is: 'own', dir, from: ownFrom };
  if (url !== undefined) return { is: 'named', url, from: urlFrom };
  return { is: 'unset', dir, looked };
}

/**
 * Where programs keep their data by the XDG base directory specification, which ignores relative paths. For root it is
 * a service's place instead: PostgreSQL does not run as root, and its own user cannot reach into root's home.
 */
function defaultDataDir(env: NodeJS.ProcessEnv, root: boolean): string {
  const xdg = env['XDG_DATA_HOME'];
  if (!xdg && root) return '/var/lib/star64';
  const home = env['HOME'] ? env['HOME'] : homedir();
  return join(xdg && isAbsolute(xdg) ? xdg : join(home, '.local', 'share'), 'star64');
}
