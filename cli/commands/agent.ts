import type { Command } from 'commander';
import { usage } from '../../domain/errors.js';
import { action, type Context, type Invocation } from '../context.js';
import { given, nameList, numberByName, onlyGiven } from '../options.js';
import { registerActions } from './agent-actions.js';

interface AgentFlags {
  user?: string;
  groups?: string[];
  kind?: string;
  extension?: string;
  penalty?: Record<string, number>;
  pinStdin?: true;
  /** False after `--no-pin`. */
  pin?: boolean;
}

/** `star64 agent …` */
export function register(program: Command, context: Context): void {
  const agent = program.command('agent').description('agents: who takes the calls of the queues');
  const domain = () => import('../../domain/provisioning/agent.js');
  const groups = '--groups <names>';
  const kind = [
    '--kind <kind>',
    'fixed: one extension for ever; adaptive: any free phone; dynamic: the phone at his address',
  ] as const;
  const extension = ['--extension <number>', 'the extension of a fixed agent'] as const;
  const penalty = [
    '--penalty <group=number>',
    'calls of the group go to agents with a lower penalty first; may be repeated',
    numberByName,
  ] as const;
  const pin = ['--pin-stdin', 'read a PIN of 4 to 10 digits from stdin, for teams that ask for it'] as const;

  agent
    .command('add')
    .argument('<number>', 'what he keys in after *64, for example 1001')
    .description('create an agent')
    .requiredOption('--user <username>', 'who it is')
    .requiredOption(groups, 'the groups whose calls he takes, in their order: support,sales', nameList)
    .option(...kind)
    .option(...extension)
    .option(...penalty)
    .option(...pin)
    .action(
      action(
        context,
        async (invocation, number: string, flags: AgentFlags & { user: string; groups: string[] }) => {
          const { user, groups } = flags;
          const values = { ...given(await changesOf(invocation, flags)), number, user, groups };
          const { addAgent } = await domain();
          invocation.print.record(await addAgent(await invocation.db(), invocation.team, values));
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
          'penalties',
          'pin',
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
    .option(...penalty)
    .option(...pin)
    .option('--no-pin', 'take the PIN away')
    .action(
      action(context, async (invocation, number: string, flags: AgentFlags) => {
        const changes = onlyGiven(
          await changesOf(invocation, flags),
          '--user, --groups, --kind, --extension, --penalty, --pin-stdin, --no-pin',
        );
        const { setAgent } = await domain();
        invocation.print.record(await setAgent(await invocation.db(), invocation.team, number, changes));
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

  registerActions(agent, context);
}

async function changesOf(invocation: Invocation, flags: AgentFlags) {
  const { user, groups, kind, extension, penalty: penalties } = flags;
  if (flags.pinStdin && flags.pin === false) {
    throw usage('--pin-stdin and --no-pin exclude each other: give one of them.');
  }
  const pin = flags.pinStdin ? await invocation.secret('PIN') : flags.pin === false ? null : undefined;
  return { user, groups, kind, extension, penalties, pin };
}
