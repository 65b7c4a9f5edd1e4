import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { operator } from '../operator.js';
import { duration, nameList } from '../options.js';

/** `star64 token …` */
export function register(program: Command, context: Context): void {
  const token = program
    .command('token')
    .description('tokens: by which programs use the HTTP API of the team (star64 web)');
  const domain = () => import('../../domain/provisioning/people/api-token.js');
  token
    .command('add')
    .argument('<name>')
    .description('make a token, and print it: once, since nobody keeps it')
    .requiredOption(
      '--role <role>',
      'reader: sees the team; supervisor: also does with agents and calls what `star64 agent` and `star64 call` do; administrator: also provisions',
    )
    .option(
      '--group <names>',
      'it sees and does only what belongs to these agent groups: support,sales (default: all of the team)',
      nameList,
    )
    .option('--expires <time>', 'it ends by itself after this: 12h, 90d (default: never)', duration)
    .action(
      action(
        context,
        async (
          { db, team, print, say },
          name: string,
          given: { role: string; group?: string[]; expires?: number },
        ) => {
          const { addApiToken } = await domain();
          const { expires, group, role } = given;
          const made = await addApiToken(await db(), team, name, {
            role,
            by: operator(),
            ...(group && { groups: group }),
            ...(expires !== undefined && { expiresSeconds: expires }),
          });
          print.record({ team, ...made });
          say('Keep it: it is not shown again.');
        },
      ),
    );
  token
    .command('list')
    .description('list the tokens of the team that have not ended')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listApiTokens } = await domain();
        print.list(await listApiTokens(await db(), team), [
          'name',
          'role',
          'groups',
          'createdAt',
          'createdBy',
          'expiresAt',
          'lastUsedAt',
        ]);
      }),
    );
  token
    .command('remove')
    .argument('<name>')
    .description('take a token away: it opens nothing from now on')
    .action(
      action(context, async ({ db, team, print }, name: string) => {
        const { removeApiToken } = await domain();
        await removeApiToken(await db(), team, name);
        print.removed('token', name);
      }),
    );
}
