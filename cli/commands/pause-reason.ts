import type { Command } from 'commander';
import { action, type Context } from '../context.js';
import { given, onlyGiven, wholeNumber } from '../options.js';

interface PauseReasonFlags {
  name?: string;
  /** False after `--no-max`. */
  max?: number | false;
  atEnd?: string;
}

/** `star64 pause-reason …` */
export function register(program: Command, context: Context): void {
  const pauseReason = program
    .command('pause-reason')
    .description('pause reasons: why agents of the team may pause');
  const domain = () => import('../../domain/provisioning/pause-reason.js');
  const max = ['--max <seconds>', 'longest pause', wholeNumber] as const;
  const atEnd = ['--at-end <what>', 'after the longest pause the agent is ready, or sign-out'] as const;

  pauseReason
    .command('add')
    .argument('<digit>', 'what is keyed for it after *66, from 1 to 9')
    .argument('<name>', 'for example Lunch')
    .description('create a pause reason')
    .option(...max)
    .option(...atEnd)
    .action(
      action(context, async ({ db, team, print }, digit: string, name: string, flags: PauseReasonFlags) => {
        const { addPauseReason } = await domain();
        const values = { ...given(changesOf(flags)), digit, name };
        print.record(await addPauseReason(await db(), team, values));
      }),
    );

  pauseReason
    .command('list')
    .description('list the pause reasons of the team')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listPauseReasons } = await domain();
        print.list(await listPauseReasons(await db(), team), ['digit', 'name', 'maxSeconds', 'atEnd']);
      }),
    );

  pauseReason
    .command('show')
    .argument('<digit>')
    .description('show a pause reason')
    .action(
      action(context, async ({ db, team, print }, digit: string) => {
        const { showPauseReason } = await domain();
        print.record(await showPauseReason(await db(), team, digit));
      }),
    );

  pauseReason
    .command('set')
    .argument('<digit>')
    .description('change a pause reason, for pauses that begin from now on')
    .option('--name <name>', 'what it is called')
    .option(...max)
    .option('--no-max', 'as long as he likes')
    .option(...atEnd)
    .action(
      action(context, async ({ db, team, print }, digit: string, flags: PauseReasonFlags) => {
        const changes = onlyGiven(changesOf(flags), '--name, --max, --no-max, --at-end');
        const { setPauseReason } = await domain();
        print.record(await setPauseReason(await db(), team, digit, changes));
      }),
    );

  pauseReason
    .command('remove')
    .argument('<digit>')
    .description('remove a pause reason; the record of past pauses keeps its name')
    .action(
      action(context, async ({ db, team, print, say }, digit: string) => {
        const { removePauseReason } = await domain();
        await removePauseReason(await db(), team, digit);
        print.removed('pause-reason', digit);
        say(`removed pause reason ${digit} of team ${team}`);
      }),
    );
}

const changesOf = ({ name, max, atEnd }: PauseReasonFlags) => ({
  name,
  atEnd,
  maxSeconds: max === false ? null : max,
});
