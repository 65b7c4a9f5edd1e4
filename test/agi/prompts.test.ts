import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { prompts, restOf, rough, soundFiles, soundsOf, type Outcome } from '../../agi/prompts.js';
import { packageRoot } from '../../domain/machine/package-root.js';
import { tree } from '../../lab/debian.js';
import { readSamples } from '../../lab/wav.js';
import { requireLab } from '../support/lab.js';

const all = Object.keys(prompts) as Outcome[];

await t.test('no two outcomes sound the same: an agent who sees nothing knows what has happened', (t) => {
  const facts = {
    agent: '1001',
    extension: '5002',
    reason: '1',
    group: '6000',
    queue: '6001',
    seconds: 5,
    waiting: 2,
  };
  const heard = new Map<string, string>();
  for (const outcome of all) {
    const sounds = soundsOf(outcome, facts).join('&');
    t.equal(heard.get(sounds), undefined, `${outcome}: ${sounds}`);
    heard.set(sounds, outcome);
  }
  t.end();
});

await t.test(
  'what says that something has happened is said of nothing else, least of all of a refusal',
  (t) => {
    const only: Record<string, Outcome[]> = {
      'agent-loginok': ['signed-in', 'moved'],
      'agent-loggedoff': ['signed-out'],
      activated: ['ready', 'standing-idle'],
      'de-activated': [],
      'vm-incorrect': ['pin-wrong'],
      'ss-noservice': [],
    };
    for (const [sound, outcomes] of Object.entries(only)) {
      t.same(
        all.filter((outcome) => soundsOf(outcome).includes(sound)),
        outcomes,
        sound,
      );
    }
    const said = soundsOf('phone-taken', { agent: '12', extension: '5002' }).join(' ');
    t.match(said, 'spy-agent digits/1 digits/2', 'whose number it is, is said before it');
    t.end();
  },
);

await t.test('facts are read out: digits one by one, durations as numbers, groups in their order', (t) => {
  const facts = { agent: '12', extension: '50', groups: ['60', '61'], waiting: 3 };
  const place =
    'spy-agent digits/1 digits/2 extension digits/5 digits/0 number digits/6 digits/0 number digits/6 digits/1';
  const waiting = 'call-waiting number:3';
  const said = (outcome: Outcome, more: object): string => soundsOf(outcome, { ...facts, ...more }).join(' ');
  t.equal(said('standing-paused', { seconds: 190 }), `dictate/paused number:3 minutes ${waiting}`);
  t.equal(said('standing-idle', { seconds: 59 }), `activated number:0 minutes ${waiting}`);
  t.equal(said('standing-idle', { seconds: 1679 }), `activated number:20 minutes ${waiting}`);
  t.equal(said('standing-idle', { seconds: 7300 }), `activated number:2 hours ${waiting}`);
  t.equal(restOf('standing-paused', { ...facts, seconds: 190 }).join(' '), `number:3 minutes ${place}`);
  t.equal(restOf('standing-idle', { ...facts, seconds: 59 }).join(' '), `number:59 seconds ${place}`);
  t.equal(
    said('queue-waiting', { queue: '60', seconds: 61 }),
    `number digits/6 digits/0 ${waiting} queue-reporthold number:1 minutes`,
  );
  t.equal(
    said('queue-empty', { queue: '', waiting: 0 }),
    'call-waiting number:0',
    'a queue without a number',
  );
  t.end();
});

await t.test('every sound is in the core sounds of Asterisk', { skip: await requireLab() }, async (t) => {
  const directory = await sounds();
  const files = await readdir(directory, { recursive: true });
  const there = new Set(files.map((file) => file.replace(/\.[a-z0-9]+$/, '')));
  const played = [...(await dialplanSounds()), ...soundFiles()];
  t.ok(played.includes('vm-theperson'), 'those of the dialplan, too');
  t.same(
    played.filter((file) => !there.has(file)),
    [],
  );
});

await t.test(
  '*60 says the most important in five seconds, whatever it is',
  { skip: await requireLab() },
  async (t) => {
    const directory = await sounds();
    const seconds = new Map<string, number>();
    /** Seconds that these take, each of which is a file of its own: a number is one word. */
    const lengthOf = async (played: string[]): Promise<number> => {
      let sum = 0;
      for (const sound of played) {
        const file = sound.replace(/^number:/, 'digits/');
        if (!seconds.has(file))
          seconds.set(file, (await readSamples(join(directory, `${file}.wav`))).length / 8000);
        sum += seconds.get(file) ?? 0;
      }
      return sum;
    };
    const numbers = Array.from({ length: 120 }, (_, index) => index);
    const times = [...numbers, ...numbers.map((hours) => hours * 60)].map((minutes) => minutes * 60);
    const waits = new Set(numbers.map(rough));
    for (const outcome of all.filter((one) => restOf(one).length > 0)) {
      let longest = 0;
      for (const seconds of times) {
        for (const waiting of waits) {
          // The longest of the digits.
          const played = soundsOf(outcome, { seconds, waiting, reason: '1' });
          longest = Math.max(longest, await lengthOf(played));
        }
      }
      t.ok(longest > 2 && longest <= 5, `${outcome}: ${longest.toFixed(2)} s`);
    }
  },
);

async function sounds(): Promise<string> {
  return join((await tree('asterisk')).root, 'usr/share/asterisk/sounds/en_US_f_Allison');
}

/** What the dialplan plays without being told by a server. */
async function dialplanSounds(): Promise<string[]> {
  const directory = new URL('dialplan-templates/', packageRoot);
  const files = (await readdir(directory, { recursive: true })).filter((file) => /\.(conf|hbs)$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, directory), 'utf8')));
  return [...texts.join('\n').matchAll(/\bPlayback\(([a-z0-9&-]+)/g)].flatMap(([, names = '']) =>
    names.split('&'),
  );
}
