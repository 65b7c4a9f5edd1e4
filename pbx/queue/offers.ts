import type { ManagerActions } from '../ami/manager.js';

/** A queue's offer of a call to a phone, or the conversation that came of it, as Asterisk's channels show it. */
export interface Offer {
  /** The phone. */
  device: string;
  /** Names the offer: uniqueid of the channel to the phone. */
  offerId: string;
  /** Uniqueid of the channel in the queue: the caller's, unless another one has taken its place. */
  call: string;
  /** Of both: the uniqueid of the channel that everything began with. */
  linkedid: string;
  /** The caller's number. */
  caller: string;
  queue: string;
  /** Whether the phone has said that it rings, or more: one that refuses at once never does. */
  rings: boolean;
  /** Whether the phone has answered and the two talk. */
  connected: boolean;
}

/** A channel of a device that no queue has called: the phone has dialled something, or was called otherwise. */
export interface OtherChannel {
  name: string;
  uniqueid: string;
  linkedid: string;
  /** `Ring`, `Ringing`, `Up` and so on. */
  state: string;
  /** How long it has been there. */
  seconds: number;
}

/** A channel that lives, of whatever kind. */
export interface LiveChannel {
  name: string;
  uniqueid: string;
  /** What it runs: `Queue`, `AppQueue`, `AppDial`; `Read` while a key of a call waits for digits. */
  application: string;
  /** Empty: in none. */
  bridge: string;
}

/** Applications that a channel of a call runs whose dialplan has told of it: those that call, wait in a queue, or are called. */
const ofCalls: ReadonlySet<string> = new Set(['Dial', 'AppDial', 'Queue']);

/**
 * All channels that live, by uniqueid, with their linkedids, the offers among them by the phone's device, and of each device
 * the channels of other calls.
 */
export async function readOffers(manager: ManagerActions): Promise<{
  live: Map<string, string>;
  channels: LiveChannel[];
  offers: Map<string, Offer>;
  others: Map<string, OtherChannel[]>;
}> {
  const channels = (await manager.list('CoreShowChannels', {})).map(({ headers }) => {
    const text = (header: string): string => headers.get(header) ?? '';
    return {
      name: text('channel'),
      uniqueid: text('uniqueid'),
      linkedid: text('linkedid'),
      application: text('application'),
      data: text('applicationdata'),
      number: text('calleridnum'),
      state: text('channelstatedesc'),
      bridge: text('bridgeid'),
      // 00:01:05
      seconds: text('duration')
        .split(':')
        .reduce((sum, part) => sum * 60 + (Number(part) || 0), 0),
    };
  });
  const callers = new Map<string, typeof channels>();
  for (const channel of channels) {
    if (channel.application !== 'Queue') continue;
    callers.set(channel.linkedid, [...(callers.get(channel.linkedid) ?? []), channel]);
  }
  const offers = new Map<string, Offer>();
  for (const { name, uniqueid, linkedid, application, bridge, state } of channels) {
    // After a transfer one caller may stand in two queues: in the first with their agent, in the second waiting.
    const linked = callers.get(linkedid) ?? [];
    const caller =
      linked.find((one) => bridge !== '' && one.bridge === bridge) ??
      linked.find((one) => one.bridge === '') ??
      linked[0];
    if (application !== 'AppQueue' || !caller) continue;
    // "PJSIP/astercc-5001-0000001a" is a channel of the device before the last hyphen.
    const device = name.slice(0, name.lastIndexOf('-'));
    const connected = bridge !== '' && bridge === caller.bridge;
    if (offers.get(device)?.connected === true) continue;
    // The first argument of Queue() names the queue that the caller waits in.
    const queue = caller.data.split(',')[0] ?? '';
    offers.set(device, {
      device,
      offerId: uniqueid,
      call: caller.uniqueid,
      linkedid,
      caller: caller.number,
      queue,
      rings: state === 'Ringing' || state === 'Up',
      connected,
    });
  }
  const others = new Map<string, OtherChannel[]>();
  for (const { name, uniqueid, linkedid, application, state, seconds } of channels) {
    // The second half of a Local channel is no phone's.
    if (!ofCalls.has(application) || name.endsWith(';2')) continue;
    const device = name.slice(0, name.lastIndexOf('-'));
    others.set(device, [...(others.get(device) ?? []), { name, uniqueid, linkedid, state, seconds }]);
  }
  return {
    channels,
    others,
    live: new Map(channels.map(({ uniqueid, linkedid }) => [uniqueid, linkedid])),
    offers,
  };
}
