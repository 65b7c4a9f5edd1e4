import t, { type Test } from 'tap';
import { setTeam } from '../../../domain/provisioning/team.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { until } from '../../../domain/machine/processes.js';
import { crowd } from '../../../lab/provision.js';
import { callIn } from '../../support/calls.js';
import { centreOf, dialAndHear, gaps, statesOf, waitState } from '../../support/centre.js';
import { ConsultingPhone } from '../../support/phones/consulting-phone.js';

/** Phones that lose their power in a call, and phones that only seem to. */
const groups = [{ name: 'support', number: '6000', wrapUp: 'answer', wrapUpSeconds: 0, strategy: 'linear' }];
const centre = await centreOf(t, crowd(8, { groups }), {
  provision: async (db) => {
    await setTeam(db, 'astercc', { rtpTimeout: 10, rtpTimeoutHold: 600 });
  },
});
const { asterisk, db } = centre;

/** A phone that sends no sound of its own accord. */
async function quiet(extension: string): Promise<ConsultingPhone> {
  const { secret } = await showExtensionSecret(db, 'astercc', extension);
  const phone = await ConsultingPhone.start(`astercc-${extension}`, secret ?? '', asterisk.sip);
  t.teardown(() => phone.stop());
  return phone;
}

/** Waits until a line of Asterisk's log about a channel of this phone, or of another endpoint, has these words. */
const said = (words: string, endpoint: string, from = 0): Promise<string> =>
  until(`"${words}" of ${endpoint}`, async () =>
    [...(await asterisk.verbose.lines()).slice(from), ...(await asterisk.logText()).split('\n')].find(
      (line) => line.includes(words) && line.includes(`PJSIP/${endpoint}-`),
    ),
  );
const hearsMusic = (endpoint: string, from?: number): Promise<string> =>
  said('Started music on hold', endpoint, from);
/** Fails unless Asterisk ended the call of a phone after the seconds that it was given, and not the 600 of the other case. */
async function cutAfter(t: Test, given: number, endpoint: string): Promise<void> {
  const line = await said('for lack of audio RTP activity', endpoint);
  const seconds = Number(/ in (\d+) seconds/.exec(line)?.[1]);
  // Whole seconds of the wall clock between two moments: a look that is late by an instant counts the next one, too.
  t.ok(seconds >= given && seconds < 10 * given, `${endpoint} was silent for ${seconds} s`);
}

/** The channels that live, of these extensions. */
async function inCalls(extensions: readonly string[]): Promise<string[]> {
  const channels = await asterisk.console('core show channels concise');
  return extensions.filter((extension) => channels.includes(`PJSIP/astercc-${extension}-`));
}

/** The last call of a customer, and its visit, once it is over. */
async function lastCall(): Promise<object> {
  return until('the end of the last call', async () => {
    const { rows } = await db.raw<{ rows: { over: boolean }[] }>(
      `select c.outcome, c.ended_at is not null as over, v.outcome as visit, a.number as agent
       from calls c join queue_visits v on v.call_id = c.id left join agents a on a.id = v.agent_id
       order by c.id desc limit 1`,
    );
    return rows[0]?.over === true ? rows[0] : undefined;
  });
}

await t.test(
  'both phones of a call lose power: it ends, and calls that are muted or held go on',
  async (t) => {
    const [muted, holding] = [await centre.phone('5006'), await centre.phone('5007')];
    const talking = await centre.phone('5002');
    const inactive = await quiet('5008');
    // A phone that holds (sendonly) the other, which is muted: a muted phone sends silence.
    await muted.dial('5007');
    await holding.incoming();
    await holding.answer();
    await muted.established();
    await muted.mute();
    await holding.hold();
    await hearsMusic('astercc-5006');
    // And one that holds without sending anything any more (inactive).
    await talking.dial('5008');
    await talking.established();
    await inactive.hold(await inactive.called());
    await hearsMusic('astercc-5002');
    // A phone with silence suppression is taken for one without power, as soon as it has been silent for so long.
    const [other, silent] = [await centre.phone('5001'), await quiet('5003')];
    await other.dial('5003');
    await other.established();
    await other.closed();
    await cutAfter(t, 10, 'astercc-5003');

    const agent = await centre.phone('5004');
    await dialAndHear(centre, agent, '*641004', 'agent-loginok');
    const customer = await callIn(centre);
    await agent.incoming();
    await waitState(centre, '1004', 'ringing');
    await agent.answer();
    await waitState(centre, '1004', 'talking');
    await Promise.all([agent.kill(), customer.phone.kill()]);
    await waitState(centre, '1004', 'wrap-up');
    await cutAfter(t, 10, 'astercc-5004');
    t.same(await statesOf(centre, '1004'), ['idle', 'ringing', 'talking', 'wrap-up']);
    t.same(await lastCall(), { outcome: 'answered', over: true, visit: 'answered', agent: '1004' });
    const all = ['5001', '5002', '5003', '5004', '5006', '5007', '5008'];
    await until('the channels of the others to be gone', async () =>
      (await inCalls(all)).length <= 4 ? true : undefined,
    );
    t.same(await inCalls(all), ['5002', '5006', '5007', '5008']);
    t.equal(silent.calls.length, 0);
    await muted.hangup();
    await Promise.all([muted.closed(), holding.closed()]);
    await talking.hangup();
    await talking.closed();
    await centre.star64('agent', 'sign-out', '1004');
  },
);

await t.test('the agent’s phone alone loses power: the customer is not left in silence', async (t) => {
  const agent = await centre.phone('5005');
  await dialAndHear(centre, agent, '*641005', 'agent-loginok');
  const customer = await callIn(centre);
  await agent.incoming();
  await agent.answer();
  await waitState(centre, '1005', 'talking');
  await agent.kill();
  await customer.ended();
  await cutAfter(t, 10, 'astercc-5005');
  await waitState(centre, '1005', 'wrap-up');
  t.same(await lastCall(), { outcome: 'answered', over: true, visit: 'answered', agent: '1005' });
  await centre.star64('agent', 'sign-out', '1005');
});

await t.test('a phone that holds has the time of a hold: with power it sends nothing, either', async (t) => {
  // Sooner than it sends RTCP again, every five seconds, which is a sign of life, too.
  await centre.star64('team', 'set', 'astercc', '--rtp-timeout', '600', '--rtp-timeout-hold', '3');
  await centre.generate();
  const [holding, held] = [await centre.phone('5006'), await centre.phone('5007')];
  await held.dial('5006');
  await holding.incoming();
  await holding.answer();
  await held.established();
  await holding.hold();
  await hearsMusic('astercc-5007');
  await held.closed();
  await cutAfter(t, 3, 'astercc-5006');

  const agent = await centre.phone('5002');
  await dialAndHear(centre, agent, '*641002', 'agent-loginok');
  const customer = await callIn(centre);
  await agent.incoming();
  await agent.answer();
  await waitState(centre, '1002', 'talking');
  const from = await asterisk.verbose.mark();
  await agent.hold();
  await hearsMusic('lab-trunk', from);
  await Promise.all([agent.kill(), customer.phone.kill()]);
  await waitState(centre, '1002', 'wrap-up');
  await cutAfter(t, 3, 'astercc-5002');
  t.same(await lastCall(), { outcome: 'answered', over: true, visit: 'answered', agent: '1002' });
  t.same(await gaps(centre), []);
});
