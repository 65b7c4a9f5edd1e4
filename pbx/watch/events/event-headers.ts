import type { Caller } from '../../../domain/calls/records/records.js';
import type { AmiMessage } from '../../ami/message.js';
import { phoneOf } from '../../queue/names.js';

/** The events that the observer needs; nothing else is asked of Asterisk. */
export const observedEvents = [
  'AgentCalled',
  'DialState',
  'AgentConnect',
  'AgentRingNoAnswer',
  'AgentComplete',
  'QueueCallerJoin',
  'QueueCallerLeave',
  'QueueCallerAbandon',
  'AttendedTransfer',
  'BlindTransfer',
  // Of our own device alone: EventRoundTrip.
  'DeviceStateChange',
  'Hold',
  'Unhold',
  // Of a phone that holds: see Holds.
  'BridgeEnter',
  'Hangup',
  'UserEvent',
] as const;

/** The device of a queue member. */
export const deviceIn = (member: string): string => member.replace(/\/n$/, '');

/** `PJSIP/astercc-5001-0000001a` is a channel of the device before the last hyphen. */
export const deviceOfChannel = (channel: string): string => channel.slice(0, channel.lastIndexOf('-'));

/** The channel in the queue that an event of app_queue is about. */
export function callerIn({ headers }: AmiMessage): Caller {
  const uniqueid = headers.get('uniqueid') ?? '';
  return { queue: headers.get('queue') ?? '', uniqueid, linkedid: headers.get('linkedid') ?? uniqueid };
}

/** The channel to the agent's phone. */
export const offerIn = ({ headers }: AmiMessage): string => headers.get('destuniqueid') ?? '';

/** The phone of a device by what names it in the database: none for what is no phone. */
export function phoneBy(device: string): { team?: string; extension?: string; endpoint?: string } {
  const phone = phoneOf(device);
  if (phone) return { team: phone.team, extension: phone.extension };
  const [, endpoint] = /^PJSIP\/([A-Za-z0-9_.-]{1,60})$/.exec(device) ?? [];
  return endpoint === undefined ? {} : { endpoint };
}
