import { readSamples, toneIn } from '../../lab/wav.js';

/** Tones that phones speak; none is a multiple or a sum of others, or in music. */
export const tones = [530, 790, 1130] as const;

/** Milliseconds of a recording in which a tone is heard: each tenth of a second for itself, as others and gaps come between. */
export async function heardFor(recording: string, hertz: number): Promise<number> {
  const samples = await readSamples(recording);
  const part = 800;
  let parts = 0;
  for (let at = 0; at + part <= samples.length; at += part)
    if (toneIn(samples.subarray(at, at + part), hertz) > 1500) parts++;
  return parts * 100;
}
