import { prepared, type Database } from '../../domain/database/pool.js';
import type { AgentState } from '../../domain/presence/transitions.js';
import type { Phone } from '../../domain/presence/phone.js';
import { AmiError } from '../ami/errors.js';
import type { ManagerActions } from '../ami/manager.js';
import { lampOf, type PhoneName } from './names.js';
import { inQueues } from './wanted.js';

/** A device state as DEVICE_STATE() and the manager know it. */
export type LampState = 'NOT_INUSE' | 'BUSY' | 'ONHOLD' | 'UNAVAILABLE';

/**
 * What the lamp of an agent's phone says in each state; the calls themselves are shown by the lamp of the phone.
 * UNAVAILABLE is more than a colour: star64-offer takes back an offer to a phone whose lamp says that nobody is there.
 */
export const lampStates: Record<AgentState | 'signed-out', LampState> = {
  idle: 'NOT_INUSE',
  ringing: 'NOT_INUSE',
  talking: 'NOT_INUSE',
  'wrap-up': 'BUSY',
  paused: 'ONHOLD',
  'signed-out': 'UNAVAILABLE',
};

/** Sets the lamp by which other phones see the agent; `agent<extension>` in extensions.conf. @throws AmiError. */
export async function setLamp(
  manager: ManagerActions,
  phone: PhoneName,
  state: AgentState | 'signed-out',
): Promise<void> {
  const variable = `DEVICE_STATE(${lampOf(phone)})`;
  await manager.action('Setvar', { Variable: variable, Value: lampStates[state] });
}

/**
 * What each of our lamps says in Asterisk, by its device; one that was never set is missing. Undefined: this Asterisk has
 * no list of them (res_manager_devicestate is not loaded). @throws AmiError.
 */
export async function readLamps(manager: ManagerActions): Promise<Map<string, string> | undefined> {
  let states;
  try {
    states = await manager.list('DeviceStateList', {}, { deadlineMs: 30_000 });
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected') return undefined;
    throw error;
  }
  return new Map(
    states.flatMap(({ headers }) => {
      const device = headers.get('device') ?? '';
      return device.startsWith('Custom:star64-') ? [[device, headers.get('state') ?? '']] : [];
    }),
  );
}

/** A phone and the state of the agent there. */
export interface PhoneState extends Phone {
  state: AgentState | 'signed-out';
}

/** Every phone of this node, also those where nobody is signed in (`agentId` 0). */
export function readPhoneStates(db: Database, node: string): Promise<PhoneState[]> {
  return prepared<PhoneState>(
    db,
    `select t.identity as team, x.number as extension, x.kind as "extensionKind", x.endpoint, coalesce(i.agent_id, 0) as "agentId",
       coalesce((${inQueues})::text, 'signed-out') as state
     from extensions x join teams t on t.id = x.team_id and t.node = ?
     left join sign_ins i on i.extension_id = x.id and i.signed_out_at is null
     left join agent_states s on s.sign_in_id = i.id and s.ended_at is null
     where x.removed_at is null`,
    [node],
  );
}
