import type { Command } from 'commander';
import { usage } from '../../../domain/errors.js';
import { action, type Context } from '../../context.js';

/** `star64 recording …` */
export function register(program: Command, context: Context): void {
  program
    .command('recording')
    .description('recordings of calls, as files of Asterisk')
    .command('expire')
    .description(
      'delete recordings that are older than their team keeps them; for every day, on Asterisk’s machine, as its user',
    )
    .action(
      action(context, async ({ db, settings, print, say }) => {
        const { recordingsDir, node } = (await settings()).asterisk;
        const { expireRecordings, isUnseen } = await import('../../../pbx/recordings.js');
        const { days, ofNoTeam } = await expireRecordings(await db(), {
          directory: recordingsDir,
          node,
        }).catch((error: unknown) => {
          if (!isUnseen(error)) throw error;
          throw usage(
            `asterisk.recordings_dir: there are no recordings to be seen in ${recordingsDir} (${error.code ?? error.message}): it is <astspooldir>/monitor of Asterisk, on its machine, and this is to run as Asterisk’s user.`,
          );
        });
        print.list(days, ['team', 'day', 'files', 'trouble']);
        const kept = days.filter(({ trouble }) => trouble !== null).length;
        say(`${days.length - kept} days of recordings deleted${kept > 0 ? `, ${kept} could not be` : ''}`);
        for (const path of ofNoTeam)
          say(`${path} is of no team any more and stays: delete it if nobody is to hear it again`);
      }),
    );
}
