import t from 'tap';
import { signInAgent } from '../../domain/provisioning/admin-action.js';
import { showExtensionSecret } from '../../domain/provisioning/extension.js';
import { AnsweringPhones } from '../../lab/answering.js';
import { Caller } from '../../lab/caller.js';
import { until } from '../../domain/machine/processes.js';
import { crowd } from '../../lab/provision.js';
import { centreOf, dialAndHear, statesOf, waitMembers, waitState } from '../support/centre.js';

const centre = await centreOf(t, crowd(3));
const { asterisk, db } = centre;

await t.test('a phone that forwards is passed over: no call gets round wrap-up that way', async (t) => {
  const { secret } = await showExtensionSecret(db, 'astercc', '5001');
  const forwarding = await AnsweringPhones.start({
    logins: [{ user: 'astercc-5001', secret: secret ?? '' }],
    server: asterisk.sip,
    talkMs: 0,
    forwardTo: '5002',
  });
  t.teardown(() => forwarding.stop());
  const target = await centre.phone('5002');
  const colleague = await centre.phone('5003');
  await signInAgent(db, 'astercc', '1001', { extension: '5001', by: 'test' });
  await waitMembers(centre, 'astercc-support', ['1001']);

  const caller = await Caller.call({ from: '4930123', to: '600100', server: asterisk.sip });
  t.teardown(() => caller.hangup());
  await until('two offers to the phone that forwards', async () =>
    (await db('offers').whereNotNull('ended_at')).length >= 2 ? true : undefined,
  );
  t.notOk((await statesOf(centre, '1001')).includes('ringing'), 'it never rang');
  await dialAndHear(centre, colleague, '*641003', 'agent-loginok');
  await colleague.incoming();
  await colleague.answer();
  await waitState(centre, '1003', 'talking');
  t.notOk(
    target.events.some(({ type }) => type === 'CALL_INCOMING'),
    'it rang nowhere else',
  );
});
