import { EventEmitter } from 'node:events';
import { AmiError } from '../../pbx/ami/errors.js';
import type { AmiMessage } from '../../pbx/ami/message.js';
import type { ManagerActions } from '../../pbx/ami/manager.js';
import type { ManagerEvents, UpInfo } from '../../pbx/ami/settings.js';

interface StubMember {
  name: string;
  penalty: string;
  paused: boolean;
  reason: string;
  stateInterface: string;
}

const message = (name: string, headers: Record<string, string> = {}): AmiMessage => ({
  name,
  headers: new Map(Object.entries(headers)),
  repeated: new Map(),
});

/**
 * An Asterisk of which only queues, members, channels and variables exist, for what needs no wire. It answers as
 * app_queue does, and refuses an action that it does not know.
 */
export class StubManager extends EventEmitter<ManagerEvents> {
  connected = true;
  /** Queue to its members by device. */
  readonly queues = new Map<string, Map<string, StubMember>>();
  readonly variables = new Map<string, string>();
  /** Entries of astdb, as `star64-wrapup/astercc-5001`. */
  readonly astdb = new Map<string, string>();
  /** Devices that Asterisk cannot reach. */
  readonly unavailable = new Set<string>();
  /** Of channels, as `PJSIP/astercc-5001-00000001 STAR64_AGENT_CALL`. */
  readonly channelVariables = new Map<string, string>();
  /** Channels as CoreShowChannels tells them. */
  channels: Record<string, string>[] = [];
  /** Whether QueueAdd knows the header Reason, as it does not in Asterisk 16. */
  knowsReason = true;
  waiting: { queue: string; uniqueid: string; caller: string }[] = [];
  /** When Asterisk was last reloaded, as it says it. */
  reloaded = '09:00:00';
  /** The generation of our files that it has loaded; undefined: none. */
  generation: string | undefined;
  /** Extensions of other contexts that it has loaded. */
  readonly dialplan = new Map<string, string[]>();
  /** Every action, as `QueueAdd PJSIP/astercc-5001`. */
  readonly seen: string[] = [];
  /** What an action waits for before it is done. */
  gate: (action: string, headers: Readonly<Record<string, string>>) => Promise<void> = () =>
    Promise.resolve();
  #epoch = 1_795_000_000;

  constructor(...queues: string[]) {
    super();
    for (const queue of queues) this.queues.set(queue, new Map());
  }

  /** `1001` or `1001 paused:reason`, of every queue. */
  members(queue: string): string[] {
    return [...(this.queues.get(queue)?.values() ?? [])]
      .map(({ name, paused, reason }) => (paused ? `${name} paused:${reason}` : name))
      .sort();
  }

  /** As `OwnAsterisk` has it: this one is ours. */
  verify = (): Promise<void> => Promise.resolve();

  /** As `Manager` has it. */
  whenUp = (): Promise<UpInfo> =>
    this.connected
      ? Promise.resolve({ since: 'start', uptimeS: 1, lastReloadS: 1 })
      : Promise.reject(new AmiError('down', 'no connection'));

  readonly action: ManagerActions['action'] = async (name, headers) => {
    const given = (headers ?? {}) as Record<string, string>;
    this.seen.push(`${name} ${given['Interface'] ?? given['Variable'] ?? ''}`.trim());
    await this.gate(name, given);
    switch (name) {
      case 'QueueAdd':
        return this.#add(given);
      case 'QueueRemove':
        if (!this.#queue(given['Queue']).delete(given['Interface'] ?? ''))
          throw refused('Unable to remove interface: Not there');
        return message('QueueRemove');
      case 'QueuePause':
        return this.#pause(given);
      case 'QueuePenalty':
        this.#member(given).penalty = given['Penalty'] ?? '0';
        return message(name);
      case 'Setvar':
        // Closed to a manager without the class `system`; DB_DELETE() is not.
        if (given['Variable']?.startsWith('DB(')) throw refused('Variable not set');
        this.variables.set(given['Variable'] ?? '', given['Value'] ?? '');
        if (given['Variable']?.startsWith('PRESENCE_STATE('))
          this.astdb.set(
            given['Variable'].replace(/^PRESENCE_STATE\((CustomPresence):(.*)\)$/, '$1/$2'),
            given['Value'] ?? '',
          );
        this.astdb.delete(/^DB_DELETE\((.*)\)$/.exec(given['Variable'] ?? '')?.[1] ?? '');
        return message(name);
      case 'Getvar': {
        const variable = given['Variable'] ?? '';
        const value =
          given['Channel'] !== undefined
            ? (this.channelVariables.get(`${given['Channel']} ${variable}`) ?? '')
            : variable === 'EPOCH'
              ? String(this.#epoch++)
              : this.#value(variable);
        return message(name, { value });
      }
      case 'CoreStatus':
        return message(name, { corereloaddate: '2026-11-26', corereloadtime: this.reloaded });
      case 'Hangup':
      case 'PJSIPQualify':
        return message(name);
      default:
        throw refused(`Invalid/unknown command: ${name}`);
    }
  };

  readonly list: ManagerActions['list'] = async (name, headers) => {
    const given = (headers ?? {}) as Record<string, string>;
    await this.gate(name, given);
    if (name === 'CoreShowChannels') return this.channels.map((one) => message('CoreShowChannel', one));
    if (name === 'ShowDialPlan') {
      const context = given['Context'] ?? '';
      const generation = this.generation === undefined ? undefined : [this.generation];
      const found = context === 'star64-generation' ? generation : this.dialplan.get(context);
      if (!found) throw refused(`Did not find context ${context}`);
      return found.map((extension) => message('ListDialplan', { extension, appdata: extension }));
    }
    if (name === 'DeviceStateList') return this.#deviceStates();
    if (name === 'PresenceStateList') return this.#presences();
    if (name === 'DBGet') {
      const val = this.astdb.get(`${given['Family']}/${given['Key']}`);
      if (val === undefined) throw refused('Database entry not found');
      return [message('DBGetResponse', { val })];
    }
    if (name !== 'QueueStatus') throw refused(`Invalid/unknown command: ${name}`);
    const members = [...this.queues].flatMap(([queue, all]) =>
      [...all].flatMap(([device, { name: member, penalty, paused, reason }]) =>
        (given['Queue'] ?? queue) === queue && (given['Member'] ?? device) === device
          ? [
              message('QueueMember', {
                queue,
                location: device,
                name: member,
                penalty,
                paused: paused ? '1' : '0',
                pausedreason: reason,
                lastpause: '0',
                incall: '0',
                status: this.unavailable.has(device) ? '5' : '1',
              }),
            ]
          : [],
      ),
    );
    const entries = this.waiting.map(({ queue, uniqueid, caller }) =>
      message('QueueEntry', { queue, uniqueid, calleridnum: caller }),
    );
    return [...members, ...entries];
  };

  /** A presence is written whole and read in parts. */
  #value(variable: string): string {
    const family = /^DB_KEYS\((.*)\)$/.exec(variable)?.[1];
    if (family !== undefined) {
      const keys = [...this.astdb.keys()].filter((key) => key.startsWith(`${family}/`));
      // As Asterisk does: sorted, and cut where its buffer ends.
      return keys
        .map((key) => key.slice(family.length + 1))
        .sort()
        .join(',')
        .slice(0, 4095);
    }
    const message = /^(PRESENCE_STATE\(.*),message\)$/.exec(variable)?.[1];
    if (message === undefined) return this.variables.get(variable) ?? '';
    return this.variables.get(`${message})`)?.split(',')[2] ?? '';
  }

  #presences(): AmiMessage[] {
    return [...this.variables].flatMap(([variable, value]) => {
      const [, presentity] = /^PRESENCE_STATE\((.*)\)$/.exec(variable) ?? [];
      const [, subtype = '', text = ''] = value.split(',');
      // Asterisk looks for what is behind the last slash, and lists none of those that say "not set".
      return presentity === undefined || presentity.includes('/')
        ? []
        : [message('PresenceStateChange', { presentity, subtype, message: text })];
    });
  }

  #deviceStates(): AmiMessage[] {
    return [...this.variables].flatMap(([variable, state]) => {
      const [, device] = /^DEVICE_STATE\((.*)\)$/.exec(variable) ?? [];
      return device === undefined ? [] : [message('DeviceStateChange', { device, state })];
    });
  }

  /** What the lamp of a phone says; undefined: nobody has set it. */
  lamp(phone: string): string | undefined {
    return this.variables.get(`DEVICE_STATE(Custom:star64-${phone})`);
  }

  /** Pauses a phone everywhere for a wrap-up, as the hangup handler of an offer does. */
  async wrapUp(device: string, offer: string): Promise<void> {
    this.astdb.set(`star64-wrapup/${device.split('/')[1]}`, `${device}|${offer}`);
    await this.action('QueuePause', { Interface: device, Paused: 'true', Reason: 'wrapup' });
  }

  #queue(name = ''): Map<string, StubMember> {
    const queue = this.queues.get(name);
    if (!queue) throw refused('Unable to add interface to queue: No such queue');
    return queue;
  }

  #member(given: Record<string, string>): StubMember {
    const member = this.#queue(given['Queue']).get(given['Interface'] ?? '');
    if (!member) throw refused('Interface not found');
    return member;
  }

  #add(given: Record<string, string>): AmiMessage {
    const queue = this.#queue(given['Queue']);
    const device = given['Interface'] ?? '';
    if (queue.has(device)) throw refused('Unable to add interface: Already there');
    queue.set(device, {
      name: given['MemberName'] ?? '',
      penalty: given['Penalty'] ?? '0',
      paused: given['Paused'] === 'true',
      reason: this.knowsReason ? (given['Reason'] ?? '') : '',
      stateInterface: given['StateInterface'] ?? '',
    });
    return message('QueueAdd');
  }

  #pause(given: Record<string, string>): AmiMessage {
    const named = given['Queue'];
    const queues = named === undefined ? [...this.queues.values()] : [this.#queue(named)];
    const at = queues.flatMap((queue) => queue.get(given['Interface'] ?? '') ?? []);
    if (at.length === 0) throw refused('Interface not found');
    for (const member of at) {
      member.paused = given['Paused'] === 'true';
      member.reason = member.paused ? (given['Reason'] ?? '') : '';
    }
    return message('QueuePause');
  }
}

const refused = (words: string): AmiError => new AmiError('rejected', `Asterisk says: ${words}`);
