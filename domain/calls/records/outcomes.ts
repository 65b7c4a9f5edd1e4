/** What becomes of a call, `calls.outcome`; while it goes on there is none. */
export const callOutcomes = [
  'answered',
  'abandoned',
  'nobody',
  'timeout',
  'full',
  'busy',
  'no-answer',
  'refused',
  'unreachable',
  'failed',
  'callback',
  'not-called-back',
  'no-agent',
  'unknown',
] as const;

/** Outcomes of calls whose callers wanted somebody and got nobody, as far as that was seen. */
export const unserved = callOutcomes.filter(
  (outcome) => outcome !== 'answered' && outcome !== 'callback' && outcome !== 'unknown',
);
