import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { LabAsterisk } from '../../../lab/asterisk.js';
import { until } from '../../../domain/machine/processes.js';
import { temporaryDirectory } from '../../../domain/machine/temporary.js';
import { Manager } from '../../../pbx/ami/manager.js';
import { generate } from '../../../pbx/files/generate.js';
import { markWrapUp, unmarkWrapUp } from '../../../pbx/queue/wrap-up-mark.js';
import { needLab } from '../../support/centre.js';
import { freshDatabase } from '../../support/database.js';
import { addManyTeams, didsOf, formsOf } from '../../support/many-teams.js';

/** What Asterisk makes of the files, without a phone or a server. */
const many = { teams: 600, extensions: 2, dids: 3 };
const settings = {
  servers: ['127.0.0.1:9'],
  token: 'aTokenOfTheTests6464646464',
  passwordDigest: true,
  node: 'default',
  nobodyAnswers: 'an-error-has-occurred',
};

await needLab(t);

const { db } = await freshDatabase(t);
await addManyTeams(db, many);
const directory = await temporaryDirectory('generated');
t.teardown(() => rm(directory, { recursive: true, force: true }));
let { generation } = await generate(db, { ...settings, directory });
const asterisk = await LabAsterisk.start({
  generated: directory,
  verboseLog: false,
  extra: {
    'extensions.conf': '[operator]\nexten => 110,1,Hangup()\ninclude => star64-inbound',
  },
});
t.teardown(() => asterisk.stop());
const manager = new Manager(
  { ...asterisk.ami, events: [], eventClasses: ['user'], actionDeadlineMs: 60_000 },
  pino({ enabled: false }),
);
manager.start();
t.teardown(() => manager.stop());
await manager.whenUp(30_000);
const read = async (variable: string): Promise<string> =>
  (await manager.action('Getvar', { Variable: variable })).headers.get('value') ?? '';
const write = (variable: string, value: string) =>
  manager.action('Setvar', { Variable: variable, Value: value });
const exists = async (context: string, extension: string): Promise<boolean> =>
  (await read(`DIALPLAN_EXISTS(${context},${extension},1)`)) === '1';

void t.test('every DID of 600 teams is found on a shared trunk, and nothing else', async (t) => {
  for (let team = 1; team <= many.teams; team++) {
    for (const did of didsOf(team, many).flatMap((one) => [one, ...formsOf(one)])) {
      for (const context of ['star64-inbound', 'operator', `t${team}-inbound`])
        if (!(await exists(context, did))) t.fail(`${did} is not in ${context}`);
    }
  }
  t.ok(await exists('operator', '110'));
  for (const number of ['4930210000', '4930210000011', '3021000001', '49', '00', '01', '110'])
    t.notOk(await exists('star64-inbound', number), `${number} is nobody's`);
  t.notMatch(await asterisk.logText(), /Maximum PBX stack exceeded/);
});

void t.test('the marker is there when every file was read, and only then', async (t) => {
  t.ok(await exists('star64-generation', generation));
  for (const path of ['star64-wrap-up.conf', 'teams/t7.conf', 'star64-inbound.conf']) {
    await db('teams').insert({
      identity: `more${path.replaceAll(/[^a-z]/g, '')}`.slice(0, 20),
      name: 'more',
    });
    ({ generation } = await generate(db, { ...settings, directory }));
    const file = join(directory, 'current', path);
    await rename(file, `${file}.away`);
    await asterisk.console('dialplan reload');
    t.notOk(await exists('star64-generation', generation), `without ${path} it is not there`);
    await rename(`${file}.away`, file);
    await asterisk.console('dialplan reload');
    t.ok(await exists('star64-generation', generation));
  }
  t.ok(await exists('t7-groups', 'support'));
});

void t.test('the marks of wrap-ups need no class "system", and leave nothing behind', async (t) => {
  const phones = Array.from({ length: 300 }, (_, index) => ({
    team: `t${index + 1}`,
    extension: '5000',
    extensionKind: 'sip' as const,
    endpoint: null,
  }));
  /** Names of the global variables. DB_RESULT is Asterisk's own: the value that was read or deleted last. */
  const globals = async (): Promise<string[]> =>
    [...(await asterisk.console('dialplan show globals')).matchAll(/^ +(\w+)=/gm)]
      .map(([, name = '']) => name)
      .filter((name) => !['DB_RESULT', 'STAR64_WATCHDOG', 'STAR64_WATCHDOG_ID'].includes(name));
  // No server keeps its promise any more.
  await write('STAR64_LEASE', '1');
  const before = await globals();
  for (const { team } of phones)
    await asterisk.console(`database put star64-wrapup ${team}-5000 PJSIP/${team}-5000`);
  t.match(await asterisk.console('database show star64-wrapup'), '300 results found');
  // And those of wrap-ups that have come to a phone with their agent.
  const carried = phones.map((phone) => ({ ...phone, extension: '5001' })).slice(0, 40);
  for (const phone of carried) await markWrapUp(manager, phone);
  const ofCarried = 'database show CustomPresence/star64-wrapup';
  t.match(await asterisk.console(ofCarried), /t40-5001 +: not_set,wrapup,PJSIP\/t40-5001/);
  t.match(await asterisk.console(ofCarried), '40 results found');

  // Half of them by a server, the rest by the watchdog that finds no lease, all of them though one reading of the list
  // has room for about 200.
  for (const phone of [...phones.slice(0, 20), ...carried.slice(0, 20)]) await unmarkWrapUp(manager, phone);
  t.match(await asterisk.console('database show star64-wrapup'), '280 results found');
  t.match(await asterisk.console(ofCarried), '20 results found');
  await asterisk.console('channel originate Local/watch@star64-watchdog/n application Wait 60');
  await until(
    'the end of every wrap-up',
    async () => (/^0 results found/m.test(await asterisk.console(ofCarried)) ? true : undefined),
    120_000,
  );
  t.match(await asterisk.console('database show star64-wrapup'), /^0 results found/m);
  await until('the watchdog to be gone', async () =>
    (await asterisk.console('core show channels concise')).includes('star64-watchdog') ? undefined : true,
  );
  t.same(await globals(), before);
});
