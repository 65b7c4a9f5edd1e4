import t from 'tap';
import { cli } from '../support/processes/cli.js';

await t.test('what is called otherwise elsewhere is named as it is called here', async (t) => {
  for (const [typed, meant] of [
    [['agent', 'login', '1001'], /star64 agent sign-in <number> --extension <number>/],
    [['login', '1001'], /star64 agent sign-in/],
    [['agent', 'logout', '1001'], /star64 agent sign-out <number>/],
    [['agent', 'unpause', '1001'], /star64 agent ready <number>/],
    [['unpause'], /star64 agent ready <number>/],
    [['version'], /star64 --version/],
    [['diff'], /star64 rollback/],
    [['user', 'delete', 'anna'], /Did you mean: remove\?/],
    [['usre'], /Did you mean user\?/],
  ] as const) {
    const { status, out, err } = await cli(typed);
    t.same({ status, out }, { status: 2, out: '' });
    t.match(err, meant, typed.join(' '));
  }
});

await t.test('an error of the command line begins as every other', async (t) => {
  for (const typed of [
    ['nonsense'],
    ['user', 'add'],
    ['user', 'list', '--nonsense'],
    ['extension', 'add', '5000'],
    ['top', '--sort', 'x'],
    ['group', 'add', 'support', '--ring-seconds', 'soon'],
    ['help', 'nonsense'],
    ['user', 'list'],
  ]) {
    const { err } = await cli(typed);
    t.match(err, /^star64: \S/, typed.join(' '));
    t.notMatch(err, /error:/);
  }
  t.match(
    (await cli(['group', 'add', 'x', '--ring-seconds', 'soon'])).err,
    /Type a whole number from 3 to 300\./,
  );
});

await t.test('a secret that was typed is not said again, and how it is given is', async (t) => {
  for (const typed of [
    ['agent', 'set', '1001', '--pin', '739184'],
    ['agent', 'set', '1001', '--pin=739184'],
    ['agent', 'add', '1001', '--user', 'anna', '--groups', 'x', '--pin=739184'],
    ['user', 'set', 'anna', '--password=739184'],
    ['extension', 'set', '5000', '--secret', '739184'],
    ['user', 'set', 'anna', '--passwort=739184'],
  ]) {
    const { status, err } = await cli(typed);
    t.equal(status, 2);
    t.notMatch(err, /739184/);
    if (!typed.join('').includes('wort')) t.match(err, /Type --(pin|password|secret)-stdin and pipe it in/);
  }
});
