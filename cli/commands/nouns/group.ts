import { Option, type Command } from 'commander';
import { group } from '../../../domain/provisioning/nouns/group.js';
import { action, type Context } from '../../context.js';
import { operator } from '../../operator.js';
import { refusedOption } from '../../options.js';
import { registerNoun } from './noun.js';

/** `star64 group …` */
export function register(program: Command, context: Context): void {
  const command = registerNoun(
    program,
    context,
    group,
    async () => (await import('../../../domain/provisioning/people/group.js')).groups,
    {
      commands: registerSignOut,
    },
  );
  // What Asterisk's queues are asked for by who knows them, and would do harm.
  const weight = new Option('--weight <number>').hideHelp().argParser(refusedOption(whyNoWeight));
  for (const verb of command.commands) if (['add', 'set'].includes(verb.name())) verb.addOption(weight);
}

const whyNoWeight =
  'Weight is not used: a heavier queue of Asterisk keeps the agents that it shares from every lighter one, also while they may not take its own callers (penalties, overflow), so that the others wait for ever. Order the groups of an agent by --penalty, callers by their priority (STAR64_PRIO).';

function registerSignOut(group: Command, context: Context): void {
  group
    .command('sign-out-all')
    .argument('<name>')
    .description('sign out every agent of a group, in any state; fixed agents stay')
    .action(
      action(context, async ({ db, team, print, say }, name: string) => {
        const { signOutGroup } = await import('../../../domain/provisioning/people/admin-action.js');
        const actions = await signOutGroup(await db(), team, name, operator());
        print.list(actions, ['agent', 'extension', 'outcome']);
        const signedOut = actions.filter(({ outcome }) => outcome === 'signed-out').length;
        const fixed = actions.length - signedOut;
        say(
          `group ${name} of team ${team}: signed out ${signedOut}${fixed > 0 ? `; ${fixed} fixed stay` : ''}`,
        );
      }),
    );
}
