import t from 'tap';
import {
  readOutbound,
  writeOutbound,
  type OutboundAnswer,
} from '../../domain/calls/outbound/outbound-answer.js';

const go = (more: object = {}): OutboundAnswer => ({
  go: true,
  number: '+4930123456',
  callerId: '+4930600100',
  hide: true,
  record: true,
  emergency: false,
  steps: [
    {
      endpoint: 'astercc-trunk-main',
      sent: '030123456',
      channels: 0,
      replySeconds: 6,
      nextOn: ['403', '5xx'],
    },
    { endpoint: 'provider', sent: '+4930123456', channels: 4, replySeconds: 3, nextOn: [] },
  ],
  counts: [
    { name: 'team', most: 20 },
    { name: 'group-sales_2', most: 5 },
    { name: 'extension-5000', most: 2 },
  ],
  talks: { member: 'PJSIP/astercc-5000', wrapUp: 'answer' },
  ...more,
});

await t.test('an answer is written as star64-out.conf reads it', (t) => {
  t.equal(
    writeOutbound(go()),
    'go|+4930123456|+4930600100|hr|astercc-trunk-main:030123456:0:6:403.5xx&provider:+4930123456:4:3:' +
      '|team=20&group-sales_2=5&extension-5000=2|PJSIP/astercc-5000:answer',
  );
  t.equal(
    writeOutbound(go({ callerId: null, hide: false, record: false, counts: [], talks: null })),
    'go|+4930123456|||astercc-trunk-main:030123456:0:6:403.5xx&provider:+4930123456:4:3:||',
  );
  t.equal(writeOutbound(go({ emergency: true })).split('|')[3], 'hre');
  t.equal(
    writeOutbound({ go: false, refused: 'work-mode', sounds: ['beeperr', 'dictate/paused'] }),
    'refused|work-mode|beeperr&dictate/paused',
  );
  t.end();
});

await t.test('of more trunks than a line of AGI holds the first ones are tried', (t) => {
  const steps = Array.from({ length: 60 }, (_, index) => ({
    endpoint: `astercc-trunk-provider-number-${index}`,
    sent: '112',
    channels: 0,
    replySeconds: 6,
    nextOn: ['401', '402', '403', '407', '408', '488', '5xx'],
  }));
  const written = writeOutbound(go({ steps }));
  t.ok(`SET VARIABLE STAR64_ANSWER "${written}"\n`.length < 2048, String(written.length));
  const read = readOutbound(written);
  if (!read.go) throw new Error('refused');
  t.ok(read.steps.length > 20, `${read.steps.length} trunks`);
  t.match(read, { ...go(), steps: steps.slice(0, read.steps.length) });
  t.end();
});

await t.test('whatever is written is read back, in the alphabet of the answer', (t) => {
  let state = 4711;
  const pick = (most: number): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % most;
  const letters = 'ABCZabcz0189_.-+';
  const word = (): string =>
    Array.from({ length: 1 + pick(12) }, () => letters[pick(letters.length)]).join('');
  const list = <T>(one: () => T): T[] => Array.from({ length: pick(5) }, one);
  for (let at = 0; at < 2000; at++) {
    const answer: OutboundAnswer =
      pick(4) === 0
        ? { go: false, refused: 'limit', sounds: list(word) }
        : {
            go: true,
            number: word(),
            callerId: pick(2) ? word() : null,
            hide: pick(2) === 1,
            record: pick(2) === 1,
            emergency: pick(2) === 1,
            steps: list(() => ({
              endpoint: word(),
              sent: word(),
              channels: pick(100),
              replySeconds: pick(32),
              nextOn: list(() => `${3 + pick(4)}xx`),
            })),
            counts: list(() => ({ name: word(), most: pick(1000) })),
            talks: pick(2) ? { member: `PJSIP/${word()}`, wrapUp: 'ring' } : null,
          };
    const written = writeOutbound(answer);
    if (!/^[A-Za-z0-9+*#_.:&=!|/-]*$/.test(written)) t.fail(written);
    // One of a list of nothing but nothing is read as none.
    if (JSON.stringify(readOutbound(written)) !== JSON.stringify(answer))
      t.same(readOutbound(written), answer);
  }
  t.end();
});

await t.test('nothing that the dialplan would read otherwise is written', (t) => {
  for (const bad of [
    '030&PJSIP/1',
    '0301|',
    '${x}',
    'a:b',
    'a,b',
    'a b',
    'a\nb',
    'a"',
    "a'",
    '1=2',
    'é',
    '٣',
  ]) {
    t.throws(() => writeOutbound(go({ number: bad })), JSON.stringify(bad));
    t.throws(() => writeOutbound(go({ callerId: bad })));
    t.throws(() => writeOutbound(go({ counts: [{ name: bad, most: 1 }] })));
    t.throws(() => writeOutbound(go({ talks: { member: bad, wrapUp: 'off' } })));
    t.throws(() =>
      writeOutbound(go({ steps: [{ endpoint: bad, sent: '1', channels: 0, replySeconds: 6, nextOn: [] }] })),
    );
    t.throws(() => writeOutbound({ go: false, refused: 'class', sounds: [bad] }));
  }
  t.end();
});
