import type { Command } from 'commander';
import { action, type Context } from '../../context.js';
import { duration, wholeNumber } from '../../options.js';

interface ListFlags {
  /** In seconds. */
  since?: number;
  agent?: string;
  user?: string;
  group?: string;
  limit?: number;
  csv?: true;
}

const listed = [
  'beganAt',
  'user',
  'from',
  'extension',
  'agent',
  'group',
  'mode',
  'seconds',
  'listened',
  'whispered',
  'barged',
  'announced',
  'call',
] as const;

/** `star64 supervision …` */
export function register(program: Command, context: Context): void {
  program
    .command('supervision')
    .description('who listened to whose calls (*71 to *73)')
    .command('list')
    .description('list who listened to whom, for how many seconds, and in which modes, the newest first')
    .option('--since <time>', 'that began at most so long ago: 90s, 15m, 1h, 2d', duration)
    .option('--agent <number>', 'to calls of this agent')
    .option('--user <user>', 'by this user')
    .option('--group <name>', 'to calls of this group')
    .option('--limit <count>', 'so many (default: 50)', wholeNumber)
    .option('--csv', 'print comma-separated values')
    .action(
      action(context, async ({ db, team, print }, { since, csv, ...filter }: ListFlags) => {
        const { listSupervisions } = await import('../../../domain/calls/commands/supervision-list.js');
        const found = await listSupervisions(await db(), team, {
          ...filter,
          ...(since !== undefined && { since: new Date(Date.now() - since * 1000) }),
        });
        if (csv) print.csv(found, listed);
        else print.list(found, listed);
      }),
    );
}
