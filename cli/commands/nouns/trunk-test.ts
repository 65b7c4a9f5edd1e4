import type { Command } from 'commander';
import { fail } from '../../../domain/errors.js';
import { checkName } from '../../../domain/names.js';
import { action, type Context } from '../../context.js';
import { managerUser } from '../../manager-user.js';

/** A person waits for the command that asks; a user who may not read class system is told of events 5 seconds later. */
const loginDeadlineMs = { asks: 5_000, calls: 15_000 };

/** `star64 trunk test …` */
export function registerTrunkTest(command: Command, context: Context): void {
  command
    .command('test')
    .description(
      'ask Asterisk whether a trunk works: registered, which addresses answer and how fast, channels in use; exit status 1 if it does not',
    )
    .argument('<name>')
    .option('--every-team', 'a trunk of no team, for every team')
    .option(
      '--call <number>',
      'call this number over it, sent as you type it, say what came of it, and hang up; it costs what such a call costs',
    )
    .action(
      action(
        context,
        async (
          { db, settings, print, team },
          name: string,
          { everyTeam, call }: { everyTeam?: true; call?: string },
        ) => {
          const number = call === undefined ? undefined : checkName('telephone', call);
          const ami = managerUser(await settings());
          const { showTrunk } = await import('../../../domain/provisioning/numbers/trunk.js');
          const trunk = await showTrunk(await db(), everyTeam ? null : team, name);
          const { pino } = await import('pino');
          const { Manager } = await import('../../../pbx/ami/manager.js');
          const { testTrunk } = await import('../../../pbx/trunk-test.js');
          const { Star64Error } = await import('../../../domain/errors.js');
          const manager = new Manager(
            {
              ...ami,
              events: number === undefined ? false : ['UserEvent', 'DialState'],
              eventClasses: ['user', 'call'],
            },
            pino({ enabled: false }),
          );
          manager.start();
          try {
            await manager
              .whenUp(number === undefined ? loginDeadlineMs.asks : loginDeadlineMs.calls)
              .catch((error: unknown) => {
                throw new Star64Error('asterisk_unreachable', (error as Error).message, { cause: error });
              });
            const { endpoint, register, callerId } = trunk;
            const asked = { endpoint: endpoint ?? '', registers: register, callerId };
            const { faults, contacts, ...report } = await testTrunk(manager, asked, number);
            print.record({
              team: trunk.team,
              name,
              ...report,
              contacts: print.json
                ? contacts
                : contacts.map(
                    ({ uri, status, milliseconds }) =>
                      `${uri} ${status}${milliseconds === null ? '' : ` in ${milliseconds} ms`}`,
                  ),
              ...(print.json && { faults }),
            });
            if (faults.length > 0)
              throw fail('trunk_not_working', {
                noun: 'trunk',
                name,
                facts: { faults },
                says: `trunk ${name} does not work: ${faults.join('; ')}`,
                remedy: {
                  text: `look at \`asterisk -rx 'pjsip show endpoint ${asked.endpoint}'\` and, with \`pjsip set logger host <address>\`, at what the provider says`,
                },
              });
          } finally {
            await manager.stop();
          }
        },
      ),
    );
}
