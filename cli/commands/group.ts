import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { operator } from '../operator.js';
import { given, onlyGiven, onOff, wholeNumber } from '../options.js';

interface GroupFlags {
  /** False after `--no-number`. */
  number?: string | false;
  strategy?: string;
  ringSeconds?: number;
  wrapUp?: string;
  wrapUpSeconds?: number;
  workMode?: string;
  /** False after `--no-sign-out-at`. */
  signOutAt?: string | false;
  /** False after `--no-idle-sign-out`. */
  idleSignOut?: number | false;
  announceAgent?: boolean;
  announceCall?: boolean;
}

/** `star64 group …` */
export function register(program: Command, context: Context): void {
  const group = program.command('group').description('agent groups: each is one queue');
  const domain = () => import('../../domain/provisioning/group.js');

  const withOptions = (command: Command): Command =>
    command
      .option('--number <number>', 'what phones of the team dial to reach its queue')
      .option('--strategy <strategy>', 'who is offered a call next: rrmemory, ringall, leastrecent, …')
      .option('--ring-seconds <seconds>', 'how long one phone rings before the next is tried', wholeNumber)
      .option(
        '--wrap-up <mode>',
        'wrap-up begins after every offer (ring), answered ones (answer) or none (off)',
      )
      .option('--wrap-up-seconds <seconds>', 'longest wrap-up; 0: until the agent ends it', wholeNumber)
      .option('--work-mode <mode>', 'its agents take calls (inbound), make calls (outbound), all or choice')
      .option(
        '--sign-out-at <HH:MM>',
        'end of the shift: signs out whoever has this as current group, never in a call',
      )
      .option(
        '--idle-sign-out <seconds>',
        'signs out whoever has been idle for so long in this as current group; 0: never',
        wholeNumber,
      )
      .option(
        '--announce-agent <on|off>',
        'whether the caller hears the number of the agent who answers',
        onOff,
      )
      .option(
        '--announce-call <on|off>',
        'whether the agent hears the queue and how long the caller waited',
        onOff,
      );

  withOptions(group.command('add'))
    .argument('<name>', 'for example support')
    .description('create an agent group')
    .action(
      action(context, async ({ db, team, print }, name: string, flags: GroupFlags) => {
        const { addGroup } = await domain();
        print.record(await addGroup(await db(), team, { name, ...given(changesOf(flags)) }));
      }),
    );

  group
    .command('list')
    .description('list the agent groups of the team')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listGroups } = await domain();
        print.list(await listGroups(await db(), team), [
          'name',
          'number',
          'strategy',
          'ringSeconds',
          'wrapUp',
          'wrapUpSeconds',
          'workMode',
          'signOutAt',
          'idleSignOutSeconds',
          'announceAgent',
          'announceCall',
          'agents',
          'dids',
          'leavingSince',
        ]);
      }),
    );

  group
    .command('show')
    .argument('<name>')
    .description('show an agent group')
    .action(
      action(context, async ({ db, team, print }, name: string) => {
        const { showGroup } = await domain();
        print.record(await showGroup(await db(), team, name));
      }),
    );

  withOptions(group.command('set'))
    .argument('<name>')
    .option('--no-number', 'not to be dialled any more')
    .option('--no-sign-out-at', 'no end of the shift')
    .option('--no-idle-sign-out', 'idle for as long as he likes')
    .description('change an agent group')
    .action(
      action(context, async ({ db, team, print }, name: string, flags: GroupFlags) => {
        const changes = onlyGiven(
          changesOf(flags),
          '--number, --no-number, --strategy, --ring-seconds, --wrap-up, --wrap-up-seconds, --work-mode, ' +
            '--sign-out-at, --no-sign-out-at, --idle-sign-out, --no-idle-sign-out, --announce-agent, --announce-call',
        );
        const { setGroup } = await domain();
        print.record(await setGroup(await db(), team, name, changes));
      }),
    );

  group
    .command('sign-out-all')
    .argument('<name>')
    .description('sign out every agent of a group, in any state; fixed agents stay')
    .action(
      action(context, async ({ db, team, print, say }, name: string) => {
        const { signOutGroup } = await import('../../domain/provisioning/admin-action.js');
        const actions = await signOutGroup(await db(), team, name, operator());
        print.list(actions, ['agent', 'extension', 'outcome']);
        const signedOut = actions.filter(({ outcome }) => outcome === 'signed-out').length;
        const fixed = actions.length - signedOut;
        say(
          `group ${name} of team ${team}: signed out ${signedOut}${fixed > 0 ? `; ${fixed} fixed stay` : ''}`,
        );
      }),
    );

  group
    .command('remove')
    .argument('<name>')
    .description('remove an agent group without agents and DIDs; it goes once its queue is empty')
    .action(
      action(context, async ({ db, team, print, say }, name: string) => {
        const { removeGroup } = await domain();
        print.record(await removeGroup(await db(), team, name));
        say(
          `group ${name} of team ${team} is leaving: it goes once Asterisk has no more callers in its queue`,
        );
      }),
    );
}

function changesOf({ number, signOutAt, idleSignOut, ...rest }: GroupFlags) {
  return {
    ...rest,
    number: number === false ? null : number,
    signOutAt: signOutAt === false ? null : signOutAt,
    idleSignOutSeconds: idleSignOut === false ? null : idleSignOut,
  };
}
