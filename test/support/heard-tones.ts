import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { until } from '../../domain/machine/processes.js';
import type { Phone } from '../../lab/phone.js';
import { toneIn, writeTone } from '../../lab/wav.js';

/** Half a second, in samples: what is listened to at a time. */
const stretch = 4000;
/** A third of the loudness of a tone of `writeTone`. */
const loud = 2000;

/** People who each speak a tone all the time, by which they are known wherever they are heard. */
export class Tones<Who extends string> {
  private constructor(
    private readonly hertz: Readonly<Record<Who, number>>,
    private readonly files: Readonly<Record<Who, string>>,
  ) {}

  /** Writes the files of these tones, in hertz; they go with the test. */
  static async of<Who extends string>(t: Test, hertz: Readonly<Record<Who, number>>): Promise<Tones<Who>> {
    const dir = await mkdtemp(join(tmpdir(), 'star64-tones-'));
    t.teardown(() => rm(dir, { recursive: true, force: true }));
    const files = await Promise.all(
      Object.entries<number>(hertz).map(
        async ([who, tone]) => [who, await writeTone(join(dir, `${who}.wav`), tone)] as const,
      ),
    );
    return new Tones(hertz, Object.fromEntries(files) as Record<Who, string>);
  }

  /** What a phone of theirs speaks. */
  speak(who: Who): string {
    return this.files[who];
  }

  /**
   * Waits until a phone in a call hears exactly these people for half a second that begins after this was asked: whoever
   * was heard before counts no more.
   */
  async heardBy(phone: Phone, wanted: readonly Who[], deadlineMs = 30_000): Promise<void> {
    let file = await phone.recording();
    let from = (await samplesIn(file)).length;
    const sorted = [...wanted].sort().join(' and ');
    let heard = 'not yet half a second';
    await until(
      `${phone.user} to hear ${sorted === '' ? 'nobody' : sorted}`,
      async () => {
        // A call that has just begun may have no recording yet: the newest was of the one before.
        const newest = await phone.recording();
        if (newest !== file) [file, from] = [newest, 0];
        const last = (await samplesIn(file)).subarray(from).slice(-stretch);
        if (last.length < stretch) return undefined;
        heard = Object.entries<number>(this.hertz)
          .flatMap(([who, hertz]) => (toneIn(last, hertz) > loud ? [who] : []))
          .sort()
          .join(' and ');
        return heard === sorted ? true : undefined;
      },
      deadlineMs,
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; at last it heard: ${heard === '' ? 'nobody' : heard}`);
    });
  }
}

/** Of a recording that goes on, whose header says no length yet. */
async function samplesIn(file: string): Promise<Int16Array> {
  const bytes = (await readFile(file)).subarray(44);
  const count = Math.floor(bytes.length / 2);
  return Int16Array.from({ length: count }, (_, index) => bytes.readInt16LE(2 * index));
}
