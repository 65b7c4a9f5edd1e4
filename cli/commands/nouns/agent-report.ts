import type { Command } from 'commander';
import type { AgentReport } from '../../../domain/monitor/agent-report.js';
import { fieldName } from '../../../domain/json-text.js';
import { action, type Context } from '../../context.js';
import { moment, moments, type Moment } from '../../moments.js';

interface ReportFlags {
  since: Moment;
  until?: Moment;
  group?: string;
  agent?: string;
  csv?: true;
}

const columns = [
  'agent',
  'name',
  'signedInSeconds',
  'idleSeconds',
  'ringingSeconds',
  'talkingSeconds',
  'wrapUpSeconds',
  'pausedSeconds',
] as const;

/** `star64 agent report` */
export function registerReport(agent: Command, context: Context): void {
  agent
    .command('report')
    .description(
      'seconds for which agents were signed in, in each state, and paused for each reason: a line for each agent',
    )
    .requiredOption(
      '--since <time>',
      'from then on: 90s, 15m, 1h, 2d ago, or 2026-11-26 or 2026-11-26T08:00 in the team’s zone; at most 31 days',
      moment,
    )
    .option('--until <time>', 'up to then, written the same way (default: now)', moment)
    .option('--group <name>', 'agents who are in this group now')
    .option('--agent <number>', 'who has or had this number')
    .option('--csv', 'print comma-separated values, with a column for each reason')
    .action(
      action(context, async (invocation, { group, agent: number, csv, ...flags }: ReportFlags) => {
        const { reportAllAgents } = await import('../../../domain/monitor/agent-report.js');
        const { print, team } = invocation;
        const since = (await moments(invocation, flags.since)) ?? new Date();
        const until = await moments(invocation, flags.until);
        const report = await reportAllAgents(await invocation.db(), team, {
          since,
          ...(until && { until }),
          ...(group !== undefined && { group }),
          ...(number !== undefined && { agent: number }),
        });
        if (csv) {
          const reasons = [...new Set(report.flatMap(({ pauses }) => pauses.map(({ reason }) => reason)))];
          reasons.sort((a, b) => a.localeCompare(b));
          const names = reasons.map((reason) => `paused: ${reason}`);
          print.csv(report.map(wide), [...columns, ...names], [...columns.map(fieldName), ...names]);
        } else if (print.json) print.list(report, columns);
        else print.list(report.map(told), [...columns, 'pauses']);
      }),
    );
}

/** With the pauses in one cell, as `Lunch=1800,no reason=60`. */
const told = ({ pauses, ...report }: AgentReport) => ({
  ...report,
  pauses: pauses.map(({ reason, seconds }) => `${reason}=${seconds}`),
});

/** With a field for each reason. */
const wide = ({ pauses, ...report }: AgentReport): Record<string, unknown> => ({
  ...report,
  ...Object.fromEntries(pauses.map(({ reason, seconds }) => [`paused: ${reason}`, seconds])),
});
