import type { Command } from 'commander';
import { action, type Context } from '../../context.js';
import { wholeNumber } from '../../options.js';

interface ListFlags {
  agent?: string;
  open?: true;
  limit?: number;
  before?: number;
  csv?: true;
}

const listed = [
  'id',
  'openedAt',
  'kind',
  'application',
  'agent',
  'extension',
  'group',
  'caller',
  'number',
  'answeredAt',
  'closedAt',
  'outcome',
  'disposition',
  'call',
] as const;

/** `star64 popup …` */
export function register(program: Command, context: Context): void {
  const popup = program.command('popup').description('which calls an application was to show, and to whom');
  popup
    .command('list')
    .description('list popups, the newest first')
    .option('--agent <number>', 'of this agent')
    .option('--open', 'only those whose phone rings or talks')
    .option('--limit <popups>', 'so many on a page (default: 50)', wholeNumber)
    .option('--before <id>', 'the page behind the popup with this id', wholeNumber)
    .option('--csv', 'print comma-separated values')
    .action(
      action(context, async ({ db, team, print, say }, { csv, ...filter }: ListFlags) => {
        const { listPopups } = await import('../../../domain/popups/popups.js');
        const page = await listPopups(await db(), team, filter);
        if (csv) print.csv(page.popups, listed);
        else if (print.json) print.record(page);
        else print.list(page.popups, listed);
        if (!print.json && page.next !== null) say(`more: --before ${page.next}`);
      }),
    );
  popup
    .command('show')
    .argument('<popup>', 'its id')
    .description('show a popup with its link, and what the application has said of the call')
    .action(
      action(context, async ({ db, team, print }, id: string) => {
        const { showPopup } = await import('../../../domain/popups/popups.js');
        const { data, ...shown } = await showPopup(await db(), team, id);
        print.record({ ...shown, data: data === null ? null : JSON.stringify(data) });
      }),
    );
}
