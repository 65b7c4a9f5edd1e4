import type { Command } from 'commander';
import type { Story } from '../../../domain/calls/records/story.js';
import { action, type Context } from '../../context.js';
import { moment, moments, type Moment } from '../../moments.js';
import { wholeNumber } from '../../options.js';
import { registerCallActions, registerCallStart } from './call-actions.js';

interface ListFlags {
  since?: Moment;
  until?: Moment;
  direction?: string;
  group?: string;
  did?: string;
  caller?: string;
  number?: string;
  trunk?: string;
  user?: string;
  outcome?: string;
  csv?: true;
  unreturned?: true;
  before?: number;
  limit?: number;
}

interface SumFlags {
  by: string;
  since?: Moment;
  until?: Moment;
  csv?: true;
}

/** Behind the first nine, which scripts read by their places, stands what is of calls to the outside. */
const listed = [
  'id',
  'arrivedAt',
  'caller',
  'did',
  'group',
  'extension',
  'agent',
  'outcome',
  'uniqueid',
  'direction',
  'number',
  'trunk',
  'payer',
  'talkSeconds',
  'refused',
  'holdSeconds',
  'consultSeconds',
] as const;

const weekSeconds = 7 * 86_400;

/** `star64 call …` */
export function register(program: Command, context: Context): void {
  const call = program
    .command('call')
    .description('calls that came in or went out, the story of each, and what those to the outside come to');
  call
    .command('list')
    .description('list calls, the newest first')
    .option(
      '--since <time>',
      'from then on: 90s, 15m, 1h, 2d ago, or 2026-11-26 or 2026-11-26T08:00 in the team’s zone',
      moment,
    )
    .option('--until <time>', 'up to then, written the same way', moment)
    .option('--direction <direction>', 'in: that came in; out: to the outside')
    .option(
      '--group <name>',
      'that came for this group, stood in its queue, or were dialled by who had it as current group',
    )
    .option('--did <number>', 'that came by this DID')
    .option('--caller <number>', 'from this number')
    .option('--number <number>', 'to this number outside, as +4930123456')
    .option('--trunk <name>', 'that this trunk took')
    .option('--user <user>', 'to the outside for which this user pays')
    .option(
      '--outcome <outcome>',
      'that became of them: answered, abandoned, nobody, timeout, busy, failed and so on',
    )
    .option(
      '--unreturned',
      'the last call of each caller who got nobody, has not come back and was not called back; of the last 7 days unless --since says otherwise',
    )
    .option('--limit <calls>', 'so many on a page (default: 50)', wholeNumber)
    .option('--before <id>', 'the page behind the call with this id', wholeNumber)
    .option('--csv', 'print comma-separated values')
    .action(
      action(context, async (invocation, flags: ListFlags) => {
        const { listCalls } = await import('../../../domain/calls/records/list.js');
        const { team, print, say } = invocation;
        const {
          since = flags.unreturned ? { secondsAgo: weekSeconds } : undefined,
          until,
          csv,
          ...filter
        } = flags;
        const from = await moments(invocation, since);
        const to = await moments(invocation, until);
        const page = await listCalls(await invocation.db(), team, {
          ...filter,
          ...(from && { since: from }),
          ...(to && { until: to }),
        });
        if (csv) print.csv(page.calls, listed);
        else if (print.json) {
          print.record(page);
          return;
        } else print.list(page.calls, listed);
        if (page.next !== null) say(`more: --before ${page.next}`);
      }),
    );
  call
    .command('sums')
    .description(
      'calls to the outside, answered ones and seconds of talk, by class and by who or what they are of',
    )
    .requiredOption('--by <what>', 'user (who pays), user-group, trunk, group (of agents) or extension')
    .option(
      '--since <time>',
      'dialled from then on, as in `call list` (default: since the first of this month in the team’s zone)',
      moment,
    )
    .option('--until <time>', 'dialled before then (default: now)', moment)
    .option('--csv', 'print comma-separated values')
    .action(
      action(context, async (invocation, flags: SumFlags) => {
        const { sumCalls } = await import('../../../domain/calls/records/sums.js');
        const { print, team } = invocation;
        const db = await invocation.db();
        const { startOfMonth } = await import('../../../domain/provisioning/values/time.js');
        const since = (await moments(invocation, flags.since)) ?? (await startOfMonth(db, team));
        // One more: what begins in this moment is in it.
        const until = (await moments(invocation, flags.until ?? { secondsAgo: -1 })) ?? new Date();
        const sums = await sumCalls(db, team, { by: flags.by, since, until });
        const columns = [
          'of',
          'class',
          'calls',
          'refused',
          'answered',
          'talkSeconds',
          'holdSeconds',
          'consultSeconds',
        ] as const;
        if (flags.csv) print.csv(sums, columns);
        else print.list(sums, columns);
      }),
    );
  call
    .command('show')
    .argument('<call>', 'its uniqueid in Asterisk, or its id')
    .description('tell the story of a call, times in the team’s zone')
    .action(
      action(context, async ({ db, team, print, say }, name: string) => {
        const { readStory } = await import('../../../domain/calls/records/story.js');
        const story = await readStory(await db(), team, name);
        if (print.json) {
          print.record(story);
          return;
        }
        const at = await timesOf(story);
        say(`call ${story.uniqueid} (id ${story.id}) of team ${story.team}; times of ${story.timeZone}`);
        print.list(
          story.story.map((entry) => ({ time: at(entry.at), story: entry.says })),
          ['time', 'story'],
        );
      }),
    );
  registerCallStart(call, context);
  registerCallActions(call, context);
}

async function timesOf({ timeZone }: Story): Promise<(at: Date) => string> {
  const { timeIn } = await import('../../../domain/provisioning/values/time.js');
  return (at) => timeIn(timeZone, at);
}
