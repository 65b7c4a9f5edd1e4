import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { prompts, soundFiles, soundsOf, type Outcome } from '../../agi/prompts.js';
import { tree } from '../../lab/debian.js';
import { requireLab } from '../support/lab.js';

await t.test('no two outcomes sound the same: an agent who sees nothing knows what has happened', (t) => {
  const facts = { agent: '1001', extension: '5002', reason: '1', group: '6000', seconds: 5, minutes: 0 };
  const heard = new Map<string, string>();
  for (const outcome of Object.keys(prompts) as Outcome[]) {
    const sounds = soundsOf(outcome, facts).join('&');
    t.equal(heard.get(sounds), undefined, `${outcome}: ${sounds}`);
    heard.set(sounds, outcome);
  }
  t.end();
});

await t.test('facts are read out: digits one by one, durations as numbers, groups in their order', (t) => {
  const facts = { agent: '12', extension: '50', groups: ['60', '61'] };
  const place =
    'digits/1 digits/2 extension digits/5 digits/0 number digits/6 digits/0 number digits/6 digits/1';
  const paused = soundsOf('standing-paused', { ...facts, seconds: 190, minutes: 3 });
  t.equal(paused.join(' '), `do-not-disturb number:3 minutes ${place}`);
  const idle = soundsOf('standing-idle', { ...facts, seconds: 59, minutes: 0 });
  t.equal(idle.join(' '), `activated number:59 seconds ${place}`);
  t.end();
});

await t.test('every sound is in the core sounds of Asterisk', { skip: await requireLab() }, async (t) => {
  const { root } = await tree('asterisk');
  const directory = join(root, 'usr/share/asterisk/sounds/en_US_f_Allison');
  const files = await readdir(directory, { recursive: true });
  const there = new Set(files.map((file) => file.replace(/\.[a-z0-9]+$/, '')));
  t.same(
    soundFiles().filter((file) => !there.has(file)),
    [],
  );
});
