import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { crowd } from '../../lab/provision.js';
import { callIn } from '../support/calls.js';
import { centreOf, dialAndHear } from '../support/centre.js';
import { waitTold } from '../support/in-call.js';

/** Whoever is in here is in the call of that number, as far as its parties are counted. */
const parties = `[lab-party]
exten => _X.,1,Set(GROUP(star64-party)=\${EXTEN})
 same => n,Wait(120)
`;
const centre = await centreOf(
  t,
  crowd(3, { groups: [{ name: 'support', number: '6000', strategy: 'ringall' }] }),
  { asterisk: { extra: { 'extensions.conf': parties } } },
);
const { asterisk } = centre;
const [anna, bert, carl] = await Promise.all([
  centre.phone('5001'),
  centre.phone('5002'),
  centre.phone('5003'),
]);
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

await t.test('a call has 30 parties, and the 31st is refused by voice and not rung', async (t) => {
  const customer = await callIn(centre);
  await anna.incoming();
  await anna.answer();
  await anna.established();
  const channels = async (): Promise<string[]> =>
    (await asterisk.console('core show channels concise')).split('\n');
  const call =
    (await channels())
      .find((line) => line.includes('!Queue!'))
      ?.split('!')
      .at(-1) ?? '';
  // The customer, the agent, and 28 more.
  for (let party = 3; party <= 30; party++)
    await asterisk.console(`channel originate Local/${call}@lab-party/n application Wait 120`);
  const others = (line: string): boolean => /^Local\/.*@lab-party-.*;2!.*!Wait!/.test(line);
  await until('28 others in it', async () =>
    (await channels()).filter(others).length === 28 ? true : undefined,
  );
  const from = await asterisk.verbose.mark();
  await anna.digits('*25002');
  await waitTold(centre, 'conf-full', from);
  await asterisk.verbose.waitFor(/Step: conference-full/, from);
  t.notOk(bert.events.some(({ type }) => type === 'CALL_INCOMING'));
  const [leaves] = (await channels()).filter(others);
  await asterisk.console(`channel request hangup ${leaves?.split('!')[0] ?? ''}`);
  await until('one of them to leave', async () =>
    (await channels()).filter(others).length === 27 ? true : undefined,
  );
  // Of two phones that ring for the last place one will join.
  await dialAndHear(centre, bert, '*641002', 'agent-loginok');
  await dialAndHear(centre, carl, '*641003', 'agent-loginok');
  await anna.digits('*26000');
  await Promise.all([bert.incoming(), carl.incoming()]);
  await customer.hangup();
  await anna.hangup();
  await anna.closed();
});
