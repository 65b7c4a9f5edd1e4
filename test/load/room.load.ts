import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { until } from '../../domain/machine/processes.js';
import { addDid } from '../../domain/provisioning/did.js';
import { addRoom } from '../../domain/provisioning/room.js';
import { crowd as callers } from '../../lab/caller.js';
import { crowd } from '../../lab/provision.js';
import { writeTone } from '../../lab/wav.js';
import { centreOf } from '../support/centre.js';
import { heardFor, tones } from '../support/tones.js';

const centre = await centreOf(t, crowd(2), {
  provision: async (db) => {
    await addRoom(db, 'astercc', { number: '801' });
    await addDid(db, 'astercc', { number: '600801', to: 'room:801' });
  },
});
const directory = await mkdtemp(join(tmpdir(), 'star64-tones-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));

await t.test(
  '30 are in a room and hear each other, the 31st is refused, though all come at once (spec 63)',
  async (t) => {
    const [first, second] = await Promise.all(
      tones.slice(0, 2).map(async (hertz, index) => {
        const phone = await centre.phone(`500${index + 1}`, {
          speak: await writeTone(join(directory, `${hertz}.wav`), hertz),
        });
        await phone.dial('801');
        return phone;
      }),
    );
    if (!first || !second) throw new Error('nobody');
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
    await first.digits('0000');
    const { successful, responses } = await ended;
    t.equal(successful, 28);
    t.same(responses, { 486: 1 }, 'one is told that it is full, and was never answered');
    await inside(2);
    for (const phone of [first, second]) await phone.hangup();
    for (const phone of [first, second]) await phone.closed();
    t.ok((await heardFor(await first.heard(), tones[1])) >= 1000, 'the first hears the second');
    t.ok((await heardFor(await second.heard(), tones[0])) >= 1000, 'and the other way round');
  },
);
