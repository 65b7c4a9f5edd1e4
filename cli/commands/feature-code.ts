import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { onlyGiven } from '../options.js';

/** `star64 feature-code …` */
export function register(program: Command, context: Context): void {
  const featureCode = program
    .command('feature-code')
    .description('feature codes: what phones of the team dial for what');
  const domain = () => import('../../domain/provisioning/feature-code.js');
  const feature = [
    '--feature <feature>',
    'sign-in, sign-out, pause, ready, work-mode, current-group or status',
  ] as const;

  featureCode
    .command('add')
    .argument('<code>', "what is dialled, for example '*68' (in quotes: a shell looks for files with a star)")
    .description('create a code for a feature, beside those that it has')
    .requiredOption(...feature)
    .action(
      action(context, async ({ db, team, print }, code: string, { feature }: { feature: string }) => {
        const { addFeatureCode } = await domain();
        print.record(await addFeatureCode(await db(), team, { code, feature }));
      }),
    );

  featureCode
    .command('list')
    .description('list the feature codes of the team')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listFeatureCodes } = await domain();
        print.list(await listFeatureCodes(await db(), team), ['code', 'feature']);
      }),
    );

  featureCode
    .command('show')
    .argument('<code>')
    .description('show a feature code')
    .action(
      action(context, async ({ db, team, print }, code: string) => {
        const { showFeatureCode } = await domain();
        print.record(await showFeatureCode(await db(), team, code));
      }),
    );

  featureCode
    .command('set')
    .argument('<code>')
    .description('change what a code does, or what is dialled for it')
    .option(...feature)
    .option('--code <code>', 'what is dialled from now on')
    .action(
      action(
        context,
        async (
          { db, team, print },
          before: string,
          { feature, code }: { feature?: string; code?: string },
        ) => {
          const changes = onlyGiven({ feature, code }, '--feature, --code');
          const { setFeatureCode } = await domain();
          print.record(await setFeatureCode(await db(), team, before, changes));
        },
      ),
    );

  featureCode
    .command('remove')
    .argument('<code>')
    .description('remove a feature code; without any, the feature is disabled in the team')
    .action(
      action(context, async ({ db, team, print, say }, code: string) => {
        const { removeFeatureCode } = await domain();
        const { feature, disabled } = await removeFeatureCode(await db(), team, code);
        print.removed('feature-code', code);
        say(
          `removed feature code ${code} of team ${team}${disabled ? `: it was the last for ${feature}, which is disabled now` : ''}`,
        );
      }),
    );
}
