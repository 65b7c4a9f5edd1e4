import type { Story } from './story.js';

/** Steps of which an agent is not told: that somebody listens, and under which name the conversation is kept. */
const hidden: ReadonlySet<string> = new Set(['supervised', 'recorded']);

/**
 * A story as the agent may read it who had the call: who listened need not tell them, files of recordings
 * are for administrators, and who pays is the team's affair.
 */
export const storyForAgent = (story: Story): Story => ({
  ...story,
  payer: null,
  recordings: [],
  story: story.story.filter(({ kind }) => !hidden.has(kind)),
});
