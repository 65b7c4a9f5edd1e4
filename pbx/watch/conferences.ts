import type { Logger } from 'pino';
import type { ManagerActions } from '../ami/manager.js';
import type { AmiMessage } from '../ami/message.js';

/**
 * Has the phone of an agent who makes a conference know it: only Asterisk's events tell a conference from a call that was
 * given away, and star64-conference-left asks as the agent leaves. STAR64_CONFERENCE of that channel is whom it had added then.
 * Without a server nobody tells, and the others stay.
 */
export class Conferences {
  constructor(
    private readonly manager: ManagerActions,
    private readonly log: Logger,
  ) {}

  /** Takes one event. Never throws. */
  take({ name, headers }: AmiMessage): void {
    const channel = headers.get('origtransfererchannel') ?? '';
    if (name !== 'AttendedTransfer' || headers.get('desttype') !== 'Threeway' || channel === '') return;
    this.#tell(channel).catch((error: unknown) =>
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
}
