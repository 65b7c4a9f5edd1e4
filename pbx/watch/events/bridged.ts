import type { AmiMessage } from '../../ami/message.js';

interface BridgedChannel {
  bridge: string;
  /** The other one, when they were two, or that there were several; undefined: it has been with nobody yet. */
  heard: string | undefined;
}

/** Which channels are in which bridge, as far as events have told: a channel is where it entered last, until its hangup. */
export class Bridged {
  readonly #channels = new Map<string, BridgedChannel>();
  readonly #bridges = new Map<string, Set<string>>();

  /**
   * Takes a BridgeEnter or Hangup; others are passed over. Returns the uniqueids of channels that are now in a bridge of two,
   * and were in a larger one, or with another channel, before.
   */
  take({ name, headers }: AmiMessage): string[] {
    const uniqueid = headers.get('uniqueid') ?? '';
    if (name === 'Hangup') {
      const left = this.#leave(uniqueid);
      this.#channels.delete(uniqueid);
      return this.#changed(left);
    }
    if (name !== 'BridgeEnter') return [];
    const bridge = headers.get('bridgeuniqueid') ?? '';
    const left = this.#leave(uniqueid);
    this.#leave(headers.get('swapuniqueid') ?? '');
    this.#channels.set(uniqueid, { bridge, heard: this.#channels.get(uniqueid)?.heard });
    this.#bridges.set(bridge, (this.#bridges.get(bridge) ?? new Set()).add(uniqueid));
    return [...this.#changed(left), ...this.#changed(bridge)];
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

  #changed(bridge: string): string[] {
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
