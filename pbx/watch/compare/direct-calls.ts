import type { ManagerActions } from '../../ami/manager.js';
import { markDirectCalls, markOf, readMarks } from '../../queue/direct-calls-mark.js';
import { wordFor } from '../../queue/names.js';
import { inPortions } from '../in-portions.js';
import type { Snapshot } from '../snapshot.js';
import type { SignedInPhone } from './signed-in-phones.js';
import type { Difference, Step } from './step.js';

interface WrongMark extends Difference {
  readonly phone: SignedInPhone;
}

/** The dialplan knows of every phone where somebody is signed in of which group calls are that no queue gives, and what they do. */
export class CompareDirectCalls implements Step<WrongMark> {
  readonly name = 'direct calls';

  constructor(private readonly manager: ManagerActions) {}

  async compare({ signedIn }: Snapshot): Promise<WrongMark[]> {
    const marks = await readMarks(this.manager);
    if (!marks) return [];
    return (await signedIn()).flatMap((phone) => {
      const wanted = markOf(phone, phone);
      const marked = marks.get(wordFor(phone)) ?? 'none';
      if (marked === wanted) return [];
      return [{ key: `direct calls of ${wordFor(phone)} are ${marked}, ${wanted}`, phone }];
    });
  }

  async mend(differences: readonly WrongMark[]): Promise<void> {
    await inPortions(differences, ({ phone }) => markDirectCalls(this.manager, phone, phone));
  }
}
