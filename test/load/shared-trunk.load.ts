import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import t from 'tap';
import { LabAsterisk } from '../../lab/asterisk.js';
import { until } from '../../domain/machine/processes.js';
import { Manager } from '../../pbx/ami/manager.js';
import { generate } from '../../pbx/files/generate.js';
import { needLab } from '../support/centre.js';
import { freshDatabase } from '../support/database.js';
import { addManyTeams, didsOf, formsOf } from '../support/many-teams.js';

/** 5,000 teams on one German trunk, 100,000 DIDs, each in four forms. */
const many = { teams: 5000, extensions: 1, dids: 20 };
/** Of so many teams one is looked for: each look costs Asterisk some milliseconds. */
const step = 50;

await needLab(t);

await t.test('a DID of any of 5,000 teams is found on a shared trunk', async (t) => {
  const { db } = await freshDatabase(t);
  await addManyTeams(db, many);
  const directory = t.testdir();
  const asterisk = await LabAsterisk.start({ generated: directory, verboseLog: false });
  t.teardown(() => asterisk.stop());
  const { generation } = await generate(db, {
    servers: ['127.0.0.1:9'],
    token: 'aTokenOfTheTests6464646464',
    passwordDigest: true,
    node: 'default',
    nobodyAnswers: 'an-error-has-occurred',
    directory,
  });
  const manager = new Manager(
    { ...asterisk.ami, events: [], eventClasses: ['user'] },
    pino({ enabled: false }),
  );
  manager.start();
  t.teardown(() => manager.stop());
  await manager.whenUp(10_000);
  const exists = async (context: string, extension: string): Promise<boolean> => {
    const Variable = `DIALPLAN_EXISTS(${context},${extension},1)`;
    return (await manager.action('Getvar', { Variable })).headers.get('value') === '1';
  };

  const reload = async (command: string): Promise<void> => {
    const before = await cpuSeconds(asterisk.pid);
    const from = performance.now();
    await asterisk.console(command);
    const seconds = (performance.now() - from) / 1000;
    t.comment(
      `${command}: ${((await cpuSeconds(asterisk.pid)) - before).toFixed(2)} s of CPU, ${seconds.toFixed(1)} s`,
    );
  };
  for (const command of ['dialplan reload', 'module reload app_queue.so', 'dialplan reload'])
    await reload(command);
  await until(
    'the new dialplan',
    async () => ((await exists('star64-generation', generation)) ? true : undefined),
    120_000,
  );

  const before = await cpuSeconds(asterisk.pid);
  let [missing, looks] = [0, 0];
  for (let team = 1; team <= many.teams; team += step) {
    const [first = '', last = ''] = [didsOf(team, many)[0], didsOf(team, many).at(-1)];
    for (const did of [first, ...formsOf(last)]) {
      looks++;
      if (!(await exists('star64-inbound', did))) missing++;
    }
  }
  const each = (((await cpuSeconds(asterisk.pid)) - before) / looks) * 1e6;
  t.comment(`a number is looked up in ${each.toFixed(0)} µs of CPU, the manager's action included`);
  t.equal(missing, 0);
  t.notOk(await exists('star64-inbound', '4999999999'));
  t.notMatch(await asterisk.logText(), /Maximum PBX stack exceeded/);
});

/** CPU time of a process so far (proc(5): utime and stime, in ticks of 10 ms). */
async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
