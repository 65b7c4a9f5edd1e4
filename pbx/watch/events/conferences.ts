import type { Logger } from 'pino';
import type { ManagerActions } from '../../ami/manager.js';
import type { AmiMessage } from '../../ami/message.js';

/**
 * Has the phone of an agent who makes a conference know it: only Asterisk's events tell a conference from a call that was
 * given away, and star64-conference-left asks as the agent leaves. STAR64_CONFERENCE of that channel is whom it had added then.
 * Without a server nobody tells, and the others stay.
 *
 * A conference room that is part of it would not hear the others on an Asterisk of Debian (star64-room-left says why), so what
 * brings them in comes in once more. Without a server that is done as the agent leaves.
 */
export class Conferences {
  constructor(
    private readonly manager: ManagerActions,
    private readonly log: Logger,
    /** Of several servers one brings a room in; that all tell the phone changes nothing. */
    private readonly leading: () => boolean,
  ) {}

  /** Takes one event. Never throws. */
  take({ name, headers }: AmiMessage): void {
    const channel = headers.get('origtransfererchannel') ?? '';
    if (name !== 'AttendedTransfer' || headers.get('desttype') !== 'Threeway' || channel === '') return;
    const target = headers.get('transfertargetchannel') ?? '';
    for (const done of [this.#tell(channel), this.#bringIn(channel, target)])
      done.catch((error: unknown) =>
        // They may have hung up in this moment.
        this.log.debug({ err: error, channel }, 'a phone was not told of its conference'),
      );
  }

  async #tell(channel: string): Promise<void> {
    const added = await this.manager.action('Getvar', {
      Channel: channel,
      Variable: 'SHARED(STAR64_ADDED)',
    });
    await this.manager.action('Setvar', {
      Channel: channel,
      Variable: 'STAR64_CONFERENCE',
      Value: added.headers.get('value') ?? '',
    });
  }

  async #bringIn(channel: string, target: string): Promise<void> {
    if (!this.leading() || !target.endsWith(';1')) return;
    const other = `${target.slice(0, -1)}2`;
    const rooms = await this.manager.action('Getvar', {
      Channel: channel,
      Variable: 'SHARED(STAR64_ROOMS)',
    });
    if (!(rooms.headers.get('value') ?? '').split('&').includes(other)) return;
    await this.manager.action('Redirect', {
      Channel: other,
      Context: 'star64-room',
      Exten: 's',
      Priority: 'again',
    });
  }
}
