import type { CallCommandKind, ClaimedCommand } from '../domain/calls/commands/call-commands.js';
import { isHeld } from '../domain/calls/records/holds.js';
import type { Database } from '../domain/database/pool.js';
import { AmiError } from './ami/errors.js';
import type { AmiHeaders } from './ami/syntax.js';
import type { ManagerActions } from './ami/manager.js';
import { areAlike } from '../domain/telephone-numbers.js';
import { Clicks, type Later } from './click.js';
import { phonesAt } from './queue/phones.js';
import { Refused } from './refused.js';
import { superviseByCommand } from './supervise-command.js';
import type { Outbound } from '../domain/calls/outbound/outbound-memory.js';

interface CallChannel {
  name: string;
  uniqueid: string;
  /** The channel's own number, as the other side sees it. */
  number: string;
  bridge: string;
}

/** What agents and callers dial: nothing else is sent to Asterisk as an extension or as digits. */
const dialled = /^[0-9*#+]{1,40}$/;
const transferContext = (team: string): string => `${team}-transfers`;

/** Actions that are asked of Asterisk, and what is told of its lack: the class of the manager's write= that each needs. */
const needed: Readonly<Record<string, string>> = {
  CoreShowChannels: 'reporting',
  Hangup: 'call',
  BlindTransfer: 'call',
  Atxfer: 'call',
  PlayDTMF: 'call',
  // For callbacks (pbx/watch/loops/callbacks.ts), and calls that software starts.
  Originate: 'originate',
  // No class: Asterisk has it since 16.25 and 18.11, for whoever may log in (pbx/watch/loops/empty-queues.ts).
  QueueWithdrawCaller: 'QueueWithdrawCaller',
};

/** The classes that star64's user of the manager lacks: Asterisk lists the actions that a user may ask for. @throws AmiError. */
export async function lackedClasses(manager: ManagerActions): Promise<string[]> {
  const { headers } = await manager.action('ListCommands');
  const lacked = Object.entries(needed).filter(([action]) => !headers.has(action.toLowerCase()));
  return [...new Set(lacked.map(([, one]) => one))].sort();
}

/** The keys of a call that a command presses for the agent (star64 call-key). */
const pressed = {
  hold: 'hold',
  resume: 'hold',
  conference: 'conference',
  back: 'back',
} as const satisfies Partial<Record<CallCommandKind, string>>;

/**
 * Does in a call, from outside it, what its agent would do by keys: the same functions of Asterisk, the same context that
 * says who can be reached, and the same rights, which are asked by the agent's channel.
 */
export class CallHands {
  readonly #clicks: Clicks;

  constructor(
    private readonly db: Database,
    private readonly node: string,
    private readonly manager: ManagerActions,
    outbound?: Outbound,
  ) {
    this.#clicks = new Clicks(db, node, manager, outbound);
  }

  /**
   * `later` is given what is still to be looked at, for which who gave it does not wait.
   * @throws Refused, with why in words; AmiError when Asterisk says nothing, and then nobody knows what it did.
   */
  async do(command: ClaimedCommand, later: Later): Promise<void> {
    const { kind } = command;
    if (kind === 'originate') await this.#clicks.originate(command, later);
    else if (kind === 'supervise')
      await superviseByCommand(this.db, this.manager, this.#clicks, this.node, command);
    else await this.#inCall({ ...command, call: command.call ?? '', kind });
  }

  async #inCall({
    team,
    call,
    kind,
    arguments: given,
  }: Omit<ClaimedCommand, 'call' | 'kind'> & { call: string; kind: CallCommandKind }): Promise<void> {
    const channels = await this.#channels(call);
    if (kind === 'hangup') {
      // An agent who gives it is in it.
      if (given['from'] !== undefined) await this.#agent(team, channels, given['from']);
      await this.#hangUp(team, call, channels, given['party']);
      return;
    }
    const agent = await this.#agent(team, channels, given['from']);
    if (kind === 'transfer' || kind === 'consult') {
      const number = given['number'] ?? '';
      if (!dialled.test(number)) throw new Refused(`${kind} to a number of digits, * and #`);
      const Context = transferContext(team);
      await this.#act(kind === 'transfer' ? 'BlindTransfer' : 'Atxfer', {
        Channel: agent.name,
        Context,
        Exten: number,
      });
      return;
    }
    if (kind === 'resume') await this.#requireHold(agent);
    await this.#press(team, agent.name, pressed[kind]);
  }

  /** The key for hold ends what it has begun, and else begins one more. @throws Refused. */
  async #requireHold({ name, uniqueid }: CallChannel): Promise<void> {
    if (!(await isHeld(this.db, this.node, uniqueid))) throw new Refused('they have nobody on hold');
    const { headers } = await this.manager.action('Getvar', { Channel: name, Variable: 'STAR64_HOLDS' });
    if ((headers.get('value') ?? '') === '')
      throw new Refused('they have them on hold by the button of the phone, which alone takes them back');
  }

  async #channels(call: string): Promise<CallChannel[]> {
    const channels = (await this.manager.list('CoreShowChannels')).flatMap(({ headers }) =>
      headers.get('linkedid') === call
        ? [
            {
              name: headers.get('channel') ?? '',
              uniqueid: headers.get('uniqueid') ?? '',
              number: headers.get('calleridnum') ?? '',
              bridge: headers.get('bridgeid') ?? '',
            },
          ]
        : [],
    );
    if (channels.length === 0) throw new Refused('Asterisk has no channel of it any more');
    return channels;
  }

  /** Of the channels whose phones are the team's, by the phone's extension. */
  async #phones(team: string, channels: readonly CallChannel[]): Promise<Map<string, CallChannel>> {
    const device = ({ name }: CallChannel): string => name.replace(/-[0-9a-f]+(?:;[12])?$/, '');
    // The first half of a telephone's Local channel is what stands in the queue.
    const own = channels.filter(({ name }) => !name.endsWith(';2'));
    const phones = await phonesAt(this.db, this.node, own.map(device));
    const found = new Map<string, CallChannel>();
    for (const channel of own) {
      const phone = phones.get(device(channel));
      if (phone?.team === team) found.set(phone.extension, channel);
    }
    return found;
  }

  async #agent(
    team: string,
    channels: readonly CallChannel[],
    from: string | undefined,
  ): Promise<CallChannel> {
    const all = await this.#phones(team, channels);
    const talking = new Map([...all].filter(([, { bridge }]) => bridge !== ''));
    if (from !== undefined) {
      const named = talking.get(from);
      if (named) return named;
      throw new Refused(`extension ${from} does not talk in it`);
    }
    const [first, ...others] = [...talking];
    if (!first) throw new Refused('no phone of the team talks in it');
    if (others.length > 0)
      throw new Refused(
        `several phones of the team talk in it: ${[...talking.keys()].sort().join(', ')}; say which`,
      );
    return first[1];
  }

  async #hangUp(
    team: string,
    call: string,
    channels: readonly CallChannel[],
    party: string | undefined,
  ): Promise<void> {
    const chosen = party === undefined ? channels : await this.#party(team, call, channels, party);
    let ended = 0;
    for (const channel of chosen) {
      // One that is gone meanwhile is as good.
      if (await this.#act('Hangup', { Channel: channel.name, Cause: 16 }, /no such channel/i)) ended++;
    }
    if (ended === 0 && party !== undefined) throw new Refused(`nobody in it is ${party}`);
  }

  /** The channel that is meant, or none. @throws Refused when two could be. */
  async #party(
    team: string,
    call: string,
    channels: readonly CallChannel[],
    party: string,
  ): Promise<CallChannel[]> {
    // The channel with which a call has begun names it.
    if (party === 'caller') return channels.filter(({ uniqueid }) => uniqueid === call);
    const phones = await this.#phones(team, channels);
    const phone = phones.get(party);
    if (phone) return [phone];
    const own = new Set(phones.values());
    const outside = channels.filter((one) => !one.name.startsWith('Local/') && !own.has(one));
    const same = outside.filter(({ number }) => number === party);
    const found = same.length > 0 ? same : outside.filter(({ number }) => areAlike(number, party));
    if (found.length > 1)
      throw new Refused(
        `${party} could be ${found.map(({ number }) => number).join(' or ')}: say the whole number, or caller`,
      );
    return found;
  }

  /** Presses a key of the team for the agent: Asterisk takes the digits for what the phone has sent. */
  async #press(team: string, channel: string, action: string): Promise<void> {
    const [key] = (
      await this.db.raw<{ rows: { keys: string }[] }>(
        `select k.keys from call_keys k join teams t on t.id = k.team_id
         where t.identity = ? and k.action = ? and k.enabled`,
        [team, action],
      )
    ).rows;
    if (!key || !dialled.test(key.keys)) throw new Refused(`the team has switched the key for ${action} off`);
    for (const Digit of key.keys)
      await this.#act('PlayDTMF', { Channel: channel, Digit, Receive: true, Duration: 80 });
  }

  /** False: Asterisk says `gone`. @throws Refused when it refuses otherwise. */
  async #act(name: string, headers: AmiHeaders, gone?: RegExp): Promise<boolean> {
    try {
      await this.manager.action(name, headers);
      return true;
    } catch (error) {
      if (!(error instanceof AmiError) || error.code !== 'rejected') throw error;
      if (gone?.test(error.message)) return false;
      throw new Refused(
        /permission denied/i.test(error.message)
          ? "star64's user of the manager lacks the class call in write= of manager.conf"
          : `Asterisk refused: ${error.message}`,
      );
    }
  }
}
