import { command } from '../domain/names.js';
import type { Queryable } from '../domain/database/pool.js';
import type { Console } from '../pbx/files/console.js';
import type { GenerateOptions, Generated } from '../pbx/files/generate.js';
import { knowsDigest } from '../pbx/files/version.js';
import type { Invocation } from './context.js';
import type { Settings } from './settings.js';
import { loadToken } from './token.js';

/** Options of `generate` and `apply`. */
export interface GenerateFlags {
  dir?: string;
  md5Cred?: true;
  empty?: true;
}

/** As whom Asterisk runs where nobody has said so: Debian, Fedora and FreePBX have this user for it. */
const usualUser = 'asterisk';

type Say = Invocation['say'];

/** Where and for whom files are generated, by the settings. */
export function placeOf(all: Settings, say: Say) {
  const { configDir: directory, node, user, group } = all.asterisk;
  return {
    directory,
    node,
    group,
    reader: { user: user ?? usualUser, required: user !== undefined },
    onWait: (who: string) => say(`waiting: ${who} is at work in ${directory}`),
  };
}

/** What files are generated from, by settings and options. */
export async function generateOptions(
  all: Settings,
  flags: GenerateFlags,
  db: Queryable,
  say: Say,
): Promise<GenerateOptions> {
  const { soundsOf } = await import('../agi/prompts.js');
  return {
    ...placeOf(all, say),
    servers: all.agi.servers,
    token: await loadToken(all, db, say),
    version: all.asterisk.version,
    passwordDigest: flags.md5Cred !== true && knowsDigest(all.asterisk.version),
    empty: flags.empty === true,
    nobodyAnswers: soundsOf('unavailable').join('&'),
    templatesDirectory: all.asterisk.templatesDir,
  };
}

/** Lets `work` ask Asterisk, through the manager user that the settings name for it, else by the console. */
export async function withConsole<T>(
  { ami, asterisk }: Settings,
  work: (console: Console) => Promise<T>,
): Promise<T> {
  if (ami.apply === undefined) {
    const { consoleOf } = await import('../pbx/files/console.js');
    return work(consoleOf(asterisk.console));
  }
  const { managerConsole } = await import('../pbx/files/manager-console.js');
  const { console, close } = await managerConsole({ host: ami.host, port: ami.port, ...ami.apply });
  try {
    return await work(console);
  } finally {
    await close();
  }
}

/** Says at which telephones nobody can be called. */
export function sayUnreachable({ unreachable }: Pick<Generated, 'unreachable'>, say: Say): void {
  for (const { team, numbers } of unreachable) {
    say(
      `team ${team} has no trunk, so that nobody can be called at its telephones ${numbers.join(', ')}: ${command(team, 'trunk add <name> --endpoint <section>')}, then \`star64 team set ${team} --trunk <name>\`.`,
    );
  }
}
