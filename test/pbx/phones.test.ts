import t from 'tap';
import { isUnreachable } from '../../pbx/queue/phones.js';
import { StubManager } from '../support/stub-manager.js';

const phone = { team: 'astercc', extension: '5001', extensionKind: 'sip', endpoint: null } as const;
const aor = 'PJSIP_AOR(astercc-5001,contact)';
const contact = 'astercc-5001;@0123456789abcdef';
const [status, rtt] = [`PJSIP_CONTACT(${contact},status)`, `PJSIP_CONTACT(${contact},rtt)`];

/** An Asterisk that has this contact; `answers` is what becomes of its variables once it has asked the phone. */
function asterisk(registered: boolean, answers: Record<string, string> = {}): StubManager {
  const manager = new StubManager();
  if (registered) manager.variables.set(aor, contact).set(status, 'Reachable').set(rtt, '810');
  manager.gate = (action) => {
    if (action === 'PJSIPQualify')
      for (const [name, value] of Object.entries(answers)) manager.variables.set(name, value);
    return Promise.resolve();
  };
  return manager;
}

void t.test('a phone without a registration is gone, and is not asked', async (t) => {
  const manager = asterisk(false);
  t.equal(await isUnreachable(manager, phone), true);
  t.notOk(manager.seen.some((action) => action.startsWith('PJSIPQualify')));
});

void t.test('a phone is asked now: what Asterisk knew of it before says nothing', async (t) => {
  t.equal(await isUnreachable(asterisk(true, { [rtt]: '790' }), phone), false);
  t.equal(await isUnreachable(asterisk(true, { [status]: 'Unreachable' }), phone), true);
});

void t.test('of a telephone outside nobody can know', async (t) => {
  t.equal(await isUnreachable(asterisk(true), { ...phone, extensionKind: 'external' }), false);
});
