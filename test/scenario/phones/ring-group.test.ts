import t from 'tap';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { until } from '../../../domain/machine/processes.js';
import { AnsweringPhones } from '../../../lab/answering.js';
import { Caller } from '../../../lab/caller.js';
import { centreFor, needLab, waitMembers, waitState } from '../../support/centre.js';
import {
  callRingGroup,
  lastCall,
  ringGroupCentre,
  ringsOf as rings,
  startMobile,
} from '../../support/trials/ring-groups.js';
import { noWarnings } from '../../support/warnings.js';

/** What a ring group does for a caller, on a real Asterisk; what it does without help is ring-group-faults. */
await needLab(t);

const { options, ports } = await ringGroupCentre();
const centre = await centreFor(t, options);
const { asterisk, db } = centre;
const [anna, bert, carl] = [
  await centre.phone('5001'),
  await centre.phone('5002'),
  await centre.phone('5003'),
];
const mobile = await startMobile(centre, ports);
t.teardown(() => mobile.stop());
const call = (ringGroup: string) => callRingGroup(centre, ringGroup);
const phones = [anna, bert, mobile];

await t.test('all ring; who is first has the call, and the others have missed none', async (t) => {
  await asterisk.console('pjsip set logger on');
  const from = await asterisk.verbose.mark();
  const caller = await call('701');
  await Promise.all(phones.map((phone) => phone.incoming()));
  await caller.ringing();
  await bert.answer();
  await caller.answered();
  await Promise.all([anna.closed(), mobile.closed()]);
  await asterisk.console('pjsip set logger off');
  // The Reason stands in the CANCEL to each of the two, which is sent again if the phone is slow.
  const told = async (): Promise<Set<string>> => {
    const messages = (await asterisk.verbose.lines())
      .slice(from)
      .join('\n')
      .split(/^(?=.*<--- (?:Transmitting|Received) )/m);
    return new Set(
      messages
        .filter((message) => /^Reason: SIP;cause=200/m.test(message))
        .map((message) => /^Call-ID: *(\S+)/m.exec(message)?.[1] ?? ''),
    );
  };
  await until('both to be told', async () => ((await told()).size >= 2 ? true : undefined));
  t.equal((await told()).size, 2, 'answered elsewhere');
  const row = await lastCall(centre, { outcome: 'answered', ringGroup: '701', extension: '5002' });
  t.equal(row.number, null);
  await bert.hangup();
  await caller.ended();
});

await t.test('a telephone outside has the call when a key is pressed, and not before', async () => {
  const from = await asterisk.verbose.mark();
  const caller = await call('701');
  await Promise.all(phones.map((phone) => phone.incoming()));
  await mobile.answer();
  await asterisk.waitPlayed('provider.1', 'followme/options', from);
  if (caller.phone.events.some(({ type }) => type === 'CALL_ESTABLISHED')) throw new Error('answered');
  await mobile.digits('1');
  await caller.answered();
  await Promise.all([anna.closed(), bert.closed()]);
  await lastCall(centre, { outcome: 'answered', ringGroup: '701', extension: '7000' });
  await caller.hangup();
  await mobile.closed();
});

await t.test(
  'whoever hears the question is let go when somebody else is faster, or the caller leaves',
  async () => {
    for (const end of ['faster', 'gone']) {
      const from = await asterisk.verbose.mark();
      const caller = await call('701');
      await Promise.all(phones.map((phone) => phone.incoming()));
      await mobile.answer();
      await asterisk.waitPlayed('provider.1', 'followme/no-recording', from);
      if (end === 'faster') {
        await anna.answer();
        await caller.answered();
      } else {
        await caller.hangup();
        await anna.closed();
      }
      // It would be 8 s until the question is over.
      await mobile.closed(4000);
      await bert.closed();
      if (end === 'faster') {
        await caller.hangup();
        await anna.closed();
      }
      await lastCall(centre, { outcome: end === 'gone' ? 'abandoned' : 'answered', ringGroup: '701' });
    }
  },
);

await t.test('a voicemail that answers at once never takes the caller: the next one rings', async (t) => {
  const caller = await call('704');
  await mobile.incoming();
  await mobile.answer();
  await mobile.established();
  await bert.incoming();
  t.notOk(caller.phone.events.some(({ type }) => type === 'CALL_ESTABLISHED'));
  await mobile.closed();
  await bert.answer();
  await caller.answered();
  await lastCall(centre, { outcome: 'answered', ringGroup: '704', extension: '5002' });
  await caller.hangup();
  await bert.closed();
});

await t.test('a number outside that takes the call is written down', async (t) => {
  const from = await asterisk.verbose.mark();
  const caller = await call('704');
  await mobile.incoming();
  await mobile.answer();
  await asterisk.waitPlayed('provider.1', 'followme/options', from);
  await mobile.digits('1');
  await caller.answered();
  const row = await lastCall(centre, { outcome: 'answered', ringGroup: '704', extension: null });
  t.equal(row.number, '4915112345678');
  await mobile.hangup();
  await caller.ended();
});

await t.test(
  'busy, not registered, do not disturb: passed over at once; 702 goes on where it leads',
  async (t) => {
    const { secret } = await showExtensionSecret(db, 'astercc', '5004');
    const disturbed = await AnsweringPhones.start({
      logins: [{ user: 'astercc-5004', secret: secret ?? '' }],
      server: asterisk.sip,
      talkMs: 0,
      refuseWith: '486 Busy Here',
    });
    // A call to *69 asks for seven seconds: the caller holds the phone in their hand.
    const dial = await Caller.about({ from: '4930555', to: '600702', server: asterisk.sip });
    // 5005 was never registered, 5004 refuses, 5001 and 5002 are in calls of their own.
    for (const phone of [anna, bert]) {
      await phone.dial('*69');
      await phone.established();
    }
    // Who is called is looked up by device states, which are news.
    for (const extension of ['5001', '5002'])
      await until(`the lamp of ${extension}`, async () =>
        (await asterisk.console(`core show hint ${extension}`)).includes('State:InUse') ? true : undefined,
      );
    const before = [anna, bert].map(rings);
    const from = await asterisk.verbose.mark();
    const caller = await dial();
    centre.phones.push(caller.phone);
    // The slot for "all busy" leads to 5003.
    await carl.incoming();
    const dialled = (await asterisk.verbose.lines()).slice(from);
    t.notOk(
      dialled.some((line) => / Executing \[s@star64-again:\d+\] Wait/.test(line)),
      'nobody waited for one of them',
    );
    t.same([anna, bert].map(rings), before);
    for (const phone of [anna, bert]) {
      await phone.leave();
      await phone.closed();
    }
    await carl.hangup();
    await caller.ended();
    await lastCall(centre, { outcome: 'busy', ringGroup: '702' });

    // Now 5002 rings until its time is over, and 702 leads to another cause.
    const patient = await call('702');
    await anna.incoming();
    await anna.closed();
    await bert.incoming();
    await bert.closed();
    t.match(await patient.ended(), /^(403|603) /, 'where a call goes that nobody answers');
    await lastCall(centre, { outcome: 'no-answer', ringGroup: '702' });
    await disturbed.stop();
  },
);

await t.test('an agent is rung where they are signed in, and not in a pause', async (t) => {
  await signInAgent(db, 'astercc', '1001', { extension: '5003', by: 'test' });
  await waitMembers(centre, 'astercc-support', ['1001']);
  const caller = await call('705');
  await carl.incoming();
  await carl.answer();
  await caller.answered();
  await lastCall(centre, { outcome: 'answered', ringGroup: '705', extension: '5003', agent: '1001' });
  await caller.hangup();
  await carl.closed();
  t.same(
    await db('agent_states').where({ state: 'wrap-up' }),
    [],
    'as after any call that no queue gave to them',
  );
  await centre.star64('agent', 'pause', '1001');
  await waitState(centre, '1001', 'paused');
  const next = await call('705');
  t.match(await next.ended(), /^486 /, 'nobody else is there');
  await centre.star64('agent', 'sign-out', '1001');
});

await t.test('who has been idle for longest, and who had fewest calls, as the records say', async (t) => {
  const first = async (ringGroup: string): Promise<string> => {
    const from = await asterisk.verbose.mark();
    const caller = await call(ringGroup);
    await asterisk.verbose.waitFor(/ Called PJSIP\/astercc-500/, from);
    const line = (await asterisk.verbose.lines()).slice(from).find((one) => / Called PJSIP\//.test(one));
    await caller.hangup();
    return /Called PJSIP\/astercc-(\d+)/.exec(line ?? '')?.[1] ?? '';
  };
  const { rows } = await db.raw<{ rows: { number: string; calls: number; at: number }[] }>(
    `select x.number, count(*)::integer as calls, extract(epoch from max(ended_at))::float as at
     from calls c join extensions x on x.id = c.answered_extension_id where x.number in ('5001', '5002', '5003')
     group by x.number`,
  );
  const by = (key: 'calls' | 'at') => [...rows].sort((one, other) => one[key] - other[key])[0]?.number;
  t.equal(rows.length, 3, 'each has answered before');
  t.equal(await first('706'), by('at'));
  // Two have answered as often: of them the first in the order of the group.
  const fewest = Math.min(...rows.map(({ calls }) => calls));
  const alike = rows.filter(({ calls }) => calls === fewest).map(({ number }) => number);
  t.equal(await first('707'), alike.sort()[0]);
  await until('all calls to be over', async () =>
    (await db('calls').whereNull('ended_at')).length === 0 ? true : undefined,
  );
});

await t.test('nothing of it is wrong to Asterisk', async (t) => {
  await noWarnings(t, asterisk);
});
