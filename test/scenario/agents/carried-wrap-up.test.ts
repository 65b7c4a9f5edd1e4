import t from 'tap';
import { addExtension } from '../../../domain/provisioning/numbers/extension.js';
import { setTeam } from '../../../domain/provisioning/team.js';
import { addTrunk } from '../../../domain/provisioning/numbers/trunk.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { Conversation } from '../../support/calls.js';
import { ageSignIns, centreOf, dialAndHear, gaps, waitMembers, waitState } from '../../support/centre.js';

/** A wrap-up that goes with its agent to another phone, and no server left to end it. */
const groups = [{ name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0 }];
const centre = await centreOf(t, crowd(5, { groups }), {
  provision: async (db) => {
    await addTrunk(db, 'astercc', { name: 'provider', endpoint: 'lab-trunk' });
    await setTeam(db, 'astercc', { trunk: 'provider' });
    const telephone = {
      number: '7000',
      user: 'crowd',
      kind: 'external',
      telephone: '+4915112345678',
    } as const;
    await addExtension(db, 'astercc', telephone);
  },
});
const { asterisk } = centre;

/** An agent signs in, talks to a customer, and is in wrap-up. */
async function inWrapUp(agent: string, extension: string): Promise<void> {
  const phone = await centre.phone(extension);
  await dialAndHear(centre, phone, `*64${agent}`, 'agent-loginok');
  await (await Conversation.begin(centre, phone)).end();
  await waitState(centre, agent, 'wrap-up');
}
const watchdogs = async (): Promise<string[]> =>
  [...(await asterisk.console('core show channels concise')).matchAll(/^(Local\/watch@[^!]+)!/gm)].map(
    ([, channel = '']) => channel,
  );
const marks = (family: string): Promise<string> => asterisk.console(`database show ${family}`);

/** Waits until no phone has a mark. */
const noMarks = (family: string): Promise<true> =>
  until(`no mark in ${family}`, async () =>
    /^0 results found/m.test(await marks(family)) ? true : undefined,
  );

await t.test('it is marked at the new phone, and the watchdog ends it there', async () => {
  for (const [agent, extension] of [
    ['1001', '5001'],
    ['1002', '5002'],
    ['1003', '5003'],
  ] as const)
    await inWrapUp(agent, extension);
  await ageSignIns(centre);
  // By the command line, to a phone and to a telephone.
  await centre.star64('agent', 'sign-in', '1001', '--extension', '5004');
  await centre.star64('agent', 'sign-in', '1002', '--extension', '7000');
  const wanted = (...rest: RegExp[]): Promise<void> => waitMembers(centre, 'astercc-support', rest);
  await until('the marks of the new phones', async () => {
    const carried = await marks('CustomPresence/star64-wrapup');
    return carried.includes('/7000@astercc-telephones') && carried.includes('/astercc-5004')
      ? true
      : undefined;
  });
  // From the phone, while nobody watches: whoever watched is gone, as after a crash of Asterisk.
  for (const channel of await watchdogs()) await asterisk.console(`channel request hangup ${channel}`);
  await until('nobody to watch', async () => ((await watchdogs()).length === 0 ? true : undefined));
  await asterisk.console('dialplan set global STAR64_WATCHDOG 0');
  await dialAndHear(centre, await centre.phone('5005'), '*641003', 'agent-loginok');
  await until('somebody to watch', async () => ((await watchdogs()).length > 0 ? true : undefined));
  await wanted(/^1001 paused:wrapup/, /^1002 paused:wrapup/, /^1003 paused:wrapup/);
  for (const at of ['PJSIP/astercc-5004', 'Local/7000@astercc-telephones/n', 'PJSIP/astercc-5005'])
    await until(`somebody to be at ${at}`, async () =>
      (await asterisk.console('queue show astercc-support')).includes(at) ? true : undefined,
    );
  await noMarks('star64-wrapup');

  await centre.server.kill();
  await waitMembers(centre, 'astercc-support', ['1001', '1002', '1003'], 60_000);
  await noMarks('CustomPresence/star64-wrapup');
  await centre.server.start();
  for (const agent of ['1001', '1002', '1003']) await waitState(centre, agent, 'idle');
});

await t.test(
  'with a server, the wrap-up that has moved ends as any other, and takes its mark along',
  async (t) => {
    for (const agent of ['1001', '1002']) await centre.star64('agent', 'sign-out', agent);
    await waitMembers(centre, 'astercc-support', ['1003']);
    await (await Conversation.begin(centre, await centre.phone('5005'))).end();
    await waitState(centre, '1003', 'wrap-up');
    await ageSignIns(centre);
    const next = await centre.phone('5001');
    await dialAndHear(centre, next, '*641003', 'agent-loginok');
    await until('the mark of the new phone', async () =>
      (await marks('CustomPresence/star64-wrapup')).includes('PJSIP/astercc-5001') ? true : undefined,
    );
    await dialAndHear(centre, next, '*67', 'activated');
    await waitMembers(centre, 'astercc-support', ['1003']);
    await noMarks('CustomPresence/star64-wrapup');
    t.same(await gaps(centre), []);
  },
);
