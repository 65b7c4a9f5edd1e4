import t from 'tap';
import { judge, type Case } from '../support/wire/judge.js';
import { readPcap, type Packet } from '../support/wire/pcap.js';

const place = '127.0.0.1:7001';
const scene: Case = {
  phones: new Map([[place, 'PJSIP/astercc-5001']]),
  joined: new Set(['PJSIP/astercc-5001 551']),
  restSeconds: 2,
};

/** Lines such as `0.5 > INVITE a 551` (sent to the phone) or `0.6 < 180 a` (of the phone; a is the call). */
function wire(...lines: string[]): Packet[] {
  return lines.map((line) => {
    const [at = '', way = '', what = '', call = '', caller = '551'] = line.split(' ');
    const of = /^(\d{3})(\w*)$/.exec(what);
    const method = of ? of[2] || 'INVITE' : what;
    const start = of ? `SIP/2.0 ${of[1] ?? ''} Said` : `${method} sip:phone@host SIP/2.0`;
    const tag = of || method === 'BYE' ? ';tag=1' : '';
    const text = `${start}\r\nf: <sip:${caller}@host>;tag=2\r\nTo: <sip:phone@host>${tag}\r\nCall-ID: ${call}\r\nCSeq: 7 ${method}\r\n\r\n`;
    const sent = way === '>';
    return {
      at: Number(at),
      from: sent ? undefined : place,
      to: sent ? place : undefined,
      payload: Buffer.from(text),
    };
  });
}

const talk = [
  '0.0 > INVITE a 551',
  '0.1 < 180 a',
  '0.5 < 200 a',
  '0.5 > ACK a',
  '5.0 > BYE a',
  '5.0 < 200BYE a',
];

void t.test('one call after the other, with the rest between them, is as it should be', (t) => {
  const verdict = judge(wire(...talk, '7.01 > INVITE b 552', '7.1 < 180 b', '9.0 > CANCEL b'), scene);
  t.match(verdict, { invites: 2, breaches: [], shortRests: [], withdrawn: [], inPause: [] });
  t.equal(Math.round(verdict.shortestRest * 100), 201);
  t.end();
});

const breaches: Record<string, { lines: string[]; says: RegExp }> = {
  'a phone that rings': {
    lines: ['0.0 > INVITE a 551', '0.1 < 180 a', '0.2 > INVITE b 552', '0.5 > CANCEL a'],
    says: /at 0.200 while it rang for 551/,
  },
  'a phone that talks': {
    lines: [...talk.slice(0, 4), '3.0 > INVITE b 552', ...talk.slice(4)],
    says: /while it talked to 551/,
  },
  'a phone that was picked up too late, and whose caller is not gone yet': {
    lines: ['0.0 > INVITE a 559', '0.1 < 180 a', '0.5 < 200 a', '0.6 > INVITE b 552', '0.7 > BYE a'],
    says: /while it had picked up 559/,
  },
  'a phone that has said nothing yet, but rings then': {
    lines: ['0.0 > INVITE a 551', '0.1 > INVITE b 552', '0.2 < 180 a', '3.0 > CANCEL a'],
    says: /while it had been sent 551/,
  },
  'a phone that never says anything': {
    lines: ['0.0 > INVITE a 551', '0.1 > INVITE b 552'],
    says: /while it had been sent 551/,
  },
  'a phone that has dialled, and was answered': {
    lines: ['0.0 < INVITE a 5001', '0.1 > 401 a', '0.1 < INVITE a 5001', '0.2 > 200 a', '0.3 > INVITE b 552'],
    says: /while it had picked up 5001/,
  },
};
for (const [what, { lines, says }] of Object.entries(breaches)) {
  void t.test(`a call to ${what} is a breach`, (t) => {
    const { breaches, withdrawn } = judge(wire(...lines), scene);
    t.match(breaches, [says]);
    t.equal(breaches.length, 1);
    t.same(withdrawn, []);
    t.end();
  });
}

const allowed: Record<string, string[]> = {
  'was cancelled before, whatever is still on its way': [
    '0.0 > INVITE a 551',
    '0.1 < 180 a',
    '0.2 > CANCEL a',
    '0.21 > INVITE b 552',
    '0.22 < 200CANCEL a',
    '0.23 < 487 a',
  ],
  'was refused': ['0.0 > INVITE a 551', '0.1 < 486 a', '0.11 > INVITE b 552', '0.2 < 180 b'],
  'was ended by the phone': [
    '0.0 > INVITE a 559',
    '0.1 < 200 a',
    '0.2 < BYE a',
    '0.21 > INVITE b 552',
    '0.3 > 200BYE a',
  ],
  'was only sent again': ['0.0 > INVITE a 551', '0.5 > INVITE a 551', '0.6 < 180 a', '1.0 > CANCEL a'],
  'the phone had dialled in the same moment': ['0.0 < INVITE a 5001', '0.1 > INVITE b 552', '0.2 > 200 a'],
};
for (const [what, lines] of Object.entries(allowed)) {
  void t.test(`a call is none when the one before ${what}`, (t) => {
    t.match(judge(wire(...lines), scene), { breaches: [], shortRests: [], withdrawn: [] });
    t.end();
  });
}

void t.test('what Asterisk has given up and cannot cancel yet is counted apart', (t) => {
  const given = wire(
    '0.0 > INVITE a 551',
    '0.1 > INVITE b 552',
    '0.2 < 100 a',
    '0.21 > CANCEL a',
    '0.3 < 180 b',
  );
  const verdict = judge(given, scene);
  t.same(verdict.breaches, []);
  t.match(verdict.withdrawn, [/0.100 s too early/]);
  t.end();
});

void t.test('a rest is the time after a conversation, and only after one', (t) => {
  const next = ['6.0 > INVITE b 552', '6.1 < 180 b'];
  t.match(judge(wire(...talk, ...next), scene).shortRests, [/1.000 s after it had talked to 551/]);
  t.same(judge(wire(...talk, ...next), { ...scene, joined: new Set() }).shortRests, [], 'nobody was joined');
  const pauses = [{ phone: 'PJSIP/astercc-5001', from: 5.2, to: 5.8 }];
  t.same(judge(wire(...talk, ...next), { ...scene, pauses }).shortRests, [], 'nor after a break');
  t.end();
});

void t.test('a call that was sent on is over then, though the phone hangs up late', (t) => {
  const sent = [...talk.slice(0, 4), '3.0 < REFER a', '3.0 > 202REFER a', '4.5 < BYE a'];
  const next = (second: number): string[] => [`${second} > INVITE b 552`, `${second} < 180 b`];
  const rested = judge(wire(...sent, ...next(5.1)), scene);
  t.same([rested.breaches, rested.shortRests], [[], []]);
  t.same(judge(wire(...sent.slice(0, 6), ...next(4.0), '4.5 < BYE a'), scene).breaches, []);
  t.match(judge(wire(...sent, ...next(4.6)), scene).shortRests, [/at 4.600, 1.600 s after/]);
  const kept = [...sent.slice(0, 6), '9.0 < BYE a'];
  t.match(judge(wire(...kept, ...next(10)), scene).shortRests, [/1.000 s after/], 'who kept it talked on');
  t.end();
});

void t.test('who is paused is sent no call', (t) => {
  const pauses = [{ phone: 'PJSIP/astercc-5001', from: 1, to: 3 }];
  const at = (second: number): string[] =>
    judge(wire(`${second} > INVITE a 551`), { ...scene, pauses }).inPause;
  t.equal(at(2).length, 1);
  t.same([...at(0.9), ...at(3.1)], []);
  t.end();
});

void t.test('a capture file as Asterisk writes it', (t) => {
  const payload = Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n');
  const file = (...frames: Buffer[]): Buffer => {
    const head = Buffer.alloc(24);
    head.writeUInt32LE(0xa1b2c3d4, 0);
    head.writeUInt32LE(1, 20);
    const records = frames.flatMap((frame) => {
      const record = Buffer.alloc(16);
      [1795660000, 250_000, frame.length, frame.length].forEach((value, index) =>
        record.writeUInt32LE(value, index * 4),
      );
      return [record, frame];
    });
    return Buffer.concat([head, ...records]);
  };
  const frame = Buffer.concat([Buffer.alloc(42), payload]);
  frame.writeUInt16BE(0x0800, 12);
  frame.writeUInt8(0x45, 14);
  frame.writeUInt8(17, 23);
  frame.set([127, 0, 0, 9], 30);
  frame.writeUInt16BE(5062, 36);
  const other = Buffer.alloc(60);
  t.same(readPcap(file(other, frame)), [
    { at: 1795660000.25, from: undefined, to: '127.0.0.9:5062', payload },
  ]);
  const whole = file(frame, frame);
  t.equal(readPcap(whole.subarray(0, whole.length - 3)).length, 1, 'the last one may be cut off');
  t.throws(() => readPcap(Buffer.alloc(100)), /not a capture file/);
  t.end();
});
