import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../../domain/machine/package-root.js';
import { generateSecret } from '../../../domain/password.js';
import { Caller } from '../../../lab/caller.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { crowd } from '../../../lab/provision.js';
import {
  centreOf,
  dialAndHear,
  membersOf,
  signedInPhone,
  waitMembers,
  waitState,
} from '../../support/centre.js';
import { star64, type CliResult } from '../../support/processes/cli.js';

/** An admin changes things while an agent talks: what Asterisk takes, and what it does not. */
/** A user of the manager for `apply` alone; the server's may not do that. */
const applySecret = generateSecret();
const centre = await centreOf(t, crowd(1), {
  // There is no trunk, of which status would say that nobody can call for help.
  provision: async (db) => {
    await setTeam(db, 'astercc', { emergency: null });
  },
  asterisk: {
    extra: { 'manager.conf': `[star64-apply]\nsecret = ${applySecret}\nwrite = command\n` },
  },
});
const { asterisk } = centre;
const templates = t.testdir({ team: {} });
const generated = centre.env['STAR64_ASTERISK_CONFIG_DIR'] ?? '';
const behind = 'not in Asterisk yet: star64 apply';

const phone = await signedInPhone(centre, '1001');
const customer = await Caller.call({ from: '4930123', to: '600100', server: asterisk.sip });
t.teardown(() => customer.hangup());
await phone.incoming();
await phone.answer();
await phone.established();
await waitState(centre, '1001', 'talking');

const admin = (words: string, env: Record<string, string> = {}): Promise<CliResult> =>
  star64(words.split(' '), { env: { ...(centre.env as Record<string, string>), ...env } });
const current = async (): Promise<string> =>
  (await readlink(join(generated, 'current'))).replace('generations/', '');
const loaded = async (): Promise<string | undefined> =>
  /'(g[0-9a-f]{16})'/.exec(await asterisk.console('dialplan show star64-generation'))?.[1];

/** Runs apply or rollback; returns what Asterisk was asked to read anew. */
async function done(t: Test, words: string, env?: Record<string, string>): Promise<string[]> {
  const { status, out, err } = await admin(`${words} --json`, env);
  t.equal(status, 0, err);
  return (JSON.parse(out) as { reloaded: string[] }).reloaded;
}

/** The call goes on, and the agent is in the queue, as before any of it. */
async function undisturbed(t: Test): Promise<void> {
  t.match(await asterisk.console('core show channels concise'), /astercc-5001.*!Up!/);
  t.same(await membersOf(centre, 'astercc-support'), ['1001']);
  const { status, err } = await admin('status');
  t.equal(status, 0, err);
}

await t.test('apply after generate has nothing to read anew', async (t) => {
  t.same(await done(t, 'apply'), []);
  t.equal(await loaded(), await current());
});

await t.test(
  'a new queue and a new phone: only what has changed is read, and nobody is disturbed',
  async (t) => {
    t.match(await admin('group add sales --number 6001'), { status: 0, err: `${behind}\n` });
    t.match(await admin('status'), { err: `${behind}\n` });
    t.same(await done(t, 'apply'), ['queues', 'dialplan']);
    t.match(await admin('status'), { err: '' });
    t.match(await asterisk.console('queue show astercc-sales'), /has 0 calls/);
    t.equal((await admin('extension add 5009 --user crowd')).status, 0);
    t.same(await done(t, 'apply'), ['phones', 'dialplan']);
    t.match(await asterisk.console('pjsip show endpoint astercc-5009'), /astercc-5009/);
    t.match(await asterisk.console('dialplan show 5009@astercc-numbers'), /astercc-5009/);
    await undisturbed(t);
  },
);

await t.test('a template that is wrong on the face of it: nothing is touched', async (t) => {
  const before = await current();
  const own = { STAR64_ASTERISK_TEMPLATES_DIR: templates };
  const outbound = join(templates, 'team/outbound.hbs');
  await writeFile(
    outbound,
    '{{! star64 template 5 }}\n[{{identity}}-outbound]\nexten => 110,1,Dial(PJSIP/110@provider\n',
  );
  const { status, err } = await admin('apply', own);
  t.equal(status, 2);
  t.match(err, /Line \d+ of teams\/astercc\.conf, in \[astercc-outbound\], .*Dial\(PJSIP\/110@provider/);
  t.equal(await current(), before);
  await writeFile(outbound, '{{! star64 template 5 }}\n[{{identity}}-outbound]\n');
});

await t.test('one that only Asterisk finds: the line is named, and everything is as before', async (t) => {
  const before = await current();
  const own = { STAR64_ASTERISK_TEMPLATES_DIR: templates };
  const shipped = await readFile(new URL('dialplan-templates/team/phone-settings.hbs', packageRoot), 'utf8');
  await writeFile(
    join(templates, 'team/phone-settings.hbs'),
    shipped.replace('callerid=', 'allow=nonsense\ncallerid='),
  );
  t.match(await admin('extension add 5010 --user crowd'), { status: 0 });
  const { status, err } = await admin('apply', own);
  t.equal(status, 1);
  t.match(err, /astercc-5010 is not there/);
  t.match(err, new RegExp(`line \\d+ of ${generated}/generations/g[0-9a-f]{16}/phones/astercc.conf`));
  t.match(err, /^ *allow=nonsense$/m, 'the line itself');
  t.match(err, `Generation ${before} is in force again`);
  t.equal(await current(), before);
  t.equal(await loaded(), before);
  t.match(await admin('status'), { err: `${behind}\n` });
  await undisturbed(t);

  t.same(await done(t, 'apply'), ['phones', 'dialplan']);
  t.match(await asterisk.console('pjsip show endpoint astercc-5010'), /astercc-5010/);
});

await t.test('what goes leaves after the dialplan, what comes is there before; rollback', async (t) => {
  t.equal((await admin('extension remove 5010')).status, 0);
  t.equal((await admin('extension add 5011 --user crowd')).status, 0);
  const [before, ...parts] = [await current(), ...(await done(t, 'apply'))];
  t.same(parts, ['phones', 'dialplan', 'phones']);
  t.match(await asterisk.console('pjsip show endpoint astercc-5010'), 'Unable to find');
  t.match(await asterisk.console('pjsip show endpoint astercc-5011'), /astercc-5011/);

  t.same(await done(t, 'rollback'), ['phones', 'dialplan', 'phones']);
  t.equal(await current(), before);
  t.equal(await loaded(), before);
  t.match(await asterisk.console('pjsip show endpoint astercc-5010'), /astercc-5010/);
  t.match(await admin('status'), { err: `${behind}\n` });
  t.same(await done(t, 'rollback'), ['phones', 'dialplan', 'phones']);
  t.match(await asterisk.console('pjsip show endpoint astercc-5011'), /astercc-5011/);
  await undisturbed(t);
});

await t.test('through a manager user of its own, as by the console', async (t) => {
  const before = await current();
  const own = {
    STAR64_AMI_APPLY_SECRET: applySecret,
    STAR64_ASTERISK_TEMPLATES_DIR: templates,
    STAR64_ASTERISK_CONSOLE: '/nonexistent/asterisk',
  };
  t.match(await admin('extension add 5012 --user crowd'), { status: 0 });
  const { status, err } = await admin('apply', own);
  t.equal(status, 1);
  t.match(err, /^ *allow=nonsense$/m);
  t.match(err, `Generation ${before} is in force again`);
  t.equal(await loaded(), before);
  t.same(await done(t, 'apply', { ...own, STAR64_ASTERISK_TEMPLATES_DIR: '' }), ['phones', 'dialplan']);
  t.same(await done(t, 'apply'), [], 'the console says the same');
  const wrong = { STAR64_AMI_APPLY_USERNAME: 'star64', STAR64_AMI_APPLY_SECRET: asterisk.ami.secret };
  const refused = await admin('apply', wrong);
  t.equal(refused.status, 7, "the server's user may not");
  t.match(refused.err, /ermission denied[^]*write = command/);
});

await t.test('without its console nothing is changed', async (t) => {
  const before = await current();
  t.equal((await admin('group set sales --ring-seconds 20')).status, 0);
  const { status, err } = await admin('apply', { STAR64_ASTERISK_CONSOLE: '/nonexistent/asterisk' });
  t.equal(status, 7);
  t.match(err, 'STAR64_ASTERISK_CONSOLE');
  t.equal(await current(), before);
});

await t.test('the call has been the same all the time, and the agent goes on', async (t) => {
  await customer.hangup();
  await waitState(centre, '1001', 'wrap-up');
  await dialAndHear(centre, phone, '*67', 'activated');
  await waitMembers(centre, 'astercc-support', ['1001']);
  t.pass('wrap-up and its end');
});

await t.test('a file of Asterisk that does not take ours in is named with its line', async (t) => {
  const etc = join(asterisk.dir, 'etc/queues.conf');
  const text = await readFile(etc, 'utf8');
  await writeFile(etc, text.replace(/^#tryinclude.*$/m, ''));
  await asterisk.console('module reload app_queue.so');
  const { status, err } = await admin('apply');
  t.equal(status, 1);
  t.match(err, `${etc}:  #tryinclude "${generated}/current/queues.conf"`);
  t.match(await admin('status'), { err: `${behind}\n` });
  await writeFile(etc, text);
  t.same(await done(t, 'apply'), ['queues']);
});
