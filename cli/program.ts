import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { register as registerAgent } from './commands/agent.js';
import { register as registerApply } from './commands/apply.js';
import { register as registerDemo } from './commands/demo.js';
import { register as registerDid } from './commands/did.js';
import { register as registerEvents } from './commands/events.js';
import { register as registerExtension } from './commands/extension.js';
import { register as registerFeatureCode } from './commands/feature-code.js';
import { register as registerGenerate } from './commands/generate.js';
import { register as registerGroup } from './commands/group.js';
import { register as registerHelp } from './commands/help.js';
import { register as registerMigrate } from './commands/migrate.js';
import { register as registerPauseReason } from './commands/pause-reason.js';
import { register as registerRemoveFromAsterisk } from './commands/remove-from-asterisk.js';
import { register as registerRollback } from './commands/rollback.js';
import { register as registerServe } from './commands/serve.js';
import { register as registerStatus } from './commands/status.js';
import { register as registerTeam } from './commands/team.js';
import { register as registerTop } from './commands/top.js';
import { register as registerTrunk } from './commands/trunk.js';
import { register as registerUser } from './commands/user.js';
import type { Context } from './context.js';
import { reportError } from './errors.js';
import { packageRoot } from '../domain/machine/package-root.js';

/**
 * Every command: one file in `commands/`, one `register(program, context)` that declares words and options and
 * imports nothing heavy; what it needs (`domain/…`, a socket) it imports when it runs. `--help` stays light that way.
 */
const registrations = [
  registerTeam,
  registerUser,
  registerExtension,
  registerAgent,
  registerGroup,
  registerDid,
  registerTrunk,
  registerFeatureCode,
  registerPauseReason,
  registerMigrate,
  registerApply,
  registerGenerate,
  registerRollback,
  registerServe,
  registerStatus,
  registerTop,
  registerEvents,
  registerRemoveFromAsterisk,
  registerDemo,
  registerHelp,
];

/** Runs one command line (without `node` and the script) and returns its exit status. */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, (line) => context.err(`${line}\n`), context.env);
  }
}

/** The command line as commander knows it; it throws instead of ending the process. */
export function createProgram(context: Context): Command {
  const program = new Command('star64')
    .description('A call centre on Asterisk for people who have only a telephone.')
    .version(version())
    .addOption(
      new Option('--team <identity>', 'the team to work on, or STAR64_TEAM').default(
        context.env['STAR64_TEAM'] ? context.env['STAR64_TEAM'] : 'astercc',
      ),
    )
    .option('--json', 'print JSON')
    .option(
      '--config <file>',
      'read settings from this file, or STAR64_CONFIG (default: ./star64.yml, else /etc/star64/star64.yml)',
    )
    .option('--data-dir <directory>', 'where star64 keeps its own data, or STAR64_DATA_DIR')
    .option('--log-level <level>', 'how much is logged, or STAR64_LOG_LEVEL')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: context.out,
      writeErr: context.err,
      // Commander repeats what was typed.
      outputError: (text, write) => write(text.replace(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}]/gu, '\ufffd')),
    })
    .showHelpAfterError('Add --help to see what can be typed.')
    .exitOverride();
  // Sub-commands inherit what the lines above set: they are added after it.
  for (const register of registrations) register(program, context);
  // `star64 help <noun>` is the one way to ask for help in words.
  for (const noun of program.commands) noun.helpCommand(false);
  return program;
}

function version(): string {
  const text = readFileSync(new URL('package.json', packageRoot), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
