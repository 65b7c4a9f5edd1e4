import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { given, nameList, onlyGiven } from '../options.js';

interface AgentFlags {
  user?: string;
  groups?: string[];
  kind?: string;
  extension?: string;
}

/** `star64 agent …` */
export function register(program: Command, context: Context): void {
  const agent = program.command('agent').description('agents: who takes the calls of the queues');
  const domain = () => import('../../domain/agent.js');
  const groups = '--groups <names>';
  const kind = [
    '--kind <kind>',
    'fixed: one extension for ever; adaptive: any free phone; dynamic: the phone at his address',
  ] as const;
  const extension = ['--extension <number>', 'the extension of a fixed agent'] as const;

  agent
    .command('add')
    .argument('<number>', 'what he keys in after *64, for example 1001')
    .description('create an agent')
    .requiredOption('--user <username>', 'who it is')
    .requiredOption(groups, 'the groups whose calls he takes, in their order: support,sales', nameList)
    .option(...kind)
    .option(...extension)
    .action(
      action(
        context,
        async (
          { db, team, print },
          number: string,
          flags: AgentFlags & { user: string; groups: string[] },
        ) => {
          const { user, groups, kind, extension } = flags;
          const { addAgent } = await domain();
          const values = { number, user, groups, ...given({ kind, extension }) };
          print.record(await addAgent(await db(), team, values));
        },
      ),
    );

  agent
    .command('list')
    .description('list the agents of the team, and where they are signed in')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listAgents } = await domain();
        print.list(await listAgents(await db(), team), [
          'number',
          'user',
          'name',
          'kind',
          'extension',
          'groups',
          'signedInAt',
        ]);
      }),
    );

  agent
    .command('show')
    .argument('<number>')
    .description('show an agent')
    .action(
      action(context, async ({ db, team, print }, number: string) => {
        const { showAgent } = await domain();
        print.record(await showAgent(await db(), team, number));
      }),
    );

  agent
    .command('set')
    .argument('<number>')
    .description('change an agent')
    .option('--user <username>', 'who it is')
    .option(groups, 'all his groups, in their order: replaces those he has', nameList)
    .option(...kind)
    .option(...extension)
    .action(
      action(context, async ({ db, team, print }, number: string, flags: AgentFlags) => {
        const { user, groups, kind, extension } = flags;
        const changes = onlyGiven({ user, groups, kind, extension }, '--user, --groups, --kind, --extension');
        const { setAgent } = await domain();
        print.record(await setAgent(await db(), team, number, changes));
      }),
    );

  agent
    .command('remove')
    .argument('<number>')
    .description('remove an agent who is signed out, with the record of his states')
    .action(
      action(context, async ({ db, team, print, say }, number: string) => {
        const { removeAgent } = await domain();
        await removeAgent(await db(), team, number);
        print.removed('agent', number);
        say(`removed agent ${number} of team ${team}`);
      }),
    );
}
