import t from 'tap';
import { signInAgent } from '../../../domain/provisioning/people/admin-action.js';
import { showExtensionSecret } from '../../../domain/provisioning/numbers/extension.js';
import { AnsweringPhones } from '../../../lab/answering.js';
import { Caller } from '../../../lab/caller.js';
import { crowd } from '../../../lab/provision.js';
import { centreOf, dialAndHear, statesOf, waitMembers, waitState } from '../../support/centre.js';

const centre = await centreOf(t, crowd(3));
const { asterisk, db } = centre;

await t.test(
  'a phone that forwards has refused: no call gets round wrap-up that way, and the third one pauses',
  async (t) => {
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
    await waitState(centre, '1001', 'paused');
    await waitMembers(centre, 'astercc-support', ['1001 paused:missed']);
    t.same(await statesOf(centre, '1001'), ['idle', 'paused'], 'it never rang');
    const results = await db('offers').whereNotNull('ended_at').orderBy('id').pluck<string[]>('result');
    t.same(results.slice(0, 3), ['refused', 'refused', 'refused']);
    t.same(
      results.slice(3).filter((result) => !['refused', 'cancelled'].includes(result)),
      [],
      'one that was on its way may be taken back',
    );
    const late = await db('offers as o')
      .join('agent_states as s', { 's.agent_id': 'o.agent_id', 's.state': db.raw("'paused'") })
      .whereRaw('o.offered_at > s.started_at');
    t.ok(late.length <= 1, `one more may have been on its way: ${late.length}`);
    await dialAndHear(centre, colleague, '*641003', 'agent-loginok');
    await colleague.incoming();
    await colleague.answer();
    await waitState(centre, '1003', 'talking');
    t.notOk(
      target.events.some(({ type }) => type === 'CALL_INCOMING'),
      'it rang nowhere else',
    );
  },
);
