import t from 'tap';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { Caller } from '../../../lab/caller.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, dialAndHear, waitState } from '../../support/centre.js';

const centre = await centreOf(t, crowd(1), {
  asterisk: { briefPrompts: false },
  provision: async (db) => {
    await setGroup(db, 'astercc', 'support', { announceAgent: true, announceCall: true });
  },
});
const { asterisk } = centre;
const call = (): Promise<Caller> => Caller.call({ from: '4930123', to: '600100', server: asterisk.sip });

await t.test(
  'the caller hears the number of the agent, the agent the queue and the wait (spec 27)',
  async (t) => {
    const phone = await centre.phone('5001');
    await dialAndHear(centre, phone, '*641001', 'agent-loginok');
    const mark = await asterisk.verbose.mark();
    const customer = await call();
    await phone.incoming();
    await phone.answer();
    await asterisk.waitPlayed(phone.user, 'queue-reporthold', mark);
    await asterisk.waitPlayed(phone.user, 'digits/6', mark);
    await asterisk.verbose.waitFor(/Done Spying on channel PJSIP\/lab-trunk/, mark);
    await customer.phone.hangup();
    await customer.phone.closed();
    await phone.closed();
    const prompts = ['digits/1', 'digits/6', 'queue-reporthold'];
    const heard = await asterisk.recognise(await customer.phone.heard(), prompts);
    t.same(heard, ['digits/1'], 'the caller hears the agent number and nothing of what the agent is told');
    const told = await asterisk.recognise(await phone.heard(), prompts);
    t.same(told, ['queue-reporthold', 'digits/6'], 'the agent does not hear his own number');
    await customer.hangup();
    await waitState(centre, '1001', 'wrap-up');
    await dialAndHear(centre, phone, '*67', 'activated');
  },
);

await t.test('a failing announcement keeps nobody apart', async () => {
  const phone = await centre.phone('5001');
  const mark = await asterisk.verbose.mark();
  await asterisk.console('dialplan remove context star64-whisper');
  const customer = await call();
  await phone.incoming();
  await phone.answer();
  await asterisk.verbose.waitFor(/PJSIP\/lab-trunk\S+ joined 'simple_bridge'/, mark);
  await waitState(centre, '1001', 'talking');
  await customer.hangup();
  await phone.closed();
});
