import { readQueueWaiting } from '../../domain/calls/queue/queue-waiting.js';
import { agentStatusOf } from '../../domain/presence/agent-status.js';
import type { CallKind } from '../../domain/presence/agent-state.js';
import type { AgentState } from '../../domain/presence/transitions.js';
import { rough, type Outcome } from '../prompts.js';
import { feature } from './feature.js';

const outcomes: Record<AgentState, Outcome> = {
  idle: 'standing-idle',
  ringing: 'standing-busy',
  talking: 'standing-busy',
  'wrap-up': 'standing-wrap-up',
  paused: 'standing-paused',
};

/** In a call that no queue gave them. */
const inCall: Record<CallKind, Outcome> = {
  out: 'standing-out',
  direct: 'standing-direct',
  internal: 'standing-internal',
};

/** `*60`: where the agent at the phone that dialled stands, read out. */
export const status = feature(async ({ db }, { team, extension }) => {
  const standing = await agentStatusOf(db, team, { extension });
  if (!standing) return 'not-signed-in';
  const { state, callKind, reason, currentGroupId, ...own } = standing;
  const queue =
    currentGroupId === null ? undefined : await readQueueWaiting(db, team, { groupId: currentGroupId });
  const facts = { ...own, waiting: rough(queue?.waiting ?? 0) };
  if (callKind !== null && (state === 'ringing' || state === 'talking'))
    return { outcome: inCall[callKind], facts };
  if (reason === null) return { outcome: outcomes[state], facts };
  return { outcome: 'standing-paused-for', facts: { ...facts, reason } };
});
