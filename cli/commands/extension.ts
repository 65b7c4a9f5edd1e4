import type { Command } from 'commander';
import { usage } from '../../domain/errors.js';
import { action, type Context, type Invocation } from '../context.js';
import { given, onlyGiven } from '../options.js';

interface ExtensionFlags {
  user?: string;
  kind?: string;
  telephone?: string;
  secretStdin?: true;
  newSecret?: true;
}

/** `star64 extension …` */
export function register(program: Command, context: Context): void {
  const extension = program.command('extension').description('extensions: SIP devices and telephone numbers');
  const domain = () => import('../../domain/provisioning/extension.js');
  const kind = [
    '--kind <kind>',
    'sip, a device that registers, or external, a telephone number (phone, as it was called before, means the same)',
  ] as const;
  const telephone = ['--telephone <number>', 'what is dialled for kind external'] as const;
  const secret = ['--secret-stdin', 'read a SIP secret of your own from stdin'] as const;

  extension
    .command('add')
    .argument('<number>', 'what is dialled to reach it, for example 5000')
    .description('create an extension; prints the SIP secret that the device needs')
    .requiredOption('--user <username>', 'whose it is')
    .option(...kind)
    .option(...telephone)
    .option(...secret)
    .action(
      action(context, async (invocation, number: string, flags: ExtensionFlags & { user: string }) => {
        const values = { number, ...(await changesOf(invocation, flags)), user: flags.user };
        const { addExtension } = await domain();
        invocation.print.record(await addExtension(await invocation.db(), invocation.team, values));
      }),
    );

  extension
    .command('list')
    .description('list the extensions of the team')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listExtensions } = await domain();
        print.list(await listExtensions(await db(), team), ['number', 'user', 'kind', 'telephone']);
      }),
    );

  extension
    .command('show')
    .argument('<number>')
    .description('show an extension')
    .option('--secret', 'with its SIP secret')
    .action(
      action(context, async ({ db, team, print }, number: string, flags: { secret?: true }) => {
        const { showExtension, showExtensionSecret } = await domain();
        const show = flags.secret ? showExtensionSecret : showExtension;
        print.record(await show(await db(), team, number));
      }),
    );

  extension
    .command('set')
    .argument('<number>')
    .description('change an extension')
    .option('--user <username>', 'whose it is')
    .option(...kind)
    .option(...telephone)
    .option(...secret)
    .option('--new-secret', 'generate another SIP secret and print it')
    .action(
      action(context, async (invocation, number: string, flags: ExtensionFlags) => {
        const changes = onlyGiven(
          await changesOf(invocation, flags),
          '--user, --kind, --telephone, --secret-stdin, --new-secret',
        );
        const { setExtension } = await domain();
        invocation.print.record(await setExtension(await invocation.db(), invocation.team, number, changes));
      }),
    );

  extension
    .command('remove')
    .argument('<number>')
    .description('remove an extension that nothing needs any more, with the record of who worked at it')
    .action(
      action(context, async ({ db, team, print, say }, number: string) => {
        const { removeExtension } = await domain();
        await removeExtension(await db(), team, number);
        print.removed('extension', number);
        say(`removed extension ${number} of team ${team}`);
      }),
    );
}

/** Extensions of kind external were called phone once; scripts that say so go on working. */
const kindNamed = (kind: string): string => (kind === 'phone' ? 'external' : kind);

async function changesOf(invocation: Invocation, flags: ExtensionFlags) {
  if (flags.secretStdin && flags.newSecret) {
    throw usage('--secret-stdin and --new-secret exclude each other: give one of them.');
  }
  const { user, kind, telephone } = flags;
  const secret = flags.secretStdin
    ? await invocation.secret('SIP secret')
    : flags.newSecret && { generate: true as const };
  return given({ user, kind: kind && kindNamed(kind), telephone, secret });
}
