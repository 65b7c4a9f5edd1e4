import type { Command } from 'commander';
import { Star64Error } from '../../domain/errors.js';
import { action, type Context } from '../context.js';

/** How long Asterisk may take to answer the login. */
const patienceMs = 5000;

/** `star64 remove-from-asterisk` */
export function register(program: Command, context: Context): void {
  program
    .command('remove-from-asterisk')
    .description(
      'take out of Asterisk what servers have put there (queue members, lamps, entries of its database), once they are stopped',
    )
    .action(
      action(context, async ({ db, settings, print, say }) => {
        const all = await settings();
        const { managerUser } = await import('../manager-user.js');
        const ami = managerUser(all);
        const { pino } = await import('pino');
        const { Manager } = await import('../../pbx/ami/manager.js');
        const { removeEverything } = await import('../../pbx/watch/remove-everything.js');
        const { untilSignalled } = await import('../signals.js');
        const database = await db();
        const log = pino({ enabled: false });
        const manager = new Manager({ ...ami, events: false }, log);
        manager.start();
        try {
          await manager.whenUp(patienceMs);
          const ended = new AbortController();
          // The lease would stay for a minute, in which no server could lead.
          void untilSignalled().then(() => {
            say('what is under way is ended, and nothing more is taken out');
            const done = 'what was taken out stays out; the rest goes when the command is run again';
            ended.abort(new Star64Error('interrupted', `interrupted: ${done}`));
          });
          const { members, marks, lamps, claim } = await removeEverything(
            database,
            all.asterisk.node,
            manager,
            log,
            ended.signal,
          );
          print.record({ members, wrap_ups: marks, lamps, installation: claim });
        } finally {
          await manager.stop();
        }
        const { configDir } = all.asterisk;
        for (const line of [
          "Asterisk's queues and its database have nothing of star64 any more. You may now remove from your own files:",
          ...['extensions.conf', 'queues.conf', 'queuerules.conf', 'pjsip.conf', 'features.conf'].map(
            (file) => `  ${file}: the line #include or #tryinclude "${configDir}/current/${file}"`,
          ),
          '  extensions.conf: every `include => star64-inbound`, and includes of contexts that begin with the name of a team',
          `  manager.conf: the user [${ami.username}]`,
          `then reload Asterisk (its globals STAR64_… go when it starts anew) and delete ${configDir}.`,
          'A server that starts again puts everything back.',
        ])
          say(line);
      }),
    );
}
