import type { Command } from 'commander';
import { action, type Context, type Invocation } from '../context.js';
import { given, onlyGiven, onOff } from '../options.js';

interface TrunkFlags {
  everyTeam?: true;
  endpoint?: string;
  trusted?: boolean;
}

/** `star64 trunk …` */
export function register(program: Command, context: Context): void {
  const trunk = program.command('trunk').description('trunks: ways to the public network');
  const domain = () => import('../../domain/provisioning/trunk.js');
  const everyTeam = ['--every-team', 'a trunk of no team, for every team'] as const;
  const endpoint = ['--endpoint <section>', 'the endpoint that it has in your own pjsip.conf'] as const;
  const trusted = [
    '--trusted <on|off>',
    'whether an agent may sign in by calling from his telephone: on only if the provider checks caller numbers',
    onOff,
  ] as const;

  trunk
    .command('add')
    .argument('<name>', 'for example provider')
    .description('create a trunk, of this team alone unless it is for every team')
    .requiredOption(...endpoint)
    .option(...trusted)
    .option(...everyTeam)
    .action(
      action(
        context,
        async (invocation, name: string, flags: TrunkFlags & Required<Pick<TrunkFlags, 'endpoint'>>) => {
          const values = { name, endpoint: flags.endpoint, ...given({ trusted: flags.trusted }) };
          const { addTrunk } = await domain();
          invocation.print.record(await addTrunk(await invocation.db(), teamOf(invocation, flags), values));
        },
      ),
    );

  trunk
    .command('list')
    .description('list the trunks of the team, and those for every team')
    .action(
      action(context, async ({ db, team, print }) => {
        const { listTrunks } = await domain();
        print.list(await listTrunks(await db(), team), ['name', 'team', 'endpoint', 'trusted']);
      }),
    );

  trunk
    .command('show')
    .argument('<name>')
    .description('show a trunk')
    .option(...everyTeam)
    .action(
      action(context, async (invocation, name: string, flags: TrunkFlags) => {
        const { showTrunk } = await domain();
        invocation.print.record(await showTrunk(await invocation.db(), teamOf(invocation, flags), name));
      }),
    );

  trunk
    .command('set')
    .argument('<name>')
    .description('change a trunk')
    .option(...endpoint)
    .option(...trusted)
    .option(...everyTeam)
    .action(
      action(context, async (invocation, name: string, flags: TrunkFlags) => {
        const { endpoint, trusted } = flags;
        const changes = onlyGiven({ endpoint, trusted }, '--endpoint, --trusted');
        const { setTrunk } = await domain();
        const changed = await setTrunk(await invocation.db(), teamOf(invocation, flags), name, changes);
        invocation.print.record(changed);
      }),
    );

  trunk
    .command('remove')
    .argument('<name>')
    .description("remove a trunk that is no team's default")
    .option(...everyTeam)
    .action(
      action(context, async (invocation, name: string, flags: TrunkFlags) => {
        const { removeTrunk } = await domain();
        const team = teamOf(invocation, flags);
        await removeTrunk(await invocation.db(), team, name);
        invocation.print.removed('trunk', name);
        invocation.say(`removed trunk ${name} ${team === null ? 'for every team' : `of team ${team}`}`);
      }),
    );
}

const teamOf = ({ team }: Invocation, { everyTeam }: TrunkFlags): string | null => (everyTeam ? null : team);
