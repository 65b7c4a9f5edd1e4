import type { ManagerActions } from '../../ami/manager.js';
import { markDirectCalls, markOf, readMarks } from '../../queue/direct-calls-mark.js';
import { earlierMarks, leftMarks, removeMarks } from '../../queue/earlier-marks.js';
import { wordFor } from '../../queue/names.js';
import { inPortions } from '../loops/in-portions.js';
import type { Snapshot } from './snapshot.js';
import type { SignedInPhone } from './signed-in-phones.js';
import type { Difference, Step } from './step.js';

interface WrongMark extends Difference {
  /** Undefined: marks of an earlier version. */
  readonly phone?: SignedInPhone;
}

const earlier: WrongMark = { key: 'direct calls have marks of an earlier version' };

/** The dialplan knows of every phone where somebody is signed in of which group calls are that no queue gives, and what they do; marks of an earlier version go. */
export class CompareDirectCalls implements Step<WrongMark> {
  readonly name = 'direct calls';
  /** Nobody writes any more of them: seen once, it is not asked again. */
  #earlierAreGone = false;

  constructor(private readonly manager: ManagerActions) {}

  async compare({ signedIn }: Snapshot): Promise<WrongMark[]> {
    const marks = await readMarks(this.manager);
    if (!marks) return [];
    const wrong = (await signedIn()).flatMap((phone) => {
      const wanted = markOf(phone, phone);
      const marked = marks.get(wordFor(phone)) ?? 'none';
      if (marked === wanted) return [];
      return [{ key: `direct calls of ${wordFor(phone)} are ${marked}, ${wanted}`, phone }];
    });
    return (await this.#hasEarlier()) ? [...wrong, earlier] : wrong;
  }

  async mend(differences: readonly WrongMark[]): Promise<void> {
    await inPortions(
      differences.flatMap(({ phone }) => phone ?? []),
      (phone) => markDirectCalls(this.manager, phone, phone),
    );
    if (differences.some(({ phone }) => !phone)) await removeMarks(this.manager, earlierMarks);
  }

  async #hasEarlier(): Promise<boolean> {
    if (this.#earlierAreGone) return false;
    const left = await leftMarks(this.manager);
    this.#earlierAreGone = left === 'none';
    return left === 'useless';
  }
}
