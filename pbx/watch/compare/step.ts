import type { Snapshot } from './snapshot.js';

/** Something that differs between Asterisk and the database. */
export interface Difference {
  /** Names the difference and its sides; the same words in two snapshots mean that nothing moved in between. */
  readonly key: string;
}

/**
 * One thing that the reconciliation compares. `compare` only looks; what it finds twice in a row is handed to `mend`.
 * Each step stands for itself: one that fails keeps none of the others from being done.
 */
export interface Step<D extends Difference = Difference> {
  readonly name: string;
  compare(asterisk: Snapshot): Promise<D[]>;
  mend(differences: readonly D[], asterisk: Snapshot): Promise<void>;
}

/** The result of one look of a step, whatever its differences are made of. */
export interface Comparison {
  readonly keys: readonly string[];
  mend(keys: readonly string[]): Promise<void>;
}

/** Looks once with a step. */
export async function lookWith<D extends Difference>(step: Step<D>, asterisk: Snapshot): Promise<Comparison> {
  const differences = await step.compare(asterisk);
  return {
    keys: differences.map(({ key }) => key),
    mend: (keys) =>
      step.mend(
        differences.filter(({ key }) => keys.includes(key)),
        asterisk,
      ),
  };
}

/** A difference that knows how to mend itself. */
export interface Mendable extends Difference {
  readonly mend: () => Promise<unknown>;
}
