import type { Command } from 'commander';
import { action, type Context } from '../context.js';

interface DidFlags {
  group?: string;
  extension?: string;
  feature?: string;
}

/** `star64 did …` */
export function register(program: Command, context: Context): void {
  const did = program
    .command('did')
    .description('DIDs: numbers of the public network, and where their calls go');
  const domain = () => import('../../domain/provisioning/did.js');

  const withDestination = (command: Command): Command =>
    command
      .option('--group <name>', 'calls go to the queue of this group')
      .option('--extension <number>', 'calls go to this extension')
      .option(
        '--feature <feature>',
        'for agents who call from their telephones: sign-in, sign-out, pause, ready, work-mode, current-group, status',
      );

  withDestination(did.command('add'))
    .argument('<number>', 'as the trunk sends it, for example +4930600100')
    .description('create a DID')
    .action(
      action(
        context,
        async ({ db, team, print }, number: string, { group, extension, feature }: DidFlags) => {
          const { addDid } = await domain();
          print.record(await addDid(await db(), team, { number, group, extension, feature }));
        },
      ),
    );

  did
    .command('list')
    .description('list the DIDs of the team')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listDids } = await domain();
        print.list(await listDids(await db(), team), ['number', 'group', 'extension', 'feature']);
      }),
    );

  did
    .command('show')
    .argument('<number>')
    .description('show a DID')
    .action(
      action(context, async ({ db, team, print }, number: string) => {
        const { showDid } = await domain();
        print.record(await showDid(await db(), team, number));
      }),
    );

  withDestination(did.command('set'))
    .argument('<number>')
    .description('send the calls of a DID somewhere else')
    .action(
      action(
        context,
        async ({ db, team, print }, number: string, { group, extension, feature }: DidFlags) => {
          const { setDid } = await domain();
          print.record(await setDid(await db(), team, number, { group, extension, feature }));
        },
      ),
    );

  did
    .command('remove')
    .argument('<number>')
    .description('remove a DID')
    .action(
      action(context, async ({ db, team, print, say }, number: string) => {
        const { removeDid } = await domain();
        await removeDid(await db(), team, number);
        print.removed('did', number);
        say(`removed DID ${number} of team ${team}`);
      }),
    );
}
