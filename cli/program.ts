import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { Context } from './context.js';
import { reportError } from './errors.js';
import { inOurVoice } from './hints.js';
import { packageRoot } from '../domain/machine/package-root.js';

type Register = (program: Command, context: Context) => void;

/**
 * Every command: one file in `commands/`, one `register(program, context)` that declares words and options and
 * imports nothing heavy; what it needs (`domain/…`, a socket) it imports when it runs. Of all these files only that of
 * the command which was typed is loaded; help, and what is no command, need them all.
 */
const commands: Readonly<Record<string, () => Promise<{ register: Register }>>> = {
  team: () => import('./commands/nouns/team.js'),
  user: () => import('./commands/nouns/user.js'),
  'user-group': () => import('./commands/nouns/user-group.js'),
  extension: () => import('./commands/nouns/extension.js'),
  agent: () => import('./commands/nouns/agent.js'),
  group: () => import('./commands/nouns/group.js'),
  did: () => import('./commands/nouns/did.js'),
  'did-rule': () => import('./commands/nouns/did-rule.js'),
  binding: () => import('./commands/nouns/binding.js'),
  route: () => import('./commands/calls/route.js'),
  hours: () => import('./commands/nouns/hours.js'),
  'ring-group': () => import('./commands/nouns/ring-group.js'),
  announcement: () => import('./commands/nouns/announcement.js'),
  menu: () => import('./commands/nouns/menu.js'),
  room: () => import('./commands/nouns/room.js'),
  destination: () => import('./commands/calls/destination.js'),
  trunk: () => import('./commands/nouns/trunk.js'),
  'trunk-group': () => import('./commands/nouns/trunk-group.js'),
  'number-class': () => import('./commands/nouns/number-class.js'),
  'feature-code': () => import('./commands/nouns/feature-code.js'),
  'call-key': () => import('./commands/nouns/call-key.js'),
  'pause-reason': () => import('./commands/nouns/pause-reason.js'),
  migrate: () => import('./commands/migrate.js'),
  apply: () => import('./commands/apply.js'),
  generate: () => import('./commands/generate.js'),
  rollback: () => import('./commands/rollback.js'),
  serve: () => import('./commands/serve.js'),
  status: () => import('./commands/status.js'),
  top: () => import('./commands/top.js'),
  events: () => import('./commands/events.js'),
  call: () => import('./commands/calls/call.js'),
  token: () => import('./commands/token.js'),
  webhook: () => import('./commands/nouns/webhook.js'),
  web: () => import('./commands/web.js'),
  callback: () => import('./commands/calls/callback.js'),
  recording: () => import('./commands/calls/recording.js'),
  supervise: () => import('./commands/calls/supervise.js'),
  supervision: () => import('./commands/calls/supervision.js'),
  popup: () => import('./commands/calls/popup.js'),
  'remove-from-asterisk': () => import('./commands/remove-from-asterisk.js'),
  demo: () => import('./commands/demo.js'),
  help: () => import('./commands/help.js'),
};

/** Options before the command that take a value. */
const valued = new Set(['--team', '--config', '--data-dir', '--log-level']);

/** The files that a command line needs. */
async function registrations(argv: readonly string[]): Promise<Register[]> {
  let at = 0;
  while (argv[at] === '--json' || valued.has(argv[at] ?? '')) at += argv[at] === '--json' ? 1 : 2;
  const typed = argv[at] ?? '';
  const load = Object.hasOwn(commands, typed) && typed !== 'help' ? commands[typed] : undefined;
  const files = await Promise.all((load ? [load] : Object.values(commands)).map((file) => file()));
  return files.map(({ register }) => register);
}

/** Runs one command line (without `node` and the script) and returns its exit status. */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  try {
    const program = createProgram(context, await registrations(argv));
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, (line) => context.err(`${line}\n`), context.env);
  }
}

/** The whole command line, for whoever describes it: nothing of it runs. */
export async function wholeProgram(context: Context): Promise<Command> {
  return createProgram(context, await registrations([]));
}

/** The command line as commander knows it; it throws instead of ending the process. */
function createProgram(context: Context, registrations: readonly Register[]): Command {
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
      outputError: (text, write) => write(inOurVoice(text)),
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
