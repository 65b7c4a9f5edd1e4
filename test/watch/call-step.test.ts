import { pino } from 'pino';
import t from 'tap';
import type { CallStep } from '../../domain/calls/records/steps.js';
import { crowd, provision } from '../../lab/provision.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { stepOf } from '../../pbx/watch/events/call-step.js';
import { Observer } from '../../pbx/watch/events/observer.js';
import { freshDatabase } from '../support/database.js';

const event = (name: string, headers: Record<string, string>): AmiMessage => ({
  name,
  headers: new Map(Object.entries(headers)),
  repeated: new Map(),
});

await t.test('events that tell a step in the story of a call', (t) => {
  const step = (facts: string) =>
    event('UserEvent', { userevent: 'Star64Step', call: '1.1', step: 'menu', facts });
  t.same(stepOf(step('menu=main&key=2')), { call: '1.1', kind: 'menu', facts: { menu: 'main', key: '2' } });
  t.same(
    stepOf(step('to=+49=1&&=x&bare')),
    { call: '1.1', kind: 'menu', facts: { to: '+49=1' } },
    'nothing is unescaped',
  );
  t.equal(stepOf(event('UserEvent', { step: 'menu' })), undefined, 'without a call');
  t.same(
    stepOf(
      event('BlindTransfer', {
        result: 'Success',
        transfererchannel: 'PJSIP/astercc-5001-0000001a',
        transfereelinkedid: '1.1',
        extension: '6001',
      }),
    ),
    { call: '1.1', kind: 'transferred', facts: { by: '5001', to: '6001', how: 'blind' } },
  );
  const asked = {
    result: 'Success',
    origtransfererchannel: 'PJSIP/astercc-5001-0000001a',
    origtransfererlinkedid: '1.1',
    secondtransfererexten: 'support',
    transfertargetchannel: 'Local/5002@astercc-transfers-00000001;1',
  };
  t.same(
    stepOf(event('AttendedTransfer', { ...asked, desttype: 'Bridge', transfereelinkedid: '1.1' })),
    { call: '1.1', kind: 'transferred', facts: { by: '5001', to: '5002', how: 'attended' } },
    'what was dialled for it',
  );
  t.same(
    stepOf(event('AttendedTransfer', { ...asked, desttype: 'Threeway' })),
    { call: '1.1', kind: 'conference', facts: { by: '5001', to: '5002' } },
    'of a conference no one is sent on',
  );
  t.equal(stepOf(event('BlindTransfer', { result: 'Fail', transfereelinkedid: '1.1' })), undefined);
  t.same(stepOf(event('AgentComplete', { linkedid: '1.1', membername: '1001', reason: 'agent' })), {
    call: '1.1',
    kind: 'parted',
    facts: { agent: '1001', reason: 'agent' },
  });
  t.end();
});

await t.test('a recording is over when the phone at which it is made leaves the call', async (t) => {
  const { db } = await freshDatabase(t);
  await provision(db, crowd(1));
  const steps: CallStep[] = [];
  const observer = new Observer(db, 'default', pino({ enabled: false }), {
    deadlineSet: () => undefined,
    missed: () => t.fail('missed'),
    step: (step) => steps.push(step),
  });
  const facts = { file: 'star64/astercc/2026-11-26/default-1.1-1.2.wav' };
  observer.take(
    event('UserEvent', {
      userevent: 'Star64Step',
      uniqueid: '1.2',
      call: '1.1',
      step: 'recording',
      facts: `file=${facts.file}`,
    }),
  );
  observer.take(event('Hangup', { uniqueid: '1.3', linkedid: '1.1' }));
  observer.take(event('Hangup', { uniqueid: '1.2', linkedid: '1.1' }));
  observer.take(event('Hangup', { uniqueid: '1.2', linkedid: '1.1' }));
  t.same(steps, [
    { call: '1.1', kind: 'recording', facts },
    { call: '1.1', kind: 'recorded', facts },
  ]);
  await observer.settled();
});
