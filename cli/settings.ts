import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod';
import { usage } from '../domain/errors.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Everything that star64 can be told besides its command line, complete and checked. */
export interface Settings {
  /** Undefined: star64 keeps a PostgreSQL of its own in `dataDir`. */
  databaseUrl: string | undefined;
  agi: {
    host: string;
    port: number;
    /** Undefined: `loadToken` keeps one in `dataDir`. */
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
    /** As whom Asterisk runs, and the group of what is generated; undefined: see `accessTo`. */
    user: string | undefined;
    group: string | undefined;
    /** The words that open Asterisk's console on this machine; `apply` adds -rx and a command. */
    console: string[];
  };
  dataDir: string;
  logLevel: (typeof logLevels)[number];
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
  /** Path of the file that must exist; without it `star64.yml` in `cwd`, if there is one. */
  config?: string | undefined;
  cwd: string;
  flags?: readonly FlagSetting[];
  warn: (text: string) => void;
  /** Whether root asks. Default: whether this process is root's. */
  root?: boolean;
}

const line = (what: string): z.ZodString =>
  z
    .string({ error: what })
    .min(1, what)
    // eslint-disable-next-line no-control-regex -- to refuse them is the point
    .regex(/^[^\u0000-\u001f\u007f]*$/, what);
const hostRule = 'must be a host name or an IP address, for example 127.0.0.1';
const host = z
  .string({ error: hostRule })
  .regex(/^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/, hostRule);
const whole = (from: number, to: number): z.ZodType<number> => {
  const rule = `must be a whole number from ${from} to ${to}`;
  // The environment has only text.
  return z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^[0-9]{1,9}$/)
          .transform(Number),
      ],
      { error: rule },
    )
    .refine((value) => Number.isInteger(value) && value >= from && value <= to, rule);
};
const serverRule = 'must be a list of host:port, for example 10.0.0.1:4573,10.0.0.2:4573';
const server = z
  .string({ error: serverRule })
  .regex(/^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/, serverRule);
const servers = z.union(
  [
    z.array(server).min(1),
    z
      .string()
      .transform((text) => text.split(',').map((part) => part.trim()))
      .pipe(z.array(server).min(1)),
  ],
  { error: serverRule },
);

const consoleRule = 'must be how to open the console of Asterisk, for example asterisk, or sudo asterisk';
const word = line(consoleRule).regex(/^\S+$/, consoleRule);
const consoleWords = z.union(
  [
    z.array(word).min(1),
    line(consoleRule)
      .transform((text) => text.trim().split(/\s+/))
      .pipe(z.array(word).min(1)),
  ],
  { error: consoleRule },
);
const accountRule = 'must be the name of a user or group of this machine';
const account = z.string({ error: accountRule }).regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/, accountRule);

const schema = z.strictObject({
  database: z.strictObject({
    url: z
      .string({ error: 'must be a URL like postgres://user:password@host:5432/star64' })
      .regex(/^postgres(ql)?:\/\/\S+$/, 'must be a URL like postgres://user:password@host:5432/star64')
      .optional(),
  }),
  agi: z.strictObject({
    host: host.default('127.0.0.1'),
    port: whole(0, 65_535).default(4573),
    token: z
      .string({ error: 'must be 24 to 128 letters and digits, or be left out' })
      .regex(/^[A-Za-z0-9]{24,128}$/, 'must be 24 to 128 letters and digits, or be left out')
      .optional(),
    max_sessions: whole(1, 100_000).default(1000),
    servers: servers.optional(),
  }),
  ami: z.strictObject({
    host: host.default('127.0.0.1'),
    port: whole(1, 65_535).default(5038),
    username: line('must be the name of a user in manager.conf').default('star64'),
    secret: line('must be the secret of that user in manager.conf').optional(),
    apply_username: line('must be the name of a user in manager.conf').default('star64-apply'),
    apply_secret: line('must be the secret of that user in manager.conf').optional(),
  }),
  asterisk: z.strictObject({
    config_dir: line('must be a directory').default('/etc/asterisk/star64'),
    templates_dir: line('must be a directory').optional(),
    node: z
      .string({ error: 'must be 1 to 40 letters, digits and hyphens' })
      .regex(/^[A-Za-z0-9-]{1,40}$/, 'must be 1 to 40 letters, digits and hyphens')
      .default('default'),
    user: account.optional(),
    group: account.optional(),
    console: consoleWords.default(['asterisk']),
  }),
  data_dir: line('must be a directory').optional(),
  log_level: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
});

/** Which variable of the environment says what. */
export const environmentVariables: readonly (readonly [variable: string, path: string])[] = [
  ['DATABASE_URL', 'database.url'],
  ['STAR64_AGI_HOST', 'agi.host'],
  ['STAR64_AGI_PORT', 'agi.port'],
  ['STAR64_AGI_TOKEN', 'agi.token'],
  ['STAR64_AGI_MAX_SESSIONS', 'agi.max_sessions'],
  ['STAR64_AGI_SERVERS', 'agi.servers'],
  ['STAR64_AMI_HOST', 'ami.host'],
  ['STAR64_AMI_PORT', 'ami.port'],
  ['STAR64_AMI_USERNAME', 'ami.username'],
  ['STAR64_AMI_SECRET', 'ami.secret'],
  ['STAR64_AMI_APPLY_USERNAME', 'ami.apply_username'],
  ['STAR64_AMI_APPLY_SECRET', 'ami.apply_secret'],
  ['STAR64_ASTERISK_CONFIG_DIR', 'asterisk.config_dir'],
  ['STAR64_ASTERISK_TEMPLATES_DIR', 'asterisk.templates_dir'],
  ['STAR64_ASTERISK_NODE', 'asterisk.node'],
  ['STAR64_ASTERISK_USER', 'asterisk.user'],
  ['STAR64_ASTERISK_GROUP', 'asterisk.group'],
  ['STAR64_ASTERISK_CONSOLE', 'asterisk.console'],
  ['STAR64_DATA_DIR', 'data_dir'],
  ['STAR64_LOG_LEVEL', 'log_level'],
];

const secrets = ['database.url', 'agi.token', 'ami.secret', 'ami.apply_secret'];
const directories = ['asterisk.config_dir', 'asterisk.templates_dir', 'data_dir'];
const sections = ['database', 'agi', 'ami', 'asterisk'];
const wildcards = ['0.0.0.0', '::'];

/**
 * Reads all sources (defaults < file < environment < flags) and checks the result once. Throws one usage error that
 * lists every mistake with its source; values are never repeated in it, because some are secrets.
 */
export async function loadSettings(sources: SettingsSources): Promise<Settings> {
  const { env, cwd } = sources;
  const given = new Map<string, { value: unknown; source: string; base: string }>();
  const mistakes = await readSettingsFile(sources, given);
  for (const [variable, path] of environmentVariables) {
    const value = env[variable];
    if (value) given.set(path, { value, source: variable, base: cwd });
  }
  for (const { path, value, flag } of sources.flags ?? []) {
    if (value !== undefined) given.set(path, { value, source: flag, base: cwd });
  }

  const input: Record<string, unknown> = Object.fromEntries(sections.map((section) => [section, {}]));
  for (const [path, { value, base }] of given) {
    const isDirectory = directories.includes(path) && typeof value === 'string' && value !== '';
    place(input, path, isDirectory ? resolve(base, value) : value);
  }
  const result = schema.safeParse(input);
  for (const issue of result.error?.issues ?? []) {
    const at = issue.path.map(String);
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...at, key]) : [at];
    for (const parts of paths) {
      const found = sourceOf(given, parts);
      const what = issue.code === 'unrecognized_keys' ? 'is not a setting' : issue.message;
      mistakes.push(`${found.source}: ${found.path} ${what}`);
    }
  }
  const agi = result.data?.agi;
  if (agi && !agi.servers && wildcards.includes(agi.host)) {
    mistakes.push(
      `${given.get('agi.host')?.source ?? 'agi.host'}: agi.host means every address here; say with agi.servers (STAR64_AGI_SERVERS) how Asterisk reaches it`,
    );
  }
  if (mistakes.length > 0 || !result.data || !agi) {
    throw usage(`the settings are not valid:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`);
  }

  const { database, ami, asterisk, data_dir, log_level } = result.data;
  return {
    databaseUrl: database.url,
    agi: {
      host: agi.host,
      port: agi.port,
      token: agi.token,
      maxSessions: agi.max_sessions,
      servers: agi.servers ?? [`${agi.host.includes(':') ? `[${agi.host}]` : agi.host}:${agi.port}`],
    },
    ami: {
      host: ami.host,
      port: ami.port,
      username: ami.username,
      secret: ami.secret,
      apply:
        ami.apply_secret === undefined
          ? undefined
          : { username: ami.apply_username, secret: ami.apply_secret },
    },
    asterisk: {
      configDir: asterisk.config_dir,
      templatesDir: asterisk.templates_dir,
      node: asterisk.node,
      user: asterisk.user,
      group: asterisk.group,
      console: asterisk.console,
    },
    dataDir: data_dir ?? defaultDataDir(env, sources.root ?? process.getuid?.() === 0),
    logLevel: log_level,
  };
}

/** Puts what the file says into `given`; returns the mistakes that make it no settings file at all. */
async function readSettingsFile(
  { config, cwd, env, warn }: SettingsSources,
  given: Map<string, { value: unknown; source: string; base: string }>,
): Promise<string[]> {
  const named = config ?? (env['STAR64_CONFIG'] || undefined);
  const source = named ?? 'star64.yml';
  const path = resolve(cwd, source);
  let text: string;
  let mode: number;
  try {
    [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    // Nobody asked for the default file: that it is absent is no mistake.
    return named === undefined && code === 'ENOENT' ? [] : [`${source}: cannot be read (${code})`];
  }
  // Loaded only for this, since it costs a tenth of the start of a command.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    // Only place and kind: the parser's own words quote the line, and a secret may stand there.
    return document.errors.map(
      ({ code, linePos }) => `${source}: line ${linePos?.[0].line ?? '?'} is not valid YAML (${code})`,
    );
  }
  const root: unknown = document.toJS();
  if (root === null || root === undefined) return [];
  if (typeof root !== 'object' || Array.isArray(root)) {
    return [`${source}: must hold settings like "log_level: info"`];
  }
  const mistakes: string[] = [];
  for (const [key, value] of Object.entries(root as Record<string, unknown>)) {
    if (key.includes('.')) {
      mistakes.push(`${source}: ${key} is not a setting; sections are written as indented blocks`);
    } else if (!sections.includes(key)) {
      given.set(key, { value, source, base: dirname(path) });
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) {
        given.set(`${key}.${name}`, { value: inner, source, base: dirname(path) });
      }
    } else if (value !== null) {
      mistakes.push(`${source}: ${key} must be a section of settings`);
    }
  }
  const worldReadable = 0o004;
  if ((mode & worldReadable) !== 0 && secrets.some((secret) => given.has(secret))) {
    warn(`star64: ${source} holds secrets and everybody on this machine can read it: chmod 640 ${source}`);
  }
  return mistakes;
}

/** Sets `a.b` in a tree of two levels; the sections are there. */
function place(input: Record<string, unknown>, path: string, value: unknown): void {
  const dot = path.indexOf('.');
  if (dot < 0) input[path] = value;
  else (input[path.slice(0, dot)] as Record<string, unknown>)[path.slice(dot + 1)] = value;
}

/** Where a value came from; a mistake inside a list belongs to the list. */
function sourceOf(
  given: ReadonlyMap<string, { source: string }>,
  parts: readonly string[],
): { path: string; source: string } {
  for (let length = parts.length; length > 0; length--) {
    const path = parts.slice(0, length).join('.');
    const found = given.get(path);
    if (found) return { path, source: found.source };
  }
  return { path: parts.join('.'), source: 'settings' };
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
