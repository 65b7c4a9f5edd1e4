import t from 'tap';
import { checkLines } from '../../pbx/files/lines.js';
import { refused } from '../support/refusal.js';

void t.test('what Asterisk would pass over is refused with file, line and context', async (t) => {
  for (const [line, word] of [
    ['exten => 110', 'no number, priority and application'],
    ['exten => 110,1', 'no number, priority and application'],
    ['exten => 110,x,NoOp()', 'no number, priority and application'],
    ['exten => 110,1,Dial(PJSIP/110@x', 'bracket is not closed'],
    [' same => n,Dial(PJSIP/110@x ; so', 'bracket is not closed'],
    ['same => 2,NoOp()', 'no number, priority and application'],
    ['[next', 'not closed'],
    ['foo', 'neither a section nor a value'],
    [`exten => 1,1,NoOp(${'x'.repeat(8000)})`, 'longer than Asterisk reads'],
  ] as const) {
    const text = `; comment\n[astercc-outbound]\nexten => 1,1,NoOp()\n${line}\n`;
    const says = ['Line 4 of teams/astercc.conf', '[astercc-outbound]', word, line.slice(0, 60), 'template'];
    await refused(t, 'usage', says, () => checkLines('teams/astercc.conf', text), { lines: true });
  }
});

void t.test('what Asterisk reads is let through', (t) => {
  const good = `
; a comment
[a](!)
[b](a)
[c](+)
exten => _+49XXX.,1,Goto(b,\${EXTEN},1)
exten => 5000,hint,PJSIP/5000&Custom:x
exten => s,n(label),Set(A=\${B})
exten => s,n,NoOp
 same => n(two),Dial(PJSIP/a@b,,gi) ; so
 same => n,Hangup()
exten=*64,1,Answer()
include => b
switch => Realtime
ignorepat => 9
#include "x.conf"
#tryinclude "y.conf"
`;
  checkLines('teams/astercc.conf', good);
  checkLines('phones/astercc.conf', '[astercc-5000](star64-phone)\ncontext=a\nexten=not a dialplan\n');
  t.end();
});
