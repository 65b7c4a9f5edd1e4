import type { Command } from 'commander';
import { action, type Context } from '../../context.js';

/** `star64 route <number>`: where a call would go, and why. */
export function register(program: Command, context: Context): void {
  program
    .command('route')
    .argument(
      '<number>',
      'the number that is called, as people or the trunk write it; with --from <extension> without the outside prefix',
    )
    .description('say where a call would go, and what decides it, step by step')
    .option(
      '--from <number>',
      'the number of who calls, without it none; or an extension of the team, which calls <number> outside then',
    )
    .option('--at <time>', 'when, in the zone of the team: 2026-12-24T10:00 (default: now)')
    .option('--trunk <name>', 'over which trunk of the team, or of every team; without it: over none')
    .action(
      action(
        context,
        async (
          { db, team, print },
          number: string,
          given: { from?: string; at?: string; trunk?: string },
        ) => {
          const { from, at, trunk } = given;
          // What comes over a trunk comes from outside, whatever it says.
          const out =
            from === undefined || trunk !== undefined
              ? undefined
              : await (
                  await import('../../../domain/calls/outbound/explain-outbound.js')
                ).explainOutbound(await db(), team, { number, from, at });
          const { explainRoute } = await import('../../../domain/calls/routing/explain-route.js');
          const route = out ?? (await explainRoute(await db(), team, { number, ...given }));
          if (print.json) print.record(route);
          else for (const [index, step] of route.steps.entries()) context.out(`${index + 1}. ${step}\n`);
        },
      ),
    );
}
