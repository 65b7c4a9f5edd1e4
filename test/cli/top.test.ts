import t, { type Test } from 'tap';
import { transition } from '../../domain/presence/agent-state.js';
import { findQueue } from '../../domain/calls/queue/queue.js';
import { addTeam, removeTeam } from '../../domain/provisioning/team.js';
import { signIn } from '../../domain/presence/sign-in.js';
import { LabPostgres } from '../../domain/database/embedded/postgres.js';
import { connect } from '../../domain/database/pool.js';
import { migrate, migrationDeadlineMs } from '../../domain/database/migrate.js';
import { patient } from '../../lab/patience.js';
import { crowd, provision } from '../../lab/provision.js';
import { star64 } from '../support/processes/cli.js';
import { freshDatabase } from '../support/database.js';
import { Terminal } from '../support/processes/terminal.js';
import { callJoined, defaultNode } from '../support/records.js';

const { url, db } = await freshDatabase(t);
const env = { DATABASE_URL: url };
await provision(db, crowd(3));

/** Ends when the terminal is as it was: settings, screen, cursor. */
function restored(t: Test, terminal: Terminal): void {
  t.equal(terminal.settings.after, terminal.settings.before, 'the terminal has its settings back');
  const { raw } = terminal;
  const left = raw.lastIndexOf('\x1b[?1049l');
  t.ok(raw.includes('\x1b[?1049h') && left > raw.lastIndexOf('\x1b[?1049h'), 'and its screen');
  t.ok(left > raw.lastIndexOf('\x1b[H'), 'nothing is drawn afterwards');
  t.ok(raw.lastIndexOf('\x1b[?25h') > raw.lastIndexOf('\x1b[?25l'), 'and its cursor');
}

await t.test('without a terminal it says what to type instead', async (t) => {
  t.match(await star64(['top'], { env }), { status: 2, out: '', err: /terminal.*`star64 status --json`/ });
  const dumb = Terminal.start(t, ['top'], { ...env, TERM: 'dumb' });
  t.equal(await dumb.ended, 2);
});

await t.test('a team that does not exist is said on the screen of the shell', async (t) => {
  const terminal = Terminal.start(t, ['top', '--team', 'nowhere'], env);
  t.equal(await terminal.ended, 4);
  t.match(terminal.raw, /team "nowhere" does not exist/);
  t.notOk(terminal.raw.includes('\x1b'), 'nothing has been taken over');
});

await t.test('the board follows the team, its keys sort it, q gives the terminal back', async (t) => {
  const terminal = Terminal.start(t, ['top', '--within', '30'], env);
  await terminal.shows(/0 waiting, 0 of 3 agents signed in[^]*1001 .* signed-out/);
  await terminal.shows(/service level: answered within 30 s \/ \(answered \+ abandoned\)/);

  const entered = await signIn(db, 'astercc', { agent: '1003', extension: '5001', by: 'test' });
  t.match(entered, { outcome: 'signed-in' });
  const lines = await terminal.shows(/0 waiting, 1 of 3 agents signed in/);
  t.equal(lines.length, 24);
  t.ok(lines.every((line) => line.length <= 80));
  t.match(lines.join('\n'), /1003 .* idle .*\n1001 .* signed-out .*\n1002 .* signed-out/, 'by state');
  terminal.press('n');
  await terminal.shows(/1001 .*\n1002 .*\n1003 .* idle /);
  terminal.press('t');
  await terminal.shows(/1003 .* idle .*\n1001 .*\n1002 /);

  const queue = await findQueue(db, defaultNode, 'astercc-support');
  if (entered.outcome !== 'signed-in' || !queue) throw new Error('the team is not as it was set up');
  await callJoined(db, 'astercc-support', 'call-1', '+4930111111');
  await terminal.shows(/1 waiting.*[^]*support +1 +\d+s +0 +1 +-/);
  const call = { callUniqueid: 'call-1', groupId: queue.groupId };
  await transition(db, entered.signIn.id, 'offer', call);
  await terminal.shows(/1003 .* ringing +\d+s +- +support \+4930111111/);

  terminal.press('q');
  t.equal(await terminal.ended, 0);
  restored(t, terminal);
});

await t.test('Ctrl-C, a signal and an error give the terminal back as well', async (t) => {
  const interrupted = Terminal.start(t, ['top'], env);
  await interrupted.shows(/agents signed in/);
  interrupted.press('\x03');
  t.equal(await interrupted.ended, 130);
  restored(t, interrupted);

  const ended = Terminal.start(t, ['top'], env);
  await ended.shows(/agents signed in/);
  process.kill(ended.pid, 'SIGTERM');
  t.equal(await ended.ended, 0);
  restored(t, ended);

  await addTeam(db, 'gone');
  const failed = Terminal.start(t, ['top', '--team', 'gone'], env);
  await failed.shows(/gone .*agents signed in/);
  await removeTeam(db, 'gone');
  t.equal(await failed.ended, 4);
  restored(t, failed);
  t.match(failed.raw.slice(failed.raw.lastIndexOf('\x1b[?1049l')), /team "gone" does not exist/);
});

await t.test('it fits a small terminal, and scrolls', async (t) => {
  await provision(db, crowd(40, { team: 'many', did: '600200' }));
  const terminal = Terminal.start(t, ['top', '--team', 'many', '--sort', 'number'], env, {
    columns: 40,
    rows: 13,
  });
  const lines = await terminal.shows(/\nservers [01] of 1 [^]*agents 1-5 of 40[^]*\n1001 /);
  t.equal(lines.length, 13);
  t.ok(lines.every((line) => line.length <= 40));
  terminal.press('\x1b[6~');
  await terminal.shows(/agents 6-10 of 40[^]*\n1006 /);
  terminal.press('\x1b[F');
  await terminal.shows(/agents 36-40 of 40[^]*\n1040 /);
  terminal.press('\x1b[A');
  await terminal.shows(/agents 35-39 of 40/);
  terminal.press('q');
  t.equal(await terminal.ended, 0);
});

await t.test('with PostgreSQL away it says so, keeps trying, and can be quit', async (t) => {
  const postgres = await LabPostgres.start();
  t.teardown(() => postgres.stop());
  const own = connect(postgres.url, { ...patient, max: 1, deadlineMs: migrationDeadlineMs });
  t.teardown(() => own.destroy());
  await migrate(own);
  await provision(own, crowd(1));
  // It is killed below, and such a server does not wait for its disk.
  await own.raw('checkpoint');

  const terminal = Terminal.start(t, ['top'], { DATABASE_URL: postgres.url });
  await terminal.shows(/0 of 1 agents signed in/);
  await postgres.kill();
  await terminal.shows(/PostgreSQL cannot be reached, this is how it was: trying again[^]*1001 /);
  const late = Terminal.start(t, ['top'], { DATABASE_URL: postgres.url });
  await late.shows(/PostgreSQL cannot be reached: trying again/);
  await postgres.restart();
  t.match(await signIn(own, 'astercc', { agent: '1001', extension: '5001', by: 'test' }), {
    outcome: 'signed-in',
  });
  for (const board of [terminal, late]) {
    const lines = await board.shows(/1 of 1 agents signed in/);
    t.notMatch(lines.join('\n'), /cannot be reached/);
  }

  postgres.freeze();
  t.teardown(() => postgres.thaw());
  await terminal.shows(/PostgreSQL cannot be reached/);
  terminal.press('q');
  t.equal(await terminal.ended, 0);
  restored(t, terminal);
});
