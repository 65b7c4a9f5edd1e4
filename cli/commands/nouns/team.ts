import type { Command } from 'commander';
import type { Database } from '../../../domain/database/pool.js';
import { command } from '../../../domain/names.js';
import type { Progress } from '../../../domain/provisioning/team-removal.js';
import { team } from '../../../domain/provisioning/nouns/team.js';
import type { Context } from '../../context.js';
import { registerNoun } from './noun.js';

/** `star64 team …` */
export function register(program: Command, context: Context): void {
  registerNoun(
    program,
    context,
    team,
    async () => (await import('../../../domain/provisioning/team.js')).teams,
    {
      remove: {
        options: [
          [
            '--discard-calls',
            'remove the record of its calls and sign-ins, too; goes on where it was stopped; the files of its recordings stay',
          ],
        ],
        run: async ({ db, print, say, now }, identity, flags) => {
          const { removeTeam } = await import('../../../domain/provisioning/team.js');
          const discardCalls = flags['discardCalls'] === true;
          await removeTeam(await db(), identity, {
            discardCalls,
            progress: everySecond(now, (table, rows) =>
              say(`team ${identity}: ${rows} rows of ${table} are gone`),
            ),
          });
          print.removed('team', identity);
          say(`removed team ${identity}`);
          // Only Asterisk's user may delete them, and files are there of which no row knows.
          if (discardCalls)
            say(
              `If its calls were recorded, the files are still on Asterisk’s machine, in <astspooldir>/monitor/star64/${identity}: delete that directory there if nobody is to hear them again.`,
            );
        },
      },
      afterSet: async ({ db, say }, identity, { phonePin }) => {
        if (phonePin === true) await sayWhoHasNoPin(await db(), identity, say);
      },
    },
  );
}

/** Passes on no more than one call in a second. */
function everySecond(now: () => Date, tell: Progress): Progress {
  let last = now().getTime();
  return (table, rows) => {
    const at = now().getTime();
    if (at - last < 1000) return;
    last = at;
    tell(table, rows);
  };
}

/** Agents who have just been locked out of *64; a fixed one is signed in without it. */
async function sayWhoHasNoPin(db: Database, team: string, say: (line: string) => void): Promise<void> {
  const { listAgents } = await import('../../../domain/provisioning/people/agent.js');
  const without = (await listAgents(db, team)).filter(({ kind, pin }) => kind !== 'fixed' && !pin);
  if (without.length === 0) return;
  const some = without.slice(0, 5).map(({ number }) => number);
  const more = without.length > some.length ? `, and ${without.length - some.length} more` : '';
  say(
    `These agents have no PIN and cannot sign in by phone: ${some.join(', ')}${more}. Give each one with ${command(team, 'agent set <number> --pin-stdin')}.`,
  );
}
