import { pino } from 'pino';
import t from 'tap';
import { noteFeature } from '../../agi/feature-log.js';
import type { Facts, Outcome } from '../../agi/prompts.js';

function noted(script: string, digits: string, outcome: Outcome, facts: Facts = {}): object[] {
  const said: object[] = [];
  const log = pino(
    { level: 'info', base: null, timestamp: false },
    { write: (line: string) => void said.push(JSON.parse(line) as object) },
  );
  noteFeature(log, { script, team: 'astercc', phone: '5000', digits }, outcome, facts);
  return said;
}

void t.test('who has come and gone is in the log, with the phone', (t) => {
  const at = { level: 30, team: 'astercc', phone: '5000', agent: '1001' };
  t.same(noted('sign-in', '1001', 'signed-in'), [{ ...at, msg: 'signed in' }]);
  t.match(noted('sign-in-pin', '1001', 'moved', { extension: '5000' }), [{ ...at, msg: /moved/ }]);
  t.same(noted('sign-out', '', 'signed-out', { agent: '1001' }), [{ ...at, msg: 'signed out' }]);
  t.same(noted('pause', '2', 'paused-for', { agent: '1001', reason: '2' }), [
    { ...at, reason: '2', msg: 'paused' },
  ]);
  t.end();
});

void t.test('a refusal is there with its reason, and with who is in the way', (t) => {
  const at = { level: 30, team: 'astercc', phone: '5000' };
  t.same(noted('sign-in', '1001', 'phone-taken', { agent: '1002', extension: '5000' }), [
    { ...at, agent: '1001', reason: 'phone-taken', holder: '1002', msg: 'sign-in refused' },
  ]);
  t.same(noted('sign-in-pin', '1001', 'pin-wrong'), [
    { ...at, agent: '1001', reason: 'pin-wrong', msg: 'sign-in refused' },
  ]);
  t.same(noted('sign-out', '', 'unavailable'), [{ ...at, reason: 'unavailable', msg: 'sign-out refused' }]);
  t.end();
});

void t.test('what only asks or tells is not', (t) => {
  t.same(noted('sign-in', '', 'agent-wanted'), []);
  t.same(noted('sign-in', '1001', 'pin-wanted'), []);
  t.same(noted('status', '', 'standing-idle', { agent: '1001' }), []);
  t.end();
});
