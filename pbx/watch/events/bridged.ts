import type { AmiMessage } from '../../ami/message.js';

interface BridgedChannel {
  name: string;
  bridge: string;
  /** The other one of the two who were joined last, or that there were several others; undefined: nobody yet. */
  heard: string | undefined;
  /** Bridges that it has been in. */
  visited: Set<string>;
}

/** Who is joined to whom, as far as events have told: a channel is where it entered last, until it is hung up. */
export class Bridged {
  readonly #channels = new Map<string, BridgedChannel>();
  readonly #bridges = new Map<string, Set<string>>();

  /**
   * Takes a BridgeEnter or Hangup; others are passed over. Returns the channels, by uniqueid, that hear one single other from
   * now on, who is not whom they have heard before.
   */
  take({ name, headers }: AmiMessage): string[] {
    const uniqueid = headers.get('uniqueid') ?? '';
    if (name === 'Hangup') {
      const left = this.#leave(uniqueid);
      this.#channels.delete(uniqueid);
      return this.#heard(left);
    }
    if (name !== 'BridgeEnter') return [];
    const bridge = headers.get('bridgeuniqueid') ?? '';
    const left = this.#leave(uniqueid);
    this.#leave(headers.get('swapuniqueid') ?? '');
    const channel = this.#channels.get(uniqueid) ?? {
      name: '',
      bridge: '',
      heard: undefined,
      visited: new Set<string>(),
    };
    channel.name = headers.get('channel') ?? '';
    channel.bridge = bridge;
    channel.visited.add(bridge);
    this.#channels.set(uniqueid, channel);
    const members = this.#bridges.get(bridge) ?? new Set<string>();
    this.#bridges.set(bridge, members.add(uniqueid));
    return [...this.#heard(left), ...this.#heard(bridge)];
  }

  /** The name of a channel that is joined to one single other now. */
  paired(uniqueid: string): string | undefined {
    const channel = this.#channels.get(uniqueid);
    return channel && this.#bridges.get(channel.bridge)?.size === 2 ? channel.name : undefined;
  }

  /** Whether somebody in its bridge has come from another one in which somebody waits: they consult, and have no other keys. */
  consults(uniqueid: string): boolean {
    const { bridge } = this.#channels.get(uniqueid) ?? { bridge: '' };
    return [...(this.#bridges.get(bridge) ?? [])].some((member) =>
      [...(this.#channels.get(member)?.visited ?? [])].some(
        (one) => one !== bridge && this.#bridges.has(one),
      ),
    );
  }

  /** Nothing is known any more: Asterisk has not told all. */
  forget(): void {
    this.#channels.clear();
    this.#bridges.clear();
  }

  #leave(uniqueid: string): string {
    const channel = this.#channels.get(uniqueid);
    if (!channel) return '';
    const { bridge } = channel;
    channel.bridge = '';
    const members = this.#bridges.get(bridge);
    members?.delete(uniqueid);
    if (members?.size === 0) this.#bridges.delete(bridge);
    return bridge;
  }

  #heard(bridge: string): string[] {
    const members = [...(this.#bridges.get(bridge) ?? [])];
    if (members.length < 2) return [];
    return members.filter((member) => {
      const channel = this.#channels.get(member);
      if (!channel) return false;
      const before = channel.heard;
      channel.heard = members.length > 2 ? 'several' : members.find((one) => one !== member);
      return members.length === 2 && before !== undefined && before !== channel.heard;
    });
  }
}
