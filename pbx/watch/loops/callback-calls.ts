import type { Callback } from '../../../domain/calls/queue/callbacks.js';
import { AmiError } from '../../ami/errors.js';
import type { ManagerActions } from '../../ami/manager.js';
import { callbackFamily, callbackUniqueid } from '../../queue/callback-channel.js';

/**
 * Has a channel made that stands in the queue for somebody who is to be called back, at a place of it; `way`: how they are
 * called once an agent is there.
 */
export async function callBack(
  manager: ManagerActions,
  one: Callback,
  place: number,
  way: string,
): Promise<void> {
  const uniqueid = callbackUniqueid({ id: one.id, put: one.puts });
  await manager.action('Originate', {
    Channel: 'Local/hold@star64-callback/n',
    Context: `${one.team}-callbacks`,
    Exten: one.group,
    Priority: 1,
    Timeout: 10_000,
    ChannelId: uniqueid,
    OtherChannelId: `${uniqueid}-calls`,
    Async: true,
    Variable: {
      _STAR64_CALLBACK: one.id,
      STAR64_CALLBACK_TEAM: one.team,
      STAR64_CALLBACK_NUMBER: one.number,
      STAR64_CALLBACK_ARRIVED: Math.floor(one.arrivedAt),
      STAR64_CALLBACK_PRIO: one.priority,
      // A line that AMI would cut; then a server has to be there.
      STAR64_CALLBACK_WAY: way.length > 900 ? '' : way,
      STAR64_PLACE: place,
    },
  });
}

/** What has come of a call, as the dialplan has left it; empty: nothing yet. */
export async function resultLine(manager: ManagerActions, key: string): Promise<string> {
  try {
    const [entry] = await manager.list('DBGet', { Family: callbackFamily, Key: key });
    return entry?.headers.get('val') ?? '';
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected') return '';
    throw error;
  }
}

/** Whether Asterisk has a channel of this uniqueid. */
export const isThere = async (manager: ManagerActions, uniqueid: string): Promise<boolean> =>
  (await valueOf(manager, uniqueid, 'UNIQUEID')) !== undefined;

/** Whether an agent has had them called (star64-callback-agent): who stands in a queue then is the customer. */
export const isCalled = async (manager: ManagerActions, uniqueid: string): Promise<boolean> =>
  (await valueOf(manager, uniqueid, 'SHARED(STAR64_CALLED)')) === 'yes';

/** A value of a channel; undefined: Asterisk has no channel of this uniqueid. */
async function valueOf(
  manager: ManagerActions,
  uniqueid: string,
  variable: string,
): Promise<string | undefined> {
  try {
    const { headers } = await manager.action('Getvar', { Channel: uniqueid, Variable: variable });
    return headers.get('value') ?? '';
  } catch (error) {
    if (error instanceof AmiError && error.code === 'rejected') return undefined;
    throw error;
  }
}

export async function hangUp(manager: ManagerActions, channel: string): Promise<void> {
  try {
    await manager.action('Hangup', { Channel: channel });
  } catch (error) {
    if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
  }
}
