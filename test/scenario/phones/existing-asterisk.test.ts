import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../../domain/machine/package-root.js';
import { LabAsterisk } from '../../../lab/asterisk.js';
import { labVersion } from '../../../lab/debian.js';
import { Caller } from '../../../lab/caller.js';
import { LogFile } from '../../../lab/log.js';
import { Phone } from '../../../lab/phone.js';
import { PortBlock } from '../../../domain/machine/ports.js';
import { LabPostgres } from '../../../domain/database/embedded/postgres.js';
import { LabProcess, run, until } from '../../../domain/machine/processes.js';
import { star64 } from '../../../lab/server.js';
import { knowsEndpoint } from '../../../pbx/ami/knows-endpoint.js';
import { needLab } from '../../support/centre.js';

await needLab(t);

/** The README is followed to the letter, but for directories, ports and secrets. */
const readme = await readFile(new URL('README.md', packageRoot), 'utf8');
const chapter = /## Five minutes with an Asterisk of your own\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
const blocks = [...chapter.matchAll(/```\w*\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const block = (mark: string): string => blocks.find((text) => text.includes(mark)) ?? '';

const dir = await mkdtemp(join(tmpdir(), 'star64-existing-'));
const generated = join(dir, 'generated');
const postgres = await LabPostgres.start();
const ports = await PortBlock.reserve('server');
t.teardown(async () => {
  await postgres.stop();
  await ports.release();
  await rm(dir, { recursive: true, force: true });
});
const inOurPlace = (text: string): string => text.replaceAll('/etc/asterisk/star64', generated);

/** Runs lines of a shell, as typed by an admin in the directory that holds star64.yml. */
async function shell(lines: string): Promise<string> {
  const script = `star64() { "${process.execPath}" "${star64}" "$@"; }\n${lines}`;
  const env = { PATH: process.env['PATH'], HOME: dir, STAR64_DATA_DIR: join(dir, 'data') };
  return (await run('sh', ['-e', '-c', script], { cwd: dir, env })).stdout;
}

/** The operator's trunk has a context of its own, with a number of its own; it takes in the DIDs as the README says. */
const trunkAddress = '127.0.0.97';
const own: Record<string, string> = {
  'extensions.conf': `${block('include =>').trim().replace('\n', '\nexten => 110,1,Answer()\n same => n,Echo()\n')}\n`,
  'pjsip.conf': `[provider]
type = endpoint
transport = lab-udp
context = ${/^ *\[(.+)\]/.exec(block('include =>'))?.[1] ?? ''}
disallow = all
allow = ulaw
aors = provider
[provider]
type = aor
[provider]
type = identify
endpoint = provider
match = ${trunkAddress}
`,
};

/** What a busy machine alone makes a server say. */
const isLate = (line: string): boolean =>
  /"reason":"[^"]*(no answer from Asterisk within|Query read timeout|statement timeout)/.test(line);

let asterisk: LabAsterisk;
let secret: string;
/** Before the files are there, the operator's context takes in one that is not. */
let atBoot: string[];

await t.test('settings, a team and the generated files, with the commands of the README', async (t) => {
  const agi = `agi: { port: ${ports.first} }\n`;
  const settings = inOurPlace(block('database:')).replace(/postgres:\/\/[^ ]*/, postgres.url);
  await writeFile(join(dir, 'star64.yml'), settings.replace(/secret: …/, `secret: not-yet`) + agi, {
    mode: 0o640,
  });
  const said = await shell(block('star64 migrate'));
  secret = /\b[A-Za-z0-9]{24,}\b/.exec(said)?.[0] ?? '';
  t.match(secret, /^[A-Za-z0-9]{24,}$/, 'the SIP secret is printed');

  const includes = [...block('; extensions.conf').matchAll(/#tryinclude "([^"]*\/([a-z]+\.conf))"/g)];
  t.same(includes.map(([, , file]) => file).sort(), [
    'extensions.conf',
    'features.conf',
    'pjsip.conf',
    'queuerules.conf',
    'queues.conf',
  ]);
  const classes = (word: string): string =>
    new RegExp(`^\\s*${word} = (.*)$`, 'm').exec(block('[star64]'))?.[1] ?? '';
  asterisk = await LabAsterisk.start({
    extra: Object.fromEntries(
      includes.map(([line, , file = '']) => [file, `${own[file] ?? ''}${inOurPlace(line)}`]),
    ),
    amiRead: classes('read'),
    amiWrite: classes('write'),
  });
  atBoot = await asterisk.warnings();
  t.teardown(() => (t.passing() ? undefined : asterisk.logText().then((text) => t.comment(text))));
  const { port, secret: amiSecret } = asterisk.ami;
  const older = labVersion() === '16' ? ' version: "16",' : '';
  await writeFile(
    join(dir, 'star64.yml'),
    settings
      .replace(/secret: …/, `secret: ${amiSecret}, port: ${port}`)
      .replace(
        /(asterisk: \{)/,
        `$1 console: ${JSON.stringify(asterisk.consoleCommand)}, user: ${userInfo().username},${older}`,
      ) + agi,
    { mode: 0o640 },
  );
});
t.teardown(() => asterisk.stop());

await t.test('people and teams may be called as they like: Asterisk loads it without a word', async (t) => {
  const hostile = [
    'Anna; DROP',
    '[astercc-phones]',
    '#include "/etc/passwd"',
    '${SHELL(id)}',
    `O'Neil "Ann" \\`,
    '安娜',
    ';--',
  ];
  for (const [index, name] of hostile.entries()) {
    const quoted = `'${name.replaceAll("'", `'\\''`)}'`;
    await shell(`star64 team add t${index} --name ${quoted}
      export STAR64_TEAM=t${index}
      star64 user add anna --name ${quoted}
      star64 extension add 5000 --user anna
      star64 group add support --number 6000
      star64 agent add 1001 --user anna --groups support`);
  }
  await t.rejects(
    shell(`star64 user add bert --name "$(printf 'two\\nlines')"`),
    /line/,
    'a line end is refused',
  );
  await shell(block('star64 apply').replace(/^ *star64 serve$/m, ''));
  const contexts = await asterisk.console('dialplan show t6-phones');
  t.match(contexts, /'t6-features'/, 'the last team is there');
  t.match(await asterisk.console('queue show t3-support'), /t3-support has 0 calls/);
  t.match(await asterisk.console('pjsip show endpoint t5-5000'), /t5-5000/);
  t.ok(await knowsEndpoint(asterisk.ami, 't5-5000'), 'which the manager user of the README may ask');
  t.notOk(await knowsEndpoint(asterisk.ami, 'mistyped'));
  t.same(await asterisk.warnings(), atBoot, 'Asterisk has nothing to complain of');
});

await t.test('an agent dials *64, and a customer reaches him', async (t) => {
  const log = new LogFile(join(dir, 'serve.log'));
  const server = await LabProcess.launch(process.execPath, [star64, 'serve'], {
    cwd: dir,
    env: {
      PATH: process.env['PATH'],
      HOME: dir,
      STAR64_DATA_DIR: join(dir, 'data'),
      STAR64_LOG_FORMAT: 'json',
    },
    outputFile: log.path,
  });
  t.teardown(() => server.stop());
  t.teardown(async () => (t.passing() ? undefined : t.comment((await log.lines()).join('\n'))));
  await log.waitFor(/"msg":"serving"/, 0, 60_000);

  const phone = await Phone.start({ user: 'astercc-5000', secret, server: asterisk.sip });
  t.teardown(() => phone.stop());
  await phone.register();
  await phone.dial('*641001');
  await asterisk.waitPlayed('astercc-5000', 'agent-loginok');
  await phone.closed();

  const other = await Caller.call({
    from: '4930124',
    to: '110',
    server: asterisk.sip,
    address: trunkAddress,
  });
  await other.answered();
  await other.hangup();
  const customer = await Caller.call({
    from: '4930123',
    to: '+4930600100',
    server: asterisk.sip,
    address: trunkAddress,
  });
  t.teardown(() => customer.hangup());
  await phone.incoming();
  await phone.answer();
  await phone.established();
  await phone.hangup();
  await asterisk.verbose.waitFor(/PauseQueueMember.*wrapup/);
  // Asterisk has it first; the server must have heard of it before *67 can end it.
  await until('the wrap-up in the status', async () =>
    /wrap-up/.test(await shell('star64 status')) ? true : undefined,
  );
  await phone.dial('*67');
  await asterisk.waitPlayed('astercc-5000', 'activated');
  t.same(await asterisk.warnings(), atBoot, 'Asterisk has nothing to complain of');
  t.same(
    (await log.lines()).filter((line) => /"level":(40|50)/.test(line) && !isLate(line)),
    [],
    'nor has the server',
  );
});
