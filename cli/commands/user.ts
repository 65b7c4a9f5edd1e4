import type { Command } from 'commander';
import { action, type Context, type Invocation } from '../context.js';
import { given, onlyGiven } from '../options.js';

interface UserFlags {
  system?: true;
  name?: string;
  administrator?: boolean;
  passwordStdin?: true;
  /** False after `--no-login`. */
  login?: boolean;
}

/** `star64 user …` */
export function register(program: Command, context: Context): void {
  const user = program.command('user').description('users: who logs in, and who is billed');
  const domain = () => import('../../domain/provisioning/user.js');
  const system = ['--system', 'a user of the system, of no team'] as const;
  const administrator = ['--administrator', 'the single administrator of the team'] as const;
  const password = ['--password-stdin', 'read the login password from stdin'] as const;

  user
    .command('add')
    .argument('<username>', 'the login, for example anna')
    .description('create a user')
    .option('--name <name>', 'the name of the person (default: the user name)')
    .option(...administrator)
    .option(...password)
    .option(...system)
    .action(
      action(context, async (invocation, username: string, flags: UserFlags) => {
        const { name, administrator } = flags;
        const password = flags.passwordStdin ? await invocation.secret('password') : undefined;
        const values = { username, ...given({ name, administrator, password }) };
        const { addUser } = await domain();
        invocation.print.record(await addUser(await invocation.db(), teamOf(invocation, flags), values));
      }),
    );

  user
    .command('list')
    .description('list the users of the team')
    .option(...system)
    .action(
      action(context, async (invocation, flags: UserFlags) => {
        const { listUsers } = await domain();
        const users = await listUsers(await invocation.db(), teamOf(invocation, flags));
        invocation.print.list(users, ['username', 'name', 'administrator', 'login', 'extensions', 'agents']);
      }),
    );

  user
    .command('show')
    .argument('<username>')
    .description('show a user')
    .option(...system)
    .action(
      action(context, async (invocation, username: string, flags: UserFlags) => {
        const { showUser } = await domain();
        invocation.print.record(await showUser(await invocation.db(), teamOf(invocation, flags), username));
      }),
    );

  user
    .command('set')
    .argument('<username>')
    .description('change a user')
    .option('--name <name>', 'the name of the person')
    .option(...administrator)
    .option('--no-administrator', 'an ordinary user')
    .option(...password)
    .option('--no-login', 'take the login password away')
    .option(...system)
    .action(
      action(context, async (invocation, username: string, flags: UserFlags) => {
        const changes = onlyGiven(
          {
            name: flags.name,
            administrator: flags.administrator,
            password: flags.passwordStdin
              ? await invocation.secret('password')
              : flags.login === false
                ? null
                : undefined,
          },
          '--name, --administrator, --no-administrator, --password-stdin, --no-login',
        );
        const { setUser } = await domain();
        const changed = await setUser(await invocation.db(), teamOf(invocation, flags), username, changes);
        invocation.print.record(changed);
      }),
    );

  user
    .command('remove')
    .argument('<username>')
    .description('remove a user who owns nothing any more')
    .option(...system)
    .action(
      action(context, async (invocation, username: string, flags: UserFlags) => {
        const { removeUser } = await domain();
        const team = teamOf(invocation, flags);
        await removeUser(await invocation.db(), team, username);
        invocation.print.removed('user', username);
        invocation.say(`removed user ${username} of ${team === null ? 'the system' : `team ${team}`}`);
      }),
    );
}

const teamOf = ({ team }: Invocation, { system }: UserFlags): string | null => (system ? null : team);
