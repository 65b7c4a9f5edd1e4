import { mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readStory, type Story } from '../../../domain/calls/records/story.js';
import { until } from '../../../domain/machine/processes.js';
import { Caller } from '../../../lab/caller.js';
import { crowd, provision } from '../../../lab/provision.js';
import { isWhole, readSamples, toneIn, writeTone } from '../../../lab/wav.js';
import { centreFor, dialAndHear, needLab, waitState } from '../../support/centre.js';
import { waitJoined } from '../../support/phones/in-call.js';

await needLab(t);

/** What each of them speaks all the time, by which they are known in a recording. */
const tones = { customer: 440, anna: 1000, bert: 1700 };
const dir = await mkdtemp(join(tmpdir(), 'star64-tones-'));
t.teardown(() => rm(dir, { recursive: true, force: true }));
const speak = (who: keyof typeof tones): Promise<string> => writeTone(join(dir, `${who}.wav`), tones[who]);

const centre = await centreFor(t, {
  provision: async (db) => {
    const wrapUp = { wrapUp: 'off', strategy: 'linear', announceCall: true };
    const team = crowd(3, {
      groups: [
        { name: 'support', number: '6000', ...wrapUp, record: 'always' },
        { name: 'private', number: '6001', ...wrapUp },
      ],
    });
    const extensions = [
      ['5002', 'always'],
      ['5003', 'never'],
    ] as const;
    await provision(db, {
      ...team,
      extensions: team.extensions.map((one) => ({
        ...one,
        ...(extensions.some(([number]) => number === one.number) && {
          record: extensions.find(([number]) => number === one.number)?.[1],
        }),
      })),
      dids: [
        ...team.dids,
        ...extensions.map(([extension]) => ({ number: `60${extension}`, to: `extension:${extension}` })),
      ],
    });
  },
});
const { asterisk, db } = centre;
const monitor = join(asterisk.dir, 'state/spool/monitor');
const anna = await centre.phone('5001', { speak: await speak('anna') });
const bert = await centre.phone('5002', { speak: await speak('bert') });
const customerSpeaks = await speak('customer');
await dialAndHear(centre, anna, '*641001', 'agent-loginok');

/** The newest call that the database knew when somebody called in. */
let before = 0;
const newest = async (): Promise<number> =>
  Number((await db('calls').max<{ id: string | null }[]>('id as id'))[0]?.id ?? 0);

async function callIn(to: string): Promise<Caller> {
  before = await newest();
  const caller = await Caller.call({ from: '4930555', to, server: asterisk.sip, speak: customerSpeaks });
  centre.phones.push(caller.phone);
  return caller;
}

/**
 * The story of the call that came last, when it is over and so many things are told of it: some come a moment later, and
 * the call itself may be recorded later than it ends.
 */
async function lastStory(told = 0): Promise<Story> {
  const uniqueid = await until('the call to be over', async () => {
    const call = await db('calls')
      .where('id', '>', before)
      .orderBy('id', 'desc')
      .first<{ uniqueid: string; ended_at: Date | null } | undefined>();
    return call?.ended_at ? call.uniqueid : undefined;
  });
  let lines: string[] = [];
  return until(`${told} lines of the story`, async () => {
    const story = await readStory(db, 'astercc', uniqueid);
    lines = story.story.map(({ says }) => says);
    const isOver = !lines.some((says) => says.endsWith(': rings'));
    return isOver && lines.length >= told ? story : undefined;
  }).catch((error: unknown) => {
    t.comment(`the story so far:\n${lines.join('\n')}`);
    throw error;
  });
}

/** Who is heard in a recording. */
async function voicesIn(file: string | undefined): Promise<string[]> {
  const path = join(monitor, file ?? '');
  // It is closed a moment after the call, and says only then how much is in it.
  await until(
    `a recording in ${file ?? 'no file'}`,
    async () => (await isWhole(path).catch(() => false)) || undefined,
  );
  const samples = await readSamples(path);
  return Object.entries(tones).flatMap(([who, hertz]) => (toneIn(samples, hertz) > 1000 ? [who] : []));
}

const seconds = (text: string): string => text.replace(/\d+ s\b/g, 'N s');

/** Waits until the call has so many recordings. */
const recordings = (count: number): Promise<true> =>
  until(`${count} recordings`, async () => {
    const [row] = await db('recordings').count<{ count: string }[]>('id as count');
    return Number(row?.count) === count ? true : undefined;
  });

/** Waits until a recording has some talk. Its header says how much only when it is over; it is written every two seconds. */
const talked = (file: () => Promise<string | undefined>): Promise<true> =>
  until(
    'some talk in the recording',
    async () => {
      const found = await file();
      const { size } =
        found === undefined ? { size: 0 } : await stat(join(monitor, found)).catch(() => ({ size: 0 }));
      return size > 16_000 ? true : undefined;
    },
    20_000,
  );
const lastFile = async (): Promise<string | undefined> =>
  (await db('recordings').orderBy('id', 'desc').first<{ file: string } | undefined>())?.file;

await t.test('a caller who gives up leaves no recording', async (t) => {
  const caller = await callIn('600100');
  await anna.incoming();
  await waitState(centre, '1001', 'ringing');
  await caller.hangup();
  const story = await lastStory(6);
  t.same(story.recordings, []);
  t.same(await readdir(monitor).catch(() => []), [], 'and no file');
  t.match(
    story.story.map(({ says }) => seconds(says)),
    [
      'call from 4930555 for 600100',
      '600100 leads to group:support',
      'joins the queue of support at place 1',
      /^offered to agent 1001 at 5001: taken back after N s$/,
      /^leaves the queue of support after N s: the caller gave up$/,
      /^over after N s: the caller gave up before somebody answered$/,
    ],
  );
});

await t.test('a conversation of a queue is recorded, both voices, and nothing before it', async (t) => {
  const caller = await callIn('600100');
  await anna.incoming();
  await anna.answer();
  await waitState(centre, '1001', 'talking');
  await recordings(1);
  await talked(lastFile);
  await anna.hangup();
  await caller.ended();
  const story = await lastStory(8);
  const [recording] = story.recordings;
  t.match(
    recording?.file,
    new RegExp(`^star64/astercc/\\d{4}-\\d\\d-\\d\\d/default-${story.uniqueid}-[\\d.]+\\.wav$`),
  );
  t.ok(recording?.endedAt, 'and is over');
  t.same(await voicesIn(recording?.file), ['customer', 'anna']);
  const samples = await readSamples(join(monitor, recording?.file ?? ''));
  const first = samples.subarray(0, 4000);
  t.ok(
    toneIn(first, tones.anna) > 1000,
    'from the first half second on: neither music nor what the agent was told',
  );
  t.match(
    story.story.map(({ says }) => seconds(says)),
    [
      'call from 4930555 for 600100',
      '600100 leads to group:support',
      'joins the queue of support at place 1',
      /^answered by agent 1001 at 5001 after a wait of N s$/,
      /^recorded as star64\/astercc\//,
      'agent 1001 hangs up',
      /^the talk with agent 1001 is over after N s$/,
      /^over after N s: answered$/,
    ],
  );
  const shown = await centre.star64('call', 'show', story.uniqueid);
  t.match(shown, /answered by agent 1001 at 5001/);
  t.match(
    await centre.star64('call', 'list'),
    new RegExp(`4930555\\t600100\\tsupport\\t\\t1001\\tanswered\\t${story.uniqueid}`),
  );
});

await t.test('whoever is sent on is recorded by the rule of where they come to', async (t) => {
  const caller = await callIn('600100');
  await anna.incoming();
  await anna.answer();
  await waitState(centre, '1001', 'talking');
  await recordings(2);
  await talked(lastFile);
  await anna.transfer('5002');
  await bert.incoming();
  await bert.answer();
  await recordings(3);
  await talked(lastFile);
  const cleo = await centre.phone('5003', { speak: await speak('anna') });
  await bert.transfer('5003');
  await cleo.incoming();
  await cleo.answer();
  await cleo.established();
  await caller.hangup();
  const story = await until('both transfers to be told', async () => {
    const found = await lastStory();
    return found.story.filter(({ says }) => says.startsWith('sent on')).length === 2 ? found : undefined;
  });
  const [first, second] = story.recordings;
  t.same(await voicesIn(first?.file), ['customer', 'anna'], 'the agent alone, not who answered after them');
  t.same(await voicesIn(second?.file), ['customer', 'bert']);
  t.equal(story.recordings.length, 2, 'the extension that is not to be recorded is not');
  t.match(
    story.story.map(({ says }) => says).filter((says) => says.startsWith('sent on')),
    ['sent on to 5002 by 5001 (blind)', 'sent on to 5003 by 5002 (blind)'],
  );
});

await t.test('an extension is recorded by its rule; calls between phones are not', async (t) => {
  const files = await readdir(join(monitor, 'star64/astercc'), { recursive: true });
  const unrecorded = await callIn('605003');
  const cleo = await centre.phone('5003');
  const from = await asterisk.verbose.mark();
  await cleo.incoming();
  await cleo.answer();
  await cleo.established();
  await waitJoined(centre, cleo, from);
  await cleo.digits('*25002');
  await bert.incoming();
  await bert.answer();
  await bert.established();
  await waitJoined(centre, cleo, from, 2);
  await cleo.digits('*4');
  await bert.closed();
  await unrecorded.hangup();
  t.same((await lastStory()).recordings, []);
  await anna.dial('5002');
  await bert.incoming();
  await bert.answer();
  await anna.established();
  await anna.hangup();
  await bert.closed();
  t.same(await readdir(join(monitor, 'star64/astercc'), { recursive: true }), files);
  const caller = await callIn('605002');
  await bert.incoming();
  await bert.answer();
  await recordings(4);
  await talked(lastFile);
  await caller.hangup();
  const story = await lastStory(5);
  t.same(await voicesIn(story.recordings[0]?.file), ['customer', 'bert']);
  t.match(
    story.story.map(({ says }) => says),
    [
      'call from 4930555 for 605002',
      '605002 leads to extension:5002',
      'answered by extension 5002',
      /^recorded as/,
      /^over/,
    ],
  );
});

await t.test('with every server dead conversations are still recorded', async (t) => {
  await Promise.all(centre.servers.map((server) => server.kill()));
  const files = async (): Promise<string[]> =>
    (await readdir(join(monitor, 'star64/astercc'), { recursive: true })).filter((name) =>
      name.endsWith('.wav'),
    );
  const known = new Set(await files());
  const newFile = async (): Promise<string | undefined> => {
    const found = (await files()).find((name) => !known.has(name));
    return found === undefined ? undefined : join('star64/astercc', found);
  };
  const caller = await callIn('605002');
  await bert.incoming();
  await bert.answer();
  await talked(newFile);
  await caller.hangup();
  t.same(await voicesIn(await newFile()), ['customer', 'bert']);
  await Promise.all(
    centre.servers.map(async (server) => {
      const started = await server.log.mark();
      await server.start();
      // It serves calls before it follows them.
      await server.log.waitFor(/"msg":"watching Asterisk"/, started);
    }),
  );
});

await t.test('a disk that takes nothing costs the recording, and no call', async (t) => {
  const day = new Date().toISOString().slice(0, 10);
  // The next file's name is known once its call is: the whole day leads to where nothing can be written.
  await rm(join(monitor, 'star64/astercc'), { recursive: true });
  await mkdir(join(monitor, 'star64/astercc'));
  await symlink('/dev/full', join(monitor, 'star64/astercc', day));
  const caller = await callIn('605002');
  await bert.incoming();
  await bert.answer();
  await bert.established();
  await caller.answered();
  await recordings(5);
  await caller.hangup();
  const story = await lastStory();
  t.equal(story.outcome, 'answered');
});
