import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { addDid } from '../../domain/provisioning/numbers/did.js';
import { addRoom } from '../../domain/provisioning/features/room.js';
import { crowd as callers } from '../../lab/caller.js';
import { crowd } from '../../lab/provision.js';
import { centreOf } from '../support/centre.js';
import { Voices } from '../support/phones/in-call.js';

const centre = await centreOf(t, crowd(2), {
  provision: async (db) => {
    await addRoom(db, 'astercc', { number: '801' });
    await addDid(db, 'astercc', { number: '600801', to: 'room:801' });
  },
});
const voices = await Voices.of(t, 'first', 'second');

await t.test(
  '30 are in a room and hear each other, the 31st is refused, though all come at once (spec 63)',
  async (t) => {
    const first = await centre.phone('5001', { speak: await voices.speak('first') });
    const second = await centre.phone('5002', { speak: await voices.speak('second') });
    for (const phone of [first, second]) await phone.dial('801');
    const inside = (parties: number): Promise<true> =>
      until(`${parties} in the room`, async () => {
        const text = await centre.asterisk.console('confbridge list astercc-801');
        return [...text.matchAll(/^PJSIP\//gm)].length === parties ? true : undefined;
      });
    await inside(2);
    const ended = callers({
      to: '600801',
      server: centre.asterisk.sip,
      rate: 29,
      total: 29,
      holdMs: 15_000,
    });
    await inside(30);
    await voices.talk(['first', first], ['second', second]);
    const { successful, responses } = await ended;
    t.equal(successful, 28);
    t.same(responses, { 486: 1 }, 'one is told that it is full, and was never answered');
    await inside(2);
    for (const phone of [first, second]) await phone.hangup();
  },
);
