import type { Command } from 'commander';
import { action, type Context } from '../../context.js';
import { operator } from '../../operator.js';

/** What an admin does with an agent who is, or is to be, at work: `star64 agent sign-in …` and its like. */
export function registerActions(agent: Command, context: Context): void {
  const domain = () => import('../../../domain/provisioning/people/admin-action.js');

  agent
    .command('sign-in')
    .argument('<number>')
    .description('sign an agent in at a phone, as *64 there does, without their PIN')
    .requiredOption('--extension <number>', 'the phone')
    .action(
      action(context, async ({ db, team, print }, number: string, { extension }: { extension: string }) => {
        const { signInAgent } = await domain();
        print.record(await signInAgent(await db(), team, number, { extension, by: operator() }));
      }),
    );

  agent
    .command('sign-out')
    .argument('<number>')
    .description('sign an agent out, as *65 does; a call that their phone rings for goes to the next agent')
    .action(
      action(context, async ({ db, team, print }, number: string) => {
        const { signOutAgent } = await domain();
        print.record(await signOutAgent(await db(), team, number, operator()));
      }),
    );

  agent
    .command('pause')
    .argument('<number>')
    .description('pause an agent, as *66 does, but not in a call')
    .option('--reason <digit>', 'a reason of the team (star64 pause-reason list); 0: none')
    .action(
      action(context, async ({ db, team, print }, number: string, { reason }: { reason?: string }) => {
        const { pauseAgent } = await domain();
        print.record(await pauseAgent(await db(), team, number, reason));
      }),
    );

  agent
    .command('ready')
    .argument('<number>')
    .description('end the pause or wrap-up of an agent, as *67 does')
    .action(
      action(context, async ({ db, team, print }, number: string) => {
        const { readyAgent } = await domain();
        print.record(await readyAgent(await db(), team, number));
      }),
    );

  agent
    .command('work-mode')
    .argument('<number>')
    .argument('<mode>', 'all, inbound (queue calls) or outbound (calls to the outside)')
    .description('set what an agent does in groups that leave it to them, as *62 does')
    .action(
      action(context, async ({ db, team, print }, number: string, mode: string) => {
        const { setAgentWorkMode } = await domain();
        print.record(await setAgentWorkMode(await db(), team, number, mode));
      }),
    );

  agent
    .command('current-group')
    .argument('<number>')
    .argument('<group>')
    .description('choose the current group of an agent, as *63 does')
    .action(
      action(context, async ({ db, team, print }, number: string, group: string) => {
        const { setAgentGroup } = await domain();
        print.record(await setAgentGroup(await db(), team, number, group));
      }),
    );
}
