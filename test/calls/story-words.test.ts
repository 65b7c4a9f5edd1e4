import t from 'tap';
import { minutes, wordsOf } from '../../domain/calls/records/story-words.js';

await t.test('each thing that happens to a call reads as a sentence', (t) => {
  const cases: [string, Record<string, string | number>, string][] = [
    ['arrived', { caller: '+4917112345', did: '+4930600100' }, 'call from +4917112345 for +4930600100'],
    ['arrived', {}, 'call from an unknown number'],
    ['did', { did: '600100', rule: '3', to: 'group:support' }, '600100 leads to group:support, by rule 3'],
    [
      'hours',
      { hours: 'office', state: 'closed', to: 'announcement:closed' },
      'hours office: closed, so on to announcement:closed',
    ],
    ['menu', { menu: 'main', key: '2', to: 'group:sales' }, 'menu main: key 2, so on to group:sales'],
    ['menu', { menu: 'main', key: 'timeout' }, 'menu main: no key'],
    ['ring-group', { group: '701', rings: '5000', seconds: 15 }, 'ring group 701 rings 5000 for 15 s'],
    ['ring-group', { group: '701' }, 'comes to ring group 701'],
    ['room', { room: '801' }, 'comes into room 801'],
    ['joined', { group: 'support', position: 3 }, 'joins the queue of support at place 3'],
    [
      'offered',
      { agent: '1001', extension: '5000', result: 'missed', seconds: 15 },
      'offered to agent 1001 at 5000: missed after 15 s',
    ],
    [
      'offered',
      { agent: '1001', extension: '5000', result: 'unknown' },
      'offered to agent 1001 at 5000: what became of it was not seen',
    ],
    [
      'answered',
      { agent: '1002', extension: '5001', waited: 41 },
      'answered by agent 1002 at 5001 after a wait of 41 s',
    ],
    ['answered', { extension: '5001' }, 'answered by extension 5001'],
    ['answered', {}, 'answered by somebody'],
    ['parted', { reason: 'caller', agent: '1002' }, 'the caller hangs up'],
    ['held', { agent: '1002', extension: '5001' }, 'agent 1002 at 5001 puts the call on hold'],
    ['resumed', { extension: '5001', seconds: 12 }, 'extension 5001 takes it back after 12 s'],
    [
      'resumed',
      { agent: '1002', leaves: 'yes', seconds: 12 },
      'agent 1002 leaves, with the call on hold, after 12 s',
    ],
    ['consult', { to: '5003' }, 'asks 5003'],
    [
      'asked',
      { agent: '1003', extension: '5003', result: 'answered', seconds: 4, talked: 61 },
      'agent 1003 at 5003 is asked: answered after 4 s, and is in the call for 1:01',
    ],
    ['consult-failed', { to: '5003', why: 'no-answer' }, '5003 is not reached: nobody answers'],
    ['consulted', { agent: '1002', seconds: 70 }, 'agent 1002 has asked, for 1:10'],
    [
      'back-to-queue',
      { queue: 'support' },
      'nobody has taken the call: back to the front of the queue of support',
    ],
    ['conference', { to: '5003', by: '5001' }, 'a conference with 5003, by 5001'],
    ['transferred', { how: 'blind', by: '5001', to: '6001' }, 'sent on to 6001 by 5001 (blind)'],
    [
      'left',
      { outcome: 'answered', agent: '1002', talked: 192 },
      'the talk with agent 1002 is over after 3:12',
    ],
    [
      'left',
      { outcome: 'timeout', group: 'support', waited: 3600 },
      'leaves the queue of support after 1:00:00: sent away after the longest wait',
    ],
    [
      'recorded',
      { file: 'star64/astercc/2026-11-26/default-1.2-1.wav', seconds: 192 },
      'recorded as star64/astercc/2026-11-26/default-1.2-1.wav, 3:12',
    ],
    ['recording-paused', { file: 'star64/astercc/2026-11-26/x.wav' }, 'the recording pauses, by key'],
    [
      'dropped',
      { channel: 'PJSIP/astercc-5003-0000000a' },
      'PJSIP/astercc-5003 is dropped from the call, by key',
    ],
    ['ended-for-all', { by: 'key' }, 'ended for all, by key'],
    ['ended-for-all', { by: 'leaving' }, 'ended for all, as the agent left the conference'],
    ['ended', { outcome: 'answered', seconds: 250 }, 'over after 4:10: answered'],
    ['ended', { outcome: 'unknown' }, 'over: what became of it was not seen'],
    ['ended', { outcome: 'unknown', by: 'system' }, 'over: its way ended there, and nobody was called'],
    ['something-new', { place: 'x' }, 'something new: place x'],
    ['bare', {}, 'bare'],
  ];
  for (const [kind, facts, says] of cases) t.equal(wordsOf({ kind, facts }), says);
  t.equal(minutes(59), '0:59');
  t.end();
});

await t.test('what callers and others have chosen cannot break the line, nor pass for words of ours', (t) => {
  const nasty = '+49\n12:00 answered by agent 1001\u001b[2J\u202e\u0085';
  for (const kind of [
    'arrived',
    'something',
    'menu',
    'joined',
    'offered',
    'answered',
    'parted',
    'left',
    'recorded',
    'ended',
    'did',
    'hours',
    'destination',
    'announcement',
    'ring-group',
    'room',
    'transferred',
  ]) {
    const facts = Object.fromEntries(
      [
        'caller',
        'did',
        'to',
        'key',
        'group',
        'agent',
        'file',
        'outcome',
        'result',
        'reason',
        'how',
        'by',
      ].map((name) => [name, nasty]),
    );
    const says = wordsOf({ kind, facts });
    t.notMatch(says, /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028]/u, kind);
    t.notMatch(says, / answered by agent 1001(?!\\)/, `${kind}: ${says}`);
  }
  t.equal(wordsOf({ kind: 'constructor', facts: {} }), 'constructor');
  t.end();
});
