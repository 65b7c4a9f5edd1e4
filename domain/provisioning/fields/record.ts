/** Whether conversations are recorded. */
export const recordRules = ['never', 'always'] as const;
export type RecordRule = (typeof recordRules)[number];
