import { appendFile, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readNotices } from '../../domain/monitor/notices.js';
import { setCallKey } from '../../domain/provisioning/features/call-key.js';
import { addExtension, removeExtension } from '../../domain/provisioning/numbers/extension.js';
import { filesAreBehind } from '../../domain/provisioning/generations.js';
import { addGroup, setGroup } from '../../domain/provisioning/people/group.js';
import { setTeam } from '../../domain/provisioning/team.js';
import { addUser } from '../../domain/provisioning/people/user.js';
import { apply, rollback } from '../../pbx/files/apply.js';
import { consoleOf } from '../../pbx/files/console.js';
import { generate } from '../../pbx/files/generate.js';
import { freshDatabase } from '../support/database.js';
import { FakeConsole } from '../support/processes/fake-console.js';
import { refused } from '../support/refusal.js';

/** The way from one generation to another, against an Asterisk that only reads files; see scenario/faults/apply for a real one. */
async function site(t: Test) {
  const { db } = await freshDatabase(t);
  await addUser(db, 'astercc', { username: 'anna' });
  for (const number of ['5000', '5001']) await addExtension(db, 'astercc', { number, user: 'anna' });
  for (const name of ['support', 'sales']) await addGroup(db, 'astercc', { name });
  const directory = t.testdir({ log: { messages: '' }, out: {} });
  const log = join(directory, 'log/messages');
  const out = join(directory, 'out');
  const asterisk = new FakeConsole(out, (text) => appendFile(log, `[now] ${text}\n`), join(directory, 'log'));
  const options = {
    servers: ['192.0.2.1:4573'],
    token: 'aTokenOfTheTests6464646464',
    passwordDigest: true,
    node: 'default',
    nobodyAnswers: 'an-error-has-occurred',
    directory: out,
    console: asterisk.console,
  };
  const current = async (): Promise<string> => (await readlink(join(out, 'current'))).split('/')[1] ?? '';
  return { db, asterisk, options, out, current };
}

/** A queue leaves the files once it is empty; here it is. */
const forget = (db: Awaited<ReturnType<typeof site>>['db'], name: string) =>
  db('agent_groups').where({ name }).update({ removed_at: new Date(), leaving_since: null, number: null });

void t.test('phones and queues are read before the dialplan, and only what is not there yet', async (t) => {
  const { db, asterisk, options } = await site(t);
  t.ok(await filesAreBehind(db, 'astercc'));
  t.match(await apply(db, options), {
    changed: true,
    reloaded: ['phones', 'queues', 'features', 'dialplan'],
  });
  t.notOk(await filesAreBehind(db, 'astercc'));
  t.match(await apply(db, options), { changed: false, reloaded: [] });

  await addExtension(db, 'astercc', { number: '5002', user: 'anna' });
  t.ok(await filesAreBehind(db, 'astercc'));
  t.same((await apply(db, options)).reloaded, ['phones', 'dialplan']);
  await addGroup(db, 'astercc', { name: 'billing' });
  t.same((await apply(db, options)).reloaded, ['queues', 'dialplan']);
  await setTeam(db, 'astercc', { name: 'Another name' });
  t.notOk(await filesAreBehind(db, 'astercc'), 'what is in no file changes none');
  t.equal(asterisk.reloads.length, 8);
});

void t.test(
  'what is removed goes after the dialplan that leads to it, what comes is there before',
  async (t) => {
    const { db, asterisk, options } = await site(t);
    await apply(db, options);
    asterisk.reloads.length = 0;
    await forget(db, 'sales');
    t.same((await apply(db, options)).reloaded, ['dialplan', 'queues']);
    t.same(asterisk.reloads.at(-1)?.queues, ['astercc-support']);

    asterisk.reloads.length = 0;
    const before = (await asterisk.console('dialplan show star64-generation')).trim();
    await removeExtension(db, 'astercc', '5001');
    await addExtension(db, 'astercc', { number: '5003', user: 'anna' });
    t.same((await apply(db, options)).reloaded, ['phones', 'dialplan', 'phones']);
    const [first, second, third] = asterisk.reloads;
    t.match(before, first?.dialplan, 'the dialplan is still the old one');
    t.same(first?.phones.sort(), ['astercc-5000', 'astercc-5001', 'astercc-5003']);
    t.same(second?.phones.sort(), first?.phones.sort());
    t.same(third?.phones.sort(), ['astercc-5000', 'astercc-5003']);
    t.notMatch(await readFile(join(options.directory, 'current/pjsip.conf'), 'utf8'), /5001|leaving/);
    t.match(await apply(db, options), { changed: false, reloaded: [] }, 'nothing is left to do');
  },
);

void t.test('what Asterisk leaves out brings the files before it back, and the line is named', async (t) => {
  const { db, asterisk, options, current } = await site(t);
  await apply(db, options);
  const good = await current();
  await addExtension(db, 'astercc', { number: '5004', user: 'anna' });
  asterisk.leftOut = 'astercc-5004';
  await refused(
    t,
    'failure',
    ['astercc-5004 is not there', 'it cannot be, at line', `Generation ${good} is in force again`],
    () => apply(db, options),
    { lines: true },
  );
  t.equal(await current(), good);
  t.match(await asterisk.console('dialplan show star64-generation'), good);
  t.same(asterisk.reloads.at(-1)?.phones, ['astercc-5000', 'astercc-5001']);
  t.ok(await filesAreBehind(db, 'astercc'), 'it is not in Asterisk yet');
  asterisk.leftOut = undefined;
  t.match(await apply(db, options), { changed: true });
});

void t.test(
  'so does a complaint about a file or a phone of ours, although everything is there',
  async (t) => {
    const { db, asterisk, options, out, current } = await site(t);
    await apply(db, options);
    const good = await current();
    await addExtension(db, 'astercc', { number: '5005', user: 'anna' });
    for (const about of [
      `at line 2 of ${out}/generations/x/phones/astercc.conf`,
      "of 'endpoint' with id 'astercc-5000'",
    ]) {
      asterisk.complaint = `ERROR[7] res_sorcery_config.c: Error ${about}`;
      await refused(
        t,
        'failure',
        [`res_sorcery_config.c: Error ${about}`, `${good} is in force again`],
        () => apply(db, options),
        {
          lines: true,
        },
      );
      t.equal(await current(), good);
    }
    asterisk.complaint = "WARNING[7] y.c: the operator's own 'trunk' at line 2 of /etc/asterisk/pjsip.conf";
    t.match(await apply(db, options), { changed: true, reloaded: ['phones', 'dialplan'] });
  },
);

void t.test(
  'when callers overflow is read back; nobody needs the file as long as no group does',
  async (t) => {
    const { db, asterisk, options } = await site(t);
    asterisk.notIncluded.add('rules');
    t.match(await apply(db, options), { reloaded: ['phones', 'queues', 'features', 'dialplan'] });
    await setGroup(db, 'astercc', 'support', { overflow: 'sales', overflowSeconds: 20 });
    await refused(
      t,
      'failure',
      [`/opt/etc/queuerules.conf:  #tryinclude "${options.directory}/current/queuerules.conf"`, 'overflow'],
      () => apply(db, options),
      { lines: true },
    );
    t.ok(await filesAreBehind(db, 'astercc'));
    asterisk.notIncluded.clear();
    t.same((await apply(db, options)).reloaded, ['rules']);
    t.match(await asterisk.console('queue show rules'), 'Rule: astercc-support\n\tAfter 20 seconds');
    await setGroup(db, 'astercc', 'support', { overflowSeconds: 40 });
    t.same((await apply(db, options)).reloaded, ['rules', 'dialplan']);
    t.match(await asterisk.console('queue show rules'), 'After 40 seconds');
    await setGroup(db, 'astercc', 'support', { overflow: null });
    t.same((await apply(db, options)).reloaded, ['queues', 'dialplan']);
  },
);

void t.test('files are not written for an Asterisk of another version', async (t) => {
  const { db, asterisk, options } = await site(t);
  for (const version of ['18', '22', '20.1', '2'])
    await refused(t, 'conflict', ['20.15.2', `asterisk.version says ${version}`, 'to "20"'], () =>
      apply(db, { ...options, version }),
    );
  t.same(asterisk.reloads, [], 'nothing was changed');
  for (const version of ['20', '20.15', '20.15.2', undefined]) await apply(db, { ...options, version });
  t.equal(asterisk.reloads.length, 4);

  asterisk.version = '16.28.0~dfsg-0+deb11u4';
  asterisk.reloads.length = 0;
  await refused(t, 'conflict', ['16.28.0', 'asterisk.version says nothing', 'to "16"'], () =>
    apply(db, options),
  );
  t.same(asterisk.reloads, [], 'phones go on with the passwords that they have');
  await apply(db, { ...options, version: '16', passwordDigest: false });
  t.equal(asterisk.reloads[0]?.part, 'phones');

  // Of a branch that has learned it on its way its number alone says too little: it is read as its newest.
  asterisk.version = '20.6.0~dfsg+~cs6.13.40431414-2build5';
  for (const version of [undefined, '20'])
    await refused(t, 'conflict', ['20.6.0', 'no phone could register', 'to "20.6"'], () =>
      apply(db, { ...options, version }),
    );
  await apply(db, { ...options, version: '20.6', passwordDigest: false });
});

void t.test('an own file that does not take ours in is named with its line', async (t) => {
  const { db, asterisk, options, current } = await site(t);
  asterisk.notIncluded.add('queues');
  await refused(
    t,
    'failure',
    [`/opt/etc/queues.conf:  #tryinclude "${options.directory}/current/queues.conf"`, 'star64 apply'],
    () => apply(db, options),
    { lines: true },
  );
  t.match(await asterisk.console('dialplan show star64-generation'), await current(), 'the rest is read');
  t.ok(await filesAreBehind(db, 'astercc'));
  asterisk.notIncluded.clear();
  t.match(await apply(db, options), { changed: false, reloaded: ['queues'] });
});

void t.test(
  'an Asterisk of before that does not take in the keys goes on without them, and it is said',
  async (t) => {
    const { db, asterisk, options } = await site(t);
    asterisk.notIncluded.add('features');
    const line = `/opt/etc/features.conf:  #tryinclude "${options.directory}/current/features.conf"`;
    const told = async (): Promise<string[]> =>
      (await readNotices(db, 'astercc')).flatMap(({ about, says }) => (about === 'call-key' ? [says] : []));
    t.same(await told(), [], 'nobody knows yet');
    t.match(await apply(db, options), {
      changed: true,
      reloaded: ['phones', 'queues', 'dialplan'],
      lacks: line,
    });
    t.notOk(await filesAreBehind(db, 'astercc'), 'all that is needed is there');
    t.match(await told(), [
      /\*7 \(hold\), \*8 \(record\), \*9 \(drop\), \*0 \(end\) do nothing: .*features\.conf/,
    ]);
    for (const action of ['hold', 'record', 'drop', 'end'])
      await setCallKey(db, 'astercc', action, { enabled: false });
    t.same(await told(), [], 'keys that are disabled are nothing to see to');
    await setCallKey(db, 'astercc', 'hold', { enabled: true });
    asterisk.notIncluded.clear();
    t.match(await apply(db, options), { reloaded: ['features', 'dialplan'], lacks: undefined });
    t.same(await told(), []);
  },
);

void t.test(
  'keys that a team has changed are read, and only then; teams that have not share theirs',
  async (t) => {
    const { db, asterisk, options, out } = await site(t);
    await apply(db, options);
    const own = async (): Promise<string[]> =>
      (await readFile(join(out, 'current/features.conf'), 'utf8'))
        .split(/^(?=\[)/m)
        .filter((text) => text.startsWith('[astercc'));
    t.same(await own(), []);
    await setCallKey(db, 'astercc', 'hold', { keys: '#7' });
    await setCallKey(db, 'astercc', 'end', { enabled: false });
    t.same((await apply(db, options)).reloaded, ['features', 'dialplan']);
    t.match(await own(), [
      /^\[astercc-called\]\nstar64-hold => #7\nstar64-record => \*8\nstar64-drop => \*9\n\n?/,
      /^\[astercc-calling\]\nstar64-hold => #7\nstar64-record-peer => \*8\nstar64-drop => \*9\n/,
    ]);
    t.match(await asterisk.console('features show'), 'Group: astercc-calling');
    await rollback(db, options);
    t.notMatch(await asterisk.console('features show'), 'astercc');
  },
);

void t.test('rollback goes back to what Asterisk had, and a second one comes back', async (t) => {
  const { db, asterisk, options, current } = await site(t);
  await apply(db, options);
  await refused(t, 'conflict', ['no generation before'], () => rollback(db, options));
  const first = await current();
  // Files that Asterisk never reads lie between.
  await addGroup(db, 'astercc', { name: 'never' });
  await generate(db, options);
  await addGroup(db, 'astercc', { name: 'billing' });
  await apply(db, options);
  const second = await current();
  t.match(await rollback(db, options), { generation: first, reloaded: ['dialplan', 'queues'] });
  t.same(asterisk.reloads.at(-1)?.queues.sort(), ['astercc-sales', 'astercc-support']);
  t.ok(await filesAreBehind(db, 'astercc'), 'the database says more');
  t.match(await rollback(db, options), { generation: second });
  t.match(await apply(db, options), { generation: second, changed: false, reloaded: [] });
  t.notOk(await filesAreBehind(db, 'astercc'));
});

void t.test('without an answer from its console nothing is changed', async (t) => {
  const { db, options, out } = await site(t);
  for (const words of [['false'], ['/nonexistent/asterisk']]) {
    await refused(
      t,
      'asterisk_unreachable',
      ['asterisk.console', words[0] ?? ''],
      () => apply(db, { ...options, console: consoleOf(words) }),
      { lines: true },
    );
  }
  const hangs = consoleOf(['sh', '-c', 'exec tail -f /dev/null'], 100);
  await refused(
    t,
    'asterisk_unreachable',
    ['no answer', 'within 0.1 s'],
    () => apply(db, { ...options, console: hangs }),
    {
      lines: true,
    },
  );
  await t.rejects(readlink(join(out, 'current')), { code: 'ENOENT' });
});
