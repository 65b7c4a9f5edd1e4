import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { Star64Error } from '../../domain/errors.js';
import type { StateChange, StateFeed } from '../../domain/state-change.js';
import { action, type Context } from '../context.js';
import { duration } from '../options.js';
import { jsonText } from '../output.js';

interface EventsFlags {
  follow?: true;
  /** In seconds. */
  since?: number;
  allTeams?: true;
}

const usualSinceSeconds = 3600;
const pollMs = 200;
const retryMs = 1000;

/** `star64 events` */
export function register(program: Command, context: Context): void {
  program
    .command('events')
    .description('print every change of an agent’s state, sign-in and sign-out too, as a line of JSON')
    .option('--follow', 'print what happens from now on, until Ctrl-C')
    .option(
      '--since <time>',
      'begin so long ago: 90s, 15m, 1h, 2d (default: 1h, with --follow now)',
      duration,
    )
    .option('--all-teams', 'of all teams')
    .action(
      action(context, async ({ db, team, say }, flags: EventsFlags) => {
        const { StateFeed } = await import('../../domain/state-change.js');
        const { untilSignalled } = await import('../signals.js');
        const signalled = untilSignalled();
        const sinceSeconds = flags.since ?? (flags.follow ? undefined : usualSinceSeconds);
        const feed = await StateFeed.open(await db(), {
          team: flags.allTeams ? null : team,
          ...(sinceSeconds !== undefined && { sinceSeconds }),
        });
        const print = (changes: readonly StateChange[]): void => {
          for (const change of changes) context.out(`${jsonText(change)}\n`);
        };
        const signal = await (flags.follow
          ? follow(feed, { print, say, signalled })
          : printAll(feed, print, signalled));
        if (signal === 'SIGINT') throw new Star64Error('interrupted', 'interrupted');
      }),
    );
}

type Print = (changes: readonly StateChange[]) => void;

async function printAll(
  feed: StateFeed,
  print: Print,
  signalled: Promise<NodeJS.Signals>,
): Promise<NodeJS.Signals | undefined> {
  for (;;) {
    const look = await Promise.race([feed.next(), signalled]);
    if (typeof look === 'string') return look;
    print(look.changes);
    if (look.caughtUp) return undefined;
  }
}

/** Goes on until a signal comes, and over a time without PostgreSQL. */
async function follow(
  feed: StateFeed,
  to: { print: Print; say: (line: string) => void; signalled: Promise<NodeJS.Signals> },
): Promise<NodeJS.Signals> {
  let lost = false;
  for (;;) {
    const look = await Promise.race([feed.next().catch(unreachable), to.signalled]);
    if (typeof look === 'string') return look;
    if (look instanceof Error) {
      if (!lost) to.say(`${look.message} Trying again.`);
      lost = true;
    } else {
      if (lost) to.say('PostgreSQL is back; nothing is left out.');
      lost = false;
      to.print(look.changes);
    }
    const pauseMs = look instanceof Error ? retryMs : look.caughtUp ? pollMs : 0;
    const signal = await Promise.race([sleep(pauseMs), to.signalled]);
    if (signal !== undefined) return signal;
  }
}

/** The error as a value, if it says that PostgreSQL is away. */
function unreachable(error: unknown): Star64Error {
  if (error instanceof Star64Error && error.kind === 'database_unreachable') return error;
  throw error;
}
