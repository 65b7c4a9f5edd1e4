import { prepared, type Queryable } from '../database/pool.js';
import { transition, type CallKind, type OpenState } from './agent-state.js';

/** What a group says of the wrap-up after its calls. */
export interface WrapUpOf {
  groupId: number;
  /** Longest wrap-up; 0: until the agent ends it. */
  wrapUpSeconds: number;
}

/**
 * A wrap-up that Asterisk has begun after an offer, with the deadline that its group gives it; `elapsedSeconds` of it are
 * over already. Undefined: that offer's wrap-up has been recorded before, or the agent is in a pause.
 */
export function beginWrapUp(
  db: Queryable,
  signInId: number,
  offerId: string,
  group: WrapUpOf | undefined,
  elapsedSeconds = 0,
): Promise<OpenState | undefined> {
  const seconds = group?.wrapUpSeconds ?? 0;
  return transition(db, signInId, 'wrap-up', {
    offerId,
    ...(group && { groupId: group.groupId }),
    ...(seconds > 0 && { deadlineSeconds: Math.max(0, seconds - elapsedSeconds) }),
  });
}

/** A call that no queue gave an agent, as the dialplan or its channel tells it. */
export interface AgentCall {
  /** Uniqueid of the channel of the agent's phone. */
  offerId: string;
  /** Uniqueid of the channel that the call began with. */
  call: string;
  kind: CallKind;
}

/** The agent's phone rings or talks in a call that no queue gave them. Undefined: that is known, or changes nothing. */
export const beginCall = (
  db: Queryable,
  signInId: number,
  event: 'call-rings' | 'call',
  { offerId, call, kind }: AgentCall,
  only: { id?: number } = {},
): Promise<OpenState | undefined> =>
  transition(db, signInId, event, { offerId, callUniqueid: call, callKind: kind }, only);

/**
 * The call `after` is over, and they have another one beside it, in which they talk now. False: they were not in that call,
 * so that its end changes nothing.
 */
export const goOnWithCall = async (
  db: Queryable,
  signInId: number,
  after: string,
  { offerId, call, kind }: AgentCall,
): Promise<boolean> => {
  const details = { offerId, callUniqueid: call, callKind: kind };
  return (await transition(db, signInId, 'call-goes-on', details, { after })) !== undefined;
};

/**
 * As `beginWrapUp`, after a call that no queue gave them: by their current group, to which the wrap-up does not count, since
 * the call was none of its own.
 */
export async function beginWrapUpOfCall(
  db: Queryable,
  signInId: number,
  { offerId, kind }: Pick<AgentCall, 'offerId' | 'kind'>,
  elapsedSeconds = 0,
): Promise<OpenState | undefined> {
  const [group] = await prepared<{ seconds: number }>(
    db,
    `select g.wrap_up_seconds as seconds from sign_ins i join agent_groups g on g.id = i.current_group_id
     where i.id = ?`,
    [signInId],
  );
  const seconds = group?.seconds ?? 0;
  return transition(db, signInId, 'call-wrap-up', {
    offerId,
    callKind: kind,
    ...(seconds > 0 && { deadlineSeconds: Math.max(0, seconds - elapsedSeconds) }),
  });
}
