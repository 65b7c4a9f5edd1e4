import { readSamples, toneIn } from '../../lab/wav.js';

/** Samples of a moment: 0.2 s. */
const moment = 1600;

/**
 * Who is heard in a recording, moment by moment, each time that it changes: `anna`, `anna+bert`, `other` for what none of
 * these speaks, such as music, and `nobody`. A single moment between two others says nothing: a beep, or a border.
 */
export async function heardIn(path: string, tones: Readonly<Record<string, number>>): Promise<string[]> {
  const samples = await readSamples(path);
  const moments: string[] = [];
  for (let at = 0; at + moment <= samples.length; at += moment) {
    const part = samples.subarray(at, at + moment);
    const who = Object.keys(tones).filter((name) => toneIn(part, tones[name] ?? 0) > 3000);
    const loudness = Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
    moments.push(who.length > 0 ? who.join('+') : loudness > 50 ? 'other' : 'nobody');
  }
  const lasting = moments.filter((who, index) => who === moments[index - 1] || who === moments[index + 1]);
  return lasting.filter((who, index) => who !== lasting[index - 1]);
}
