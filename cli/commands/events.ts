import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { Star64Error, usage } from '../../domain/errors.js';
import type { EventFeed } from '../../domain/monitor/event-feed.js';
import type { Event } from '../../domain/monitor/events.js';
import { action, type Context, type Invocation } from '../context.js';
import { duration, nameList } from '../options.js';
import { jsonText } from '../../domain/json-text.js';

interface EventsFlags {
  follow?: true;
  /** In seconds. */
  since?: number;
  after?: string;
  type?: string[];
  all?: true;
  allTeams?: true;
}

const usualSinceSeconds = 3600;
const pollMs = 200;
const retryMs = 1000;

/** `star64 events` */
export function register(program: Command, context: Context): void {
  program
    .command('events')
    .description(
      'print every change of an agent’s state, sign-in and sign-out too, and every emergency call, as a line of JSON; other calls on request',
    )
    .option('--follow', 'print what happens from now on, until Ctrl-C')
    .option(
      '--since <time>',
      'begin so long ago: 90s, 15m, 1h, 2d (default: 1h, with --follow now)',
      duration,
    )
    .option('--after <cursor>', 'begin behind an event: what its line says as cursor')
    .option(
      '--type <types>',
      'these instead, with commas between: agent.state, call.arrived and so on; docs/events.md has all of them with their fields',
      nameList,
    )
    .option('--all', 'of every type')
    .option('--all-teams', 'of all teams')
    .action(
      action(context, async ({ db, team, say, explained }, flags: EventsFlags) => {
        if (flags.since !== undefined && flags.after !== undefined)
          throw usage('--since and --after both say where to begin: give one of them.');
        const { eventTypes } = await import('../../domain/event-types.js');
        const { checkTypes, EventFeed } = await import('../../domain/monitor/event-feed.js');
        const { untilSignalled } = await import('../signals.js');
        const ended = new AbortController();
        // Once: a race against it on every turn would keep what each turn printed.
        void untilSignalled().then((signal) => ended.abort(signal));
        const sinceSeconds =
          flags.since ?? (flags.follow || flags.after !== undefined ? undefined : usualSinceSeconds);
        const feed = await EventFeed.open(await db(), {
          team: flags.allTeams ? null : team,
          ...(flags.all && { types: eventTypes }),
          ...(flags.type && { types: checkTypes(flags.type) }),
          ...(flags.after !== undefined && { after: flags.after }),
          ...(sinceSeconds !== undefined && { sinceSeconds }),
        });
        const print = (events: readonly Event[]): void => {
          for (const event of events) context.out(`${jsonText(event)}\n`);
        };
        await (flags.follow
          ? follow(feed, { print, say, explained, ended: ended.signal })
          : printAll(feed, print, ended.signal));
        if (ended.signal.reason === 'SIGINT') throw new Star64Error('interrupted', 'interrupted');
      }),
    );
}

type Print = (events: readonly Event[]) => void;

async function printAll(feed: EventFeed, print: Print, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    const look = await feed.next();
    print(look.events);
    if (look.caughtUp) return;
  }
}

/** Goes on until a signal comes, and over a time without PostgreSQL. */
async function follow(
  feed: EventFeed,
  {
    print,
    say,
    explained,
    ended,
  }: Pick<Invocation, 'say' | 'explained'> & { print: Print; ended: AbortSignal },
): Promise<void> {
  let lost = false;
  while (!ended.aborted) {
    const look = await feed.next().catch(unreachable);
    if (look instanceof Error) {
      if (!lost) say(`${((await explained(look)) as Error).message} Trying again.`);
      lost = true;
    } else {
      if (lost) say('PostgreSQL is back; nothing is left out.');
      lost = false;
      print(look.events);
    }
    const pauseMs = look instanceof Error ? retryMs : look.caughtUp ? pollMs : 0;
    // Only the signal ends it early, and the loop looks for that itself.
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => undefined);
  }
}

/** The error as a value, if it says that PostgreSQL is away. */
function unreachable(error: unknown): Star64Error {
  if (error instanceof Star64Error && error.kind === 'database_unreachable') return error;
  throw error;
}
