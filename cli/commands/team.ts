import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { given, onlyGiven } from '../options.js';

/** `star64 team …` */
export function register(program: Command, context: Context): void {
  const team = program.command('team').description('teams: each is a system of its own');
  const domain = () => import('../../domain/team.js');

  team
    .command('add')
    .argument('<identity>', 'first word of all its names in Asterisk, for example astercc; never changes')
    .description('create a team')
    .option('--name <name>', 'what people call it (default: its identity)')
    .action(
      action(context, async ({ db, print }, identity: string, { name }: { name?: string }) => {
        const { addTeam } = await domain();
        print.record(await addTeam(await db(), identity, given({ name })));
      }),
    );

  team
    .command('list')
    .description('list the teams')
    .action(
      action(context, async ({ db, print }) => {
        const { listTeams } = await domain();
        print.list(await listTeams(await db()), ['identity', 'name', 'administrator']);
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
    .action(
      action(context, async ({ db, print }, identity: string, { name }: { name?: string }) => {
        const changes = onlyGiven({ name }, '--name');
        const { setTeam } = await domain();
        print.record(await setTeam(await db(), identity, changes));
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
