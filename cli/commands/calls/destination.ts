import type { Command } from 'commander';
import type { DestinationTree } from '../../../domain/provisioning/features/destination-tree.js';
import { action, type Context } from '../../context.js';

/** `star64 destination show <from>`: everything to which a call can come from there. */
export function register(program: Command, context: Context): void {
  program
    .command('destination')
    .description('where calls can come to')
    .command('show')
    .argument('<from>', 'a DID, or a destination, for example group:support')
    .description('draw the tree of everything to which a call can come from there')
    .action(
      action(context, async ({ db, team, print }, from: string) => {
        const { destinationTree } = await import('../../../domain/provisioning/features/destination-tree.js');
        const tree = await destinationTree(await db(), team, from);
        if (print.json) print.record(tree);
        else for (const line of drawn(tree)) context.out(`${line}\n`);
      }),
    );
}

/** A tree in lines: what leads on is drawn below it. */
export function drawn({ destination, seen, next }: DestinationTree): string[] {
  return [
    `${destination}${seen ? ' (as above)' : ''}`,
    ...next.flatMap((branch, index) => {
      const isLast = index === next.length - 1;
      const [first = '', ...rest] = drawn(branch);
      return [
        `${isLast ? '└─' : '├─'} ${branch.slot ?? ''}: ${first}`,
        ...rest.map((line) => `${isLast ? '   ' : '│  '}${line}`),
      ];
    }),
  ];
}
