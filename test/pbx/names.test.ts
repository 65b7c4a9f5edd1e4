import t from 'tap';
import { carriedWrapUp, deviceOf, lampOf, memberOf, phoneOf, wrapUpMark } from '../../pbx/queue/names.js';

void t.test('a phone is known again by its names in Asterisk, of either kind', (t) => {
  const sip = { team: 'astercc', extension: '5000', extensionKind: 'sip', endpoint: null } as const;
  const telephone = {
    team: 'astercc',
    extension: '7000',
    extensionKind: 'external',
    endpoint: null,
  } as const;
  t.equal(memberOf(sip), 'PJSIP/astercc-5000');
  t.equal(memberOf(telephone), 'Local/7000@astercc-telephones/n');
  for (const phone of [sip, telephone]) {
    t.same(phoneOf(memberOf(phone)), phone);
    t.same(phoneOf(deviceOf(phone)), phone);
  }
  // star64-offer-end writes these from the part of the member's name between the slashes.
  t.equal(lampOf(telephone), 'Custom:star64-7000@astercc-telephones');
  t.same(wrapUpMark(sip), { family: 'star64-wrapup', key: 'astercc-5000' });
  t.equal(carriedWrapUp(telephone), 'star64-wrapup/7000@astercc-telephones');
  t.end();
});

void t.test('what an operator has in his queues beside our phones is nothing of ours', (t) => {
  for (const device of [
    '',
    'PJSIP/5000',
    'PJSIP/astercc-5000-1',
    'SIP/astercc-5000',
    'astercc-5000',
    'Local/7000@telephones/n',
    'Local/7000@astercc-telephones/nj',
    'Local/7000@astercc-telephones-x/n',
    'Local/s@astercc-telephones/n',
  ]) {
    t.equal(phoneOf(device), undefined, device);
  }
  t.end();
});
