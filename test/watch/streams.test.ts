import { pino } from 'pino';
import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import type { ManagerActions } from '../../pbx/ami/manager.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import { Bridged } from '../../pbx/watch/events/bridged.js';
import { Streams } from '../../pbx/watch/events/streams.js';

const settings = { settleMs: 1, takenMs: 8, everyMs: 1, againMs: 1, tries: 2 };
const agent = 'PJSIP/t-5001-1';
const listener = 'PJSIP/t-5003-9';

const event = (name: string, headers: Record<string, string>): AmiMessage => ({
  name,
  headers: new Map(Object.entries(headers)),
  repeated: new Map(),
});
const enters = (bridge: string, uniqueid: string, channel = uniqueid, swapuniqueid = ''): AmiMessage =>
  event('BridgeEnter', { bridgeuniqueid: bridge, uniqueid, channel, swapuniqueid });
const hangsUp = (uniqueid: string): AmiMessage => event('Hangup', { uniqueid });
const listens = event('ChanSpyStart', {
  spyeeuniqueid: 'a',
  spyeruniqueid: 'l',
  spyerchannel: listener,
});

/** An agent, a, with a customer, c; they ask b, and give b up. */
const answered = [enters('x', 'c'), enters('x', 'a', agent)];
const asks = [enters('y', 'a', agent), enters('y', 'b')];
const swaps = [enters('x', 'a', agent)];
const givesUp = [...swaps, hangsUp('b')];

interface Centre {
  version?: string;
  leading?: boolean;
  recorder?: string;
  /** The channel of the agent does not take the key. */
  deaf?: boolean;
  ours?: boolean;
}

/** What is pressed, and told, after these events; `asked`: what was asked before it was over. */
async function done(
  events: readonly AmiMessage[],
  { version = '22.10.1+dfsg+~cs6-1', leading = true, recorder = '', deaf = false, ours = true }: Centre,
): Promise<{ pressed: string[]; sets: string[] }> {
  const pressed: string[] = [];
  const sets: string[] = [];
  let asked = 0;
  const variables = new Map([
    [`${agent} STAR64_RECORDER`, recorder],
    [`${listener} STAR64_SPY_ID`, ours ? '7' : ''],
  ]);
  const manager = {
    action: (name: string, given: Record<string, string>) => {
      asked++;
      const { Channel = '', Variable = '', Value = '' } = given;
      const at = `${Channel} ${Variable}`;
      if (name === 'Setvar') {
        variables.set(at, Value);
        sets.push(`${at}=${Value}`);
      }
      if (name === 'PlayDTMF') {
        pressed.push(`${given['Digit'] ?? ''} ${Channel} ${given['Receive']}`);
        if (Channel === listener) variables.set(`${listener} STAR64_SPY_AGAIN`, 'waits');
        else if (!deaf) variables.set(`${Channel} STAR64_AGAIN`, '');
      }
      const headers = new Map([
        ['value', variables.get(at) ?? ''],
        ['asteriskversion', version],
      ]);
      return Promise.resolve({ headers });
    },
  } as unknown as ManagerActions;
  const bridged = new Bridged();
  const streams = new Streams(manager, pino({ enabled: false }), () => leading, bridged, settings);
  for (const one of events) streams.take(one, bridged.take(one));
  // It is over once a round trip of its own timers brings no further question.
  let before = -1;
  let calm = 0;
  await until('everything to be asked', () => {
    calm = asked === before ? calm + 1 : 0;
    before = asked;
    return calm > 3 ? true : undefined;
  });
  return { pressed, sets };
}

await t.test('a recording begins anew when the agent is back, and hears somebody else', async (t) => {
  const events = [...answered, ...asks, ...givesUp];
  const onAgent = [`D ${agent} true`];
  t.same((await done(events, { recorder: '0x1' })).pressed, onAgent);
  t.same((await done(events, { recorder: '0x1', version: '18.10.0~dfsg-1' })).pressed, onAgent);
  t.same((await done(answered, { recorder: '0x1' })).pressed, [], 'only one was heard');
  t.same((await done(events, { recorder: '' })).pressed, [], 'not recorded, or paused');
  t.same((await done(events, { recorder: '0x1', leading: false })).pressed, [], 'another server leads');
  for (const version of ['16.28.0~dfsg-0+deb11u4', '22.10.1', '', 'GIT-master-123'])
    t.same((await done(events, { recorder: '0x1', version })).pressed, [], version);
});

await t.test('while a colleague is asked a recording is left alone', async (t) => {
  t.same((await done([...answered, ...asks], { recorder: '0x1' })).pressed, [], 'with the colleague');
  t.same((await done([...answered, ...asks, ...swaps], { recorder: '0x1' })).pressed, [], 'and back');
  const listened = [...answered, listens, ...asks, ...swaps];
  t.same((await done(listened, { recorder: '0x1' })).pressed, [], 'and so are listeners');
});

await t.test('listeners leave before the recording begins anew, and come back behind it', async (t) => {
  const events = [...answered, listens, ...asks, ...givesUp];
  const { pressed, sets } = await done(events, { recorder: '0x1' });
  t.same(pressed, [`D ${listener} true`, `D ${agent} true`]);
  t.equal(sets.at(-1), `${listener} STAR64_SPY_AGAIN=`);
  const alone = await done([...answered, listens, ...asks, ...swaps], {});
  t.same(alone.pressed, [`D ${listener} true`], 'a call that is not recorded, also in between');
  t.same((await done(events, { ours: false })).pressed, [], 'a listener of the operator');
  const gone = event('ChanSpyStop', { spyeeuniqueid: 'a', spyeruniqueid: 'l' });
  t.same((await done([...answered, listens, gone, ...asks, ...givesUp], {})).pressed, [], 'gone');
});

await t.test('a key that is not taken is pressed again, a few times', async (t) => {
  const { pressed, sets } = await done([...answered, ...asks, ...givesUp], { recorder: '0x1', deaf: true });
  t.same(pressed, Array(3).fill(`D ${agent} true`));
  t.equal(sets.at(-1), `${agent} STAR64_AGAIN=`, 'and means nothing later');
});

await t.test('who hears whom', (t) => {
  const all = (...events: AmiMessage[]): string[] => {
    const bridged = new Bridged();
    return events.map((one) => bridged.take(one).join(' '));
  };
  t.same(all(...answered, ...asks, ...givesUp), ['', '', '', 'a', 'a', '']);
  t.same(all(...answered, enters('x', 'b'), hangsUp('b')), ['', '', '', 'c a'], 'of three two are left');
  t.same(all(...answered, enters('x', 'd', 'd', 'c')), ['', '', 'a'], 'one comes in the place of another');
  t.same(all(...answered, hangsUp('c'), enters('x', 'd')), ['', '', '', 'a'], 'one after another');
  return Promise.resolve();
});
