import t from 'tap';
import { setGroup } from '../../../domain/provisioning/people/group.js';
import { until } from '../../../domain/machine/processes.js';
import { Caller } from '../../../lab/caller.js';
import { crowd, provision } from '../../../lab/provision.js';
import { callIn, Conversation, waitWaiting } from '../../support/calls.js';
import { centreFor, dialAndHear, needLab } from '../../support/centre.js';

/** What callers of a queue hear, how many may wait, who goes first. With no server from the middle on: Asterisk does all of it. */
await needLab(t);

const sounds = { greeting: 'hello', periodic: 'queue-minutes' };
const centre = await centreFor(t, {
  asterisk: {
    briefPrompts: false,
    extra: {
      // An operator's own dialplan in front of the queue.
      'extensions.conf': `
[lab-static]
exten => 600199,1,Set(STAR64_PRIO=9x)
 same => n,Goto(astercc-groups,support,1)
`,
      'musiconhold.conf': '\n[waltz]\nmode = files\ndirectory = moh\n',
    },
  },
  provision: async (db) => {
    await provision(db, crowd(1));
    await setGroup(db, 'astercc', 'support', {
      greeting: sounds.greeting,
      musicClass: 'waltz',
      announcePosition: true,
      announceWait: true,
      announceSeconds: 15,
      periodicSound: sounds.periodic,
      periodicSeconds: 10,
      maxCallers: 3,
      wrapUp: 'off',
    });
  },
});
const { asterisk } = centre;
const phone = await centre.phone('5001');
await dialAndHear(centre, phone, '*641001', 'agent-loginok');

/** The uniqueids of those who wait, the first one first. */
async function order(): Promise<string[]> {
  const text = await asterisk.console('queue show astercc-support');
  return [...text.matchAll(/^ +[0-9]+\. (PJSIP\/\S+) /gm)].map(([, channel = '']) => channel);
}
const vip = (): Promise<Caller> =>
  Caller.call({ from: '4930777', to: '600199', server: asterisk.sip, address: '127.0.0.98' });

await t.test(
  'greeting, place and periodic announcement are heard, in this order, and music of the class',
  async (t) => {
    const busy = await Conversation.answer(centre, phone, await callIn(centre));
    const mark = await asterisk.verbose.mark();
    const caller = await callIn(centre);
    for (const prompt of [sounds.greeting, 'queue-youarenext', sounds.periodic])
      await asterisk.waitPlayed('lab-trunk', prompt, mark, 30_000);
    const played = await asterisk.played('lab-trunk', mark);
    t.same(
      [sounds.greeting, 'queue-youarenext', sounds.periodic]
        .map((one) => played.indexOf(one))
        .sort((a, b) => a - b),
      [sounds.greeting, 'queue-youarenext', sounds.periodic].map((one) => played.indexOf(one)),
    );
    await asterisk.verbose.waitFor(
      /Started music on hold, class 'waltz', on channel 'PJSIP\/lab-trunk/,
      mark,
    );
    t.same(await busy.harm(), []);
    await busy.drop();
    await phone.incoming();
    await caller.phone.hangup();
    await caller.phone.closed();
    const heard = await asterisk.recognise(await caller.phone.heard(), ['vm-nobodyavail', sounds.greeting]);
    t.same(heard, [sounds.greeting]);
    await caller.hangup();
    await phone.closed();
  },
);

await t.test(
  'a larger priority goes ahead of who has waited longer; one more than may wait is told',
  async (t) => {
    const busy = await Conversation.answer(centre, phone, await callIn(centre));
    const first = await callIn(centre);
    await waitWaiting(centre, 'astercc-support', 1);
    const second = await callIn(centre);
    await waitWaiting(centre, 'astercc-support', 2);
    const [a, b] = await order();
    const important = await vip();
    await waitWaiting(centre, 'astercc-support', 3);
    const three = await order();
    t.match(three[0], /lab-trunk2/, 'ahead of both');
    t.same(three.slice(1), [a, b]);
    await asterisk.reload();
    t.same(await order(), three, 'a reload moves nobody');
    const mark = await asterisk.verbose.mark();
    const fourth = await callIn(centre);
    await asterisk.waitPlayed('lab-trunk', 'vm-nobodyavail', mark);
    await fourth.ended();
    await until('the outcome', async () => {
      const outcomes = await centre.db('queue_visits').orderBy('id').pluck<(string | null)[]>('outcome');
      return outcomes.at(-1) === 'full' ? true : undefined;
    });
    await busy.drop();
    await phone.incoming();
    await phone.answer();
    await asterisk.verbose.waitFor(/PJSIP\/lab-trunk2\S+ joined 'simple_bridge'/, mark);
    await important.hangup();
    await phone.closed();
    await first.hangup();
    await second.hangup();
    t.pass();
  },
);
