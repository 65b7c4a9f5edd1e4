import type { Command } from 'commander';
import type { Database } from '../../domain/database/pool.js';
import { command } from '../../domain/names.js';
import { action, type Context } from '../context.js';
import { given, onlyGiven, onOff } from '../options.js';

interface TeamFlags {
  name?: string;
  timeZone?: string;
  phonePin?: boolean;
  /** False after `--no-language`. */
  language?: string | false;
  /** False after `--no-trunk`. */
  trunk?: string | false;
}

/** `star64 team …` */
export function register(program: Command, context: Context): void {
  const team = program.command('team').description('teams: each is a system of its own');
  const domain = () => import('../../domain/provisioning/team.js');
  const timeZone = ['--time-zone <name>', 'where its hours are meant, for example Europe/Berlin'] as const;
  const language = [
    '--language <name>',
    'in which its phones hear prompts, for example fr or pt_BR',
  ] as const;
  const phonePin = ['--phone-pin <on|off>', 'whether *64 asks for the PIN of the agent', onOff] as const;

  team
    .command('add')
    .argument('<identity>', 'first word of all its names in Asterisk, for example astercc; never changes')
    .description('create a team')
    .option('--name <name>', 'what people call it (default: its identity)')
    .option(...timeZone)
    .option(...phonePin)
    .option(...language)
    .action(
      action(context, async ({ db, print }, identity: string, { language, ...flags }: TeamFlags) => {
        const { name, timeZone, phonePin } = flags;
        const { addTeam } = await domain();
        const values = given({ name, timeZone, phonePin, language: language || undefined });
        print.record(await addTeam(await db(), identity, values));
      }),
    );

  team
    .command('list')
    .description('list the teams')
    .action(
      action(context, async ({ db, print }) => {
        const { listTeams } = await domain();
        print.list(await listTeams(await db()), [
          'identity',
          'name',
          'administrator',
          'timeZone',
          'phonePin',
          'language',
        ]);
      }),
    );

  team
    .command('show')
    .argument('<identity>')
    .description('show a team')
    .action(
      action(context, async ({ db, print }, identity: string) => {
        const { showTeam } = await domain();
        print.record(await showTeam(await db(), identity));
      }),
    );

  team
    .command('set')
    .argument('<identity>')
    .description('change a team')
    .option('--name <name>', 'what people call it')
    .option(...timeZone)
    .option(...phonePin)
    .option(...language)
    .option('--no-language', "hear them in Asterisk's default language")
    .option('--trunk <name>', 'the default trunk for calls to the outside: its own, or one for every team')
    .option('--no-trunk', 'no calls to the outside')
    .action(
      action(context, async ({ db, print, say }, identity: string, flags: TeamFlags) => {
        const { name, timeZone, phonePin } = flags;
        const trunk = flags.trunk === false ? null : flags.trunk;
        const language = flags.language === false ? null : flags.language;
        const changes = onlyGiven(
          { name, timeZone, phonePin, language, trunk },
          '--name, --time-zone, --phone-pin, --language, --no-language, --trunk, --no-trunk',
        );
        const { setTeam } = await domain();
        print.record(await setTeam(await db(), identity, changes));
        if (phonePin) await sayWhoHasNoPin(await db(), identity, say);
      }),
    );

  team
    .command('remove')
    .argument('<identity>')
    .description('remove a team that owns nothing any more')
    .option('--discard-calls', 'remove the record of its calls with it')
    .action(
      action(context, async ({ db, print, say }, identity: string, flags: { discardCalls?: true }) => {
        const { removeTeam } = await domain();
        await removeTeam(await db(), identity, { discardCalls: flags.discardCalls === true });
        print.removed('team', identity);
        say(`removed team ${identity}`);
      }),
    );
}

/** Agents who have just been locked out of *64; a fixed one is signed in without it. */
async function sayWhoHasNoPin(db: Database, team: string, say: (line: string) => void): Promise<void> {
  const { listAgents } = await import('../../domain/provisioning/agent.js');
  const without = (await listAgents(db, team)).filter(({ kind, pin }) => kind !== 'fixed' && !pin);
  if (without.length === 0) return;
  const some = without.slice(0, 5).map(({ number }) => number);
  const more = without.length > some.length ? `, and ${without.length - some.length} more` : '';
  say(
    `These agents have no PIN and cannot sign in by phone: ${some.join(', ')}${more}. Give each one with ${command(team, 'agent set <number> --pin-stdin')}.`,
  );
}
