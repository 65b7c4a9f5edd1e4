import { userInfo } from 'node:os';
import t from 'tap';
import { changesIn, forgetChanges } from '../../domain/provisioning/generations.js';
import { cli } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';

/** Whoever changes something learns that Asterisk does not know it yet, and from no command that changes no file. */
const { db, url } = await freshDatabase(t);
const directory = t.testdir();
const env = {
  DATABASE_URL: url,
  STAR64_ASTERISK_CONFIG_DIR: directory,
  STAR64_ASTERISK_USER: userInfo().username,
  STAR64_AGI_TOKEN: 'aTokenOfTheTests6464646464',
};
const behind = 'not in Asterisk yet: star64 apply';
/** The last line on stderr. */
async function said(...args: string[]): Promise<string | undefined> {
  const { status, err } = await cli(args, { env });
  t.equal(status, 0, `${args.join(' ')}: ${err}`);
  return err.trimEnd().split('\n').at(-1);
}

/** As after `star64 apply`: Asterisk has all of it. */
async function applied(): Promise<void> {
  await said('generate');
  for (const node of ['default', 'berlin']) await forgetChanges(db, await changesIn(db, node));
}

void t.test('every change of what is in a file says so until Asterisk has it', async (t) => {
  t.equal(
    await said('generate'),
    'written. Asterisk reads it after: module reload res_pjsip.so; module reload app_queue.so; dialplan reload',
  );
  t.equal(await said('status'), behind, 'written is not read');
  await applied();
  t.not(await said('user', 'add', 'anna'), behind);
  t.not(await said('team', 'set', 'astercc', '--name', 'Another'), behind);
  t.not(await said('status'), behind);
  await said('user', 'add', 'bert');
  await said('extension', 'add', '5001', '--user', 'anna');
  await applied();
  // What only servers and records know.
  for (const nothing of [
    ['extension', 'set', '5001', '--location', '2nd floor'],
    ['extension', 'set', '5001', '--calls-per-hour', '10'],
    ['team', 'set', 'astercc', '--calls-per-day', '100'],
  ]) {
    t.not(await said(...nothing), behind, nothing.join(' '));
    t.not(await said('status'), behind, nothing.join(' '));
  }
  for (const change of [
    // Over which trunks it calls.
    ['extension', 'set', '5001', '--user', 'bert'],
    ['extension', 'add', '5000', '--user', 'anna'],
    ['group', 'add', 'support', '--number', '6000'],
    ['group', 'set', 'support', '--ring-seconds', '20'],
    ['group', 'add', 'sales', '--number', '6001'],
    ['did', 'add', '600100', '--group', 'support'],
    ['did', 'set', '600100', '--extension', '5000'],
    ['did', 'remove', '600100'],
    ['feature-code', 'add', '*68', '--feature', 'pause'],
    ['trunk', 'add', 'provider', '--endpoint', 'provider'],
    ['team', 'set', 'astercc', '--trunk', 'provider'],
    ['trunk', 'set', 'provider', '--endpoint', 'provider2'],
    ['team', 'set', 'astercc', '--language', 'fr'],
    'agent add 1001 --user anna --groups sales --kind fixed --extension 5000'.split(' '),
    ['agent', 'set', '1001', '--kind', 'adaptive'],
    ['extension', 'remove', '5000'],
    ['group', 'remove', 'support'],
  ]) {
    await applied();
    t.not(await said('status'), behind, `before ${change.join(' ')}`);
    const word = await said(...change);
    // Also a trunk that no team has as its default: emergency calls go over all that it may use.
    t.equal(word, behind, change.join(' '));
    if (change[0] !== 'trunk') t.equal(await said('status'), behind);
  }
  const { out } = await cli(['status', '--json'], { env });
  t.match(JSON.parse(out), { files_are_behind: true });
});

void t.test('a change at another Asterisk is none here', async (t) => {
  await applied();
  await said('team', 'add', 'b2', '--node', 'berlin');
  t.equal(await said('--team', 'b2', 'status'), behind);
  t.not(await said('status'), behind);
  t.equal(await said('team', 'set', 'b2', '--node', 'default'), behind);
  t.equal(await said('status'), behind, 'the team has come here');
  await applied();
  t.not(await said('status'), behind);
  t.equal(await said('team', 'remove', 'b2'), `${behind} (node default)`, 'it might have been at another');
  t.equal(await said('status'), behind);
});

void t.test('of what belongs to every team the nodes are named, wherever the command is typed', async (t) => {
  await said('team', 'add', 'b2', '--node', 'berlin');
  await said('trunk', 'add', 'shared', '--endpoint', 'shared', '--every-team');
  await applied();
  const both = `${behind} (nodes berlin, default)`;
  t.equal(await said('trunk', 'set', 'shared', '--country', 'DE', '--every-team'), both);
  await forgetChanges(db, await changesIn(db, 'default'));
  t.not(await said('status'), behind);
  t.equal(
    await said('trunk', 'set', 'shared', '--endpoint', 'shared', '--every-team'),
    `${behind} (node berlin)`,
    'here everything is in Asterisk',
  );
});
