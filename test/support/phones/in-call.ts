import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Phone } from '../../../lab/phone.js';
import { toneIn, writeTone } from '../../../lab/wav.js';
import type { Centre } from '../../../lab/centre.js';
import { until } from '../../../domain/machine/processes.js';

/** Half a second: what is measured at a time. */
const window = 4000;

/** A phone of which is known what it hears. */
export type Hearing = Pick<Phone, 'user' | 'hearing'>;

/**
 * Who hears whom: each party speaks a tone of their own all the time, and what a phone hears is measured while the call goes
 * on. What has none of the tones, and is loud, is music.
 */
export class Voices<Who extends string> {
  private constructor(
    private readonly dir: string,
    private readonly tones: ReadonlyMap<Who, number>,
  ) {}

  /** Tones for these parties, gone with the test. */
  static async of<Who extends string>(t: Test, ...who: Who[]): Promise<Voices<Who>> {
    const dir = await mkdtemp(join(tmpdir(), 'star64-voices-'));
    t.teardown(() => rm(dir, { recursive: true, force: true }));
    // No tone is a multiple of another one, nor one of the dial, busy and ringing tones of the lab.
    const hertz = [700, 1130, 1710, 2330, 2890, 910];
    return new Voices(dir, new Map(who.map((one, at) => [one, hertz[at] ?? 3000 + 50 * at])));
  }

  /** The tone of a party. */
  hertz(who: Who): number {
    return this.tones.get(who) ?? 0;
  }

  /** The file that a party speaks. */
  speak(who: Who): Promise<string> {
    return writeTone(join(this.dir, `${who}.wav`), this.hertz(who));
  }

  /**
   * What a phone is given that goes from one bridge into another: it speaks as the party, and plays what comes in at once. Two
   * without keys hear each other's own stream (native_rtp), and Asterisk then goes on under its name with numbers of its own
   * (`bridge_p2p_rtp_write` of res_rtp_asterisk.c). Where they are lower, the jitter buffer of the lab's phone drops them all.
   */
  async phoneOf(who: Who): Promise<{ speak: string; jitterBuffer: false }> {
    return { speak: await this.speak(who), jitterBuffer: false };
  }

  /** Who is heard in samples, or `music`, in a fixed order. */
  #heardIn(samples: Int16Array): string {
    const loud = [...this.tones].filter(([, hertz]) => toneIn(samples, hertz) > 1500).map(([who]) => who);
    if (loud.length > 0) return loud.sort().join(' and ');
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
    return Math.sqrt(power) > 150 ? 'music' : 'nothing';
  }

  /**
   * Waits until a phone hears just these parties, or `music`, for half a second that comes after this was asked. `nothing`
   * is silence, or that nothing is sent.
   */
  async hears(phone: Hearing, ...who: [Who | 'music' | 'nothing', ...Who[]]): Promise<void> {
    const wanted = [...who].sort().join(' and ');
    const { bytes: before } = await phone.hearing(0);
    let heard = 'nothing new';
    await until(
      `${phone.user} to hear ${wanted}`,
      async () => {
        const { bytes, last } = await phone.hearing(window);
        // Less than before is another call.
        const isNew = bytes < before ? bytes >= 2 * window : bytes - before >= 2 * window;
        if (isNew) heard = this.#heardIn(last);
        return isNew && heard === wanted ? true : undefined;
      },
      30_000,
    ).catch((error: unknown) => {
      throw new Error(`${phone.user} hears ${heard} instead of ${wanted}`, { cause: error });
    });
  }

  /** Waits until two hear each other and nobody else. */
  async talk(one: [Who, Hearing], other: [Who, Hearing]): Promise<void> {
    await Promise.all([this.hears(one[1], other[0]), this.hears(other[1], one[0])]);
  }
}

/**
 * Waits until a phone has been joined to somebody so many times after place `from` of the log: a key that is pressed before is
 * nobody's, and a REFER is refused.
 */
export async function waitJoined(
  centre: Centre,
  { user }: Pick<Phone, 'user'>,
  from: number,
  times = 1,
): Promise<void> {
  await until(`${user} to be joined for the ${times}. time`, async () =>
    (await centre.asterisk.verbose.lines())
      .slice(from)
      .filter((line) => line.includes(`Channel PJSIP/${user}-`) && / joined '/.test(line)).length >= times
      ? true
      : undefined,
  );
}

/**
 * Waits until a prompt is played to the other half of a consultation, and so to who asks, after place `from` of the log;
 * `number`: to who asks for that one.
 */
export async function waitTold(
  { asterisk }: Pick<Centre, 'asterisk'>,
  prompt: string,
  from: number,
  number = '[^>]+',
): Promise<void> {
  await asterisk.verbose.waitFor(
    new RegExp(`<Local/${number}@[^>]+-transfers-[0-9a-f]+;2> Playing '${prompt}\\.`),
    from,
  );
}
