import t from 'tap';
import { connect } from '../../../domain/database/pool.js';
import { LabProcess, run, until } from '../../../domain/machine/processes.js';
import { freePort } from '../../../domain/machine/ports.js';
import { crowd } from '../../../lab/provision.js';
import { star64Command } from '../../../lab/server.js';
import { Conversation } from '../../support/calls.js';
import { centreOf, dialAndHear, signedInPhone, waitMembers, waitState } from '../../support/centre.js';
import { patient } from '../../../lab/patience.js';

const queues = ['astercc-support', 'astercc-sales'];
const groups = ['support', 'sales'].map((name) => ({ name, wrapUp: 'answer', wrapUpSeconds: 0 }));
const centre = await centreOf(t, crowd(2, { groups }));
const { asterisk, db, postgres, server } = centre;
const phone = await signedInPhone(centre, '1001');
await signedInPhone(centre, '1002');

/** A dump and a restore of the database beside the running original, in which nobody is signed in. */
async function restoreBackup(): Promise<string> {
  const admin = connect(await postgres.createDatabase(), { ...patient, max: 1 });
  try {
    // A template must have no connections. The server and the test make theirs anew.
    await admin.raw('alter database star64 with allow_connections false');
    const url = await until('the copy of the database', async () => {
      await admin.raw(`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'star64'`);
      return postgres.createDatabase('star64').catch(() => undefined);
    });
    await admin.raw('alter database star64 with allow_connections true');
    const copy = connect(url, { ...patient, max: 1 });
    await copy('agent_states')
      .whereNull('ended_at')
      .update({ ended_at: copy.raw('clock_timestamp()') });
    await copy('sign_ins')
      .whereNull('signed_out_at')
      .update({ signed_out_at: copy.raw('clock_timestamp()') });
    await copy.destroy();
    return url;
  } finally {
    await admin.destroy();
  }
}

/** What a server could have changed in Asterisk, but for the lease, which the original renews. */
async function traces(): Promise<unknown> {
  return {
    members: await Promise.all(queues.map((queue) => asterisk.console(`queue show ${queue}`))).then((shown) =>
      shown.join('').match(/^ +\S+ \(PJSIP\/[^)]+\)/gm),
    ),
    database: (await asterisk.console('database show')).match(/^\/(Custom|star64).*$/gm),
    changes: (await asterisk.queueLog()).filter((line) => /\|(ADD|REMOVE)MEMBER\|/.test(line)).length,
  };
}

/** Starts a further server of a database; it ends by itself, or when the test does. */
async function serve(url: string, port: number, ...options: string[]): Promise<LabProcess> {
  const started = await LabProcess.launch(...star64Command('serve', ...options), {
    env: { ...centre.env, DATABASE_URL: url, STAR64_AGI_PORT: String(port) },
  });
  t.teardown(() => started.stop());
  return started;
}

const serving = (one: LabProcess): Promise<true> =>
  until('it to serve', () => (one.output().stderr.includes('"msg":"serving"') ? true : undefined), 60_000);

const taken = Number(server.address.split(':')[1]);
const promised = async (): Promise<string | undefined> =>
  /STAR64_LEASE=(\d+)/.exec(await asterisk.console('dialplan show globals'))?.[1];
const copy = await restoreBackup();
const promisedThen = await promised();
// A copy is known by what the original has promised since.
await until('the original to go on', async () => ((await promised()) === promisedThen ? undefined : true));

await t.test('a server that does not get its port leaves no trace in Asterisk', async (t) => {
  const before = await traces();
  const late = await serve(postgres.url, taken);
  t.not((await late.exited).status, 0);
  t.match(late.output().stderr, /port/);
  t.same(await traces(), before);
});

for (const [what, port] of [
  ['taken', taken],
  ['free', await freePort()],
] as const) {
  await t.test(`a server of a restored backup, its port ${what}: the original does not notice`, async (t) => {
    await waitMembers(centre, 'astercc-support', ['1001', '1002']);
    const before = await traces();
    const late = await serve(copy, port);
    t.equal((await late.exited).status, 5);
    t.match(late.output().stderr, /copy of the one[^]*`star64 serve --take-over`/);
    t.notMatch(late.output().stderr, /"msg":"serving"/, 'it has answered nobody');
    t.same(await traces(), before);
  });
}

await t.test('the original goes on, and so does a second server of it', async (t) => {
  const second = await serve(postgres.url, await freePort());
  await serving(second);
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  await second.stop();
  await server.stop();
  await server.start();
  t.ok(server.pid, 'its restart is not in doubt');
});

await t.test('--take-over: the backup has Asterisk, and the original ends', async (t) => {
  const before = (await server.log.lines()).length;
  const next = await serve(copy, await freePort(), '--take-over');
  await serving(next);
  await until('the original to end', () => (server.pid === undefined ? true : undefined));
  t.match((await server.log.lines()).slice(before).join('\n'), /older copy[^]*--take-over/);
  for (const queue of queues) await waitMembers(centre, queue, []);
  // As long as `LabServer` gives a server that ends.
  t.equal((await next.stop(15_000)).status, 0);

  const back = await serve(postgres.url, taken, '--take-over');
  await serving(back);
  for (const queue of queues) await waitMembers(centre, queue, [/^1001/, /^1002/]);
  await back.stop();
  await server.start();
  for (const queue of queues) await waitMembers(centre, queue, [/^1001/, /^1002/]);
});

await t.test('remove-from-asterisk leaves nothing, and not while a server runs', async (t) => {
  const left = async (): Promise<string> =>
    (await asterisk.console('database show')).match(/^\/(Custom|star64).*$/gm)?.join('\n') ?? '';
  t.match(await left(), /star64/);
  await t.rejects(centre.star64('remove-from-asterisk'), /status 5[^]*a server of the node default runs/);
  await dialAndHear(centre, phone, '*67', 'activated');
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, '1001', 'wrap-up');
  t.match(await left(), /star64-wrapup\/astercc-5001/);
  await asterisk.console('devstate change Custom:theirs BUSY');
  await asterisk.console('queue add member Local/1@theirs to astercc-support');
  await server.stop();
  const { stdout, stderr } = await run(...star64Command('remove-from-asterisk', '--json'), {
    env: centre.env,
  });
  t.match(JSON.parse(stdout), {
    members: ['sales', 'support'].flatMap((queue) =>
      ['5001', '5002'].map((number) => `astercc-${queue} PJSIP/astercc-${number}`),
    ),
    wrap_ups: ['astercc-5001'],
    lamps: ['Custom:star64-astercc-5001', 'Custom:star64-astercc-5002'],
    installation: true,
  });
  t.match(stderr, /extensions.conf: the line .*\/current\/extensions.conf/);
  t.equal(await left(), '/CustomDevstate/theirs                            : BUSY                     ');
  t.match(await asterisk.console('queue show astercc-support'), /Local\/1@theirs/, 'theirs is let alone');
  t.notMatch(await asterisk.console('queue show'), /PJSIP\/astercc/);
  t.match(JSON.parse(await centre.star64('remove-from-asterisk', '--json')), {
    members: [],
    wrap_ups: [],
    lamps: [],
    installation: false,
  });
  await server.start();
  for (const queue of queues)
    await until(`both to be back in ${queue}`, async () =>
      /5001[^]*5002|5002[^]*5001/.test(await asterisk.console(`queue show ${queue}`)) ? true : undefined,
    );
  t.equal((await db('installation')).length, 1);
});
