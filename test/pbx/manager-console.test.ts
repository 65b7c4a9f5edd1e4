import t, { type Test } from 'tap';
import { managerConsole } from '../../pbx/files/manager-console.js';
import { refused } from '../support/refusal.js';
import { FakeAmi } from './fake-ami.js';

/** Console commands through the manager, as Asterisk 22 answers them. */
async function asterisk(t: Test, answer: (command: string) => string[]): Promise<FakeAmi> {
  const fake = new FakeAmi();
  fake.handler = ({ name, id, headers, connection }) => {
    if (name !== 'command') return false;
    const [first = '', ...rest] = answer(headers.get('command')?.[0] ?? '');
    connection.say(first, `ActionID: ${id}`, ...rest);
    return true;
  };
  await fake.start();
  t.teardown(() => fake.stop());
  return fake;
}
const account = (fake: FakeAmi) => ({
  host: '127.0.0.1',
  port: fake.port,
  username: 'star64-apply',
  secret: 'aSecretOfTheTests6464646464',
});

void t.test(
  'what the console would print comes line by line, and nothing for what is not there',
  async (t) => {
    const fake = await asterisk(t, (command) =>
      command === 'queue show'
        ? [
            'Response: Success',
            'Message: Command output follows',
            'Output: astercc-support has 0 calls (max unlimited)',
            'Output:    No Members',
            'Output: ',
            'Output: astercc-sales has 1 calls (max unlimited)',
          ]
        : [
            'Response: Error',
            'Message: Command output follows',
            "Output: There is no existence of 'x' context",
          ],
    );
    const { console, close } = await managerConsole(account(fake));
    const text = await console('queue show');
    t.same(
      [...text.matchAll(/^(\S+) has [0-9]+ calls /gm)].map(([, name]) => name),
      ['astercc-support', 'astercc-sales'],
    );
    t.equal(await console('dialplan show x'), '');
    await close();
  },
);

void t.test('a user without the right is told which one', async (t) => {
  const fake = await asterisk(t, () => ['Response: Error', 'Message: Permission denied']);
  const { console, close } = await managerConsole(account(fake));
  await refused(
    t,
    'asterisk_unreachable',
    ['Permission denied', 'ami.apply_secret', 'write = command'],
    () => console('dialplan reload'),
    { lines: true },
  );
  await close();
});
