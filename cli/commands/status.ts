import type { Command } from 'commander';
import { fail } from '../../domain/errors.js';
import { action, type Context } from '../context.js';
import { wholeNumber } from '../options.js';

/** `star64 status` */
export function register(program: Command, context: Context): void {
  program
    .command('status')
    .description('what star64 rests on, and how the team stands now: who is where, who waits, service level')
    .option(
      '--within <seconds>',
      'how long a caller may wait for the service level (default: 20)',
      wholeNumber,
    )
    .action(
      action(context, async ({ db, team, print, say, settings }, { within }: { within?: number }) => {
        const { readStatus } = await import('../../domain/monitor/status.js');
        const { notAppliedEmergency, readNotices } = await import('../../domain/monitor/notices.js');
        const { agi, ami, asterisk } = await settings();
        const database = await db();
        const status = await readStatus(database, team, within);
        // The machinery of the manager connection is loaded when the database has answered.
        const { HealthCheck } = await import('../../pbx/health.js');
        const known = await readNotices(database, team);
        const { configDir: directory, node } = asterisk;
        const check = new HealthCheck(database, { team, servers: agi.servers, ami, directory, node });
        const health = await check.read().finally(() => check.close());
        const notices = [...notAppliedEmergency(team, health.emergencyNotLoaded ?? []), ...known];
        const view = await import('../status-view.js');
        if (print.json) print.record({ ...status, health, notices });
        else if (context.terminal) {
          const { timeZone } = status;
          print.record(view.healthView(health));
          print.list(
            status.groups.map((group) => view.groupView(group, timeZone)),
            ['name', 'waiting', 'callbacks', 'waitingSince', 'talking', 'signedIn', 'serviceLevel'],
          );
          print.list(
            status.agents.map((agent) => view.agentView(agent, timeZone)),
            ['number', 'name', 'state', 'extension', 'since', 'reason', 'group', 'caller'],
          );
          if (status.limits.length > 0)
            print.list(
              status.limits.map((limit) => view.limitView(limit, timeZone)),
              ['name', 'state', 'since', 'refused'],
            );
        } else print.table(view.statusRows(status, health, node), view.statusColumns);
        if (!print.json) {
          for (const { says } of notices) say(says);
          const refused = view.refusedSentence(status.refusedCalls);
          if (refused !== undefined) say(refused);
          const { behind } = await import('../../domain/provisioning/generations.js');
          if (status.filesAreBehind) say(behind);
        }
        if (health.asterisk !== 'away') return;
        throw fail('asterisk_unreachable', {
          facts: { node, address: `${ami.host}:${ami.port}` },
          says: `Asterisk cannot be reached at ${ami.host}:${ami.port} (${(health.reason ?? '').replace(/\.$/, '')})`,
          remedy: { text: 'check that it runs, and ami.host, ami.port and ami.secret' },
        });
      }),
    );
}
