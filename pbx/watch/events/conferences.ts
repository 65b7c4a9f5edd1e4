import type { Logger } from 'pino';
import type { ManagerActions } from '../../ami/manager.js';
import type { AmiMessage } from '../../ami/message.js';
import { Bridged } from './bridged.js';

/**
 * Has the phone of an agent who makes a conference know it: only Asterisk's events tell a conference from a call that was
 * given away, and star64-conference-left asks as the agent leaves. STAR64_CONFERENCE of that channel is whom it had added then.
 * Without a server nobody tells, and the others stay.
 *
 * A conference room that is part of it would not hear the others on an Asterisk of Debian (star64-room-left says why), so what
 * brings them in comes in once more; and again when all but one of them have gone, whose voice is not mixed any more. Without a
 * server that is done as the agent leaves.
 */
export class Conferences {
  readonly #bridged = new Bridged();
  /** What brings rooms into conferences: of the half in the bridge, by uniqueid, the name of the other one, once that is known. */
  readonly #rooms = new Map<string, string | undefined>();

  constructor(
    private readonly manager: ManagerActions,
    private readonly log: Logger,
    /** Of several servers one brings a room in; that all tell the phone changes nothing. */
    private readonly leading: () => boolean,
  ) {}

  /** The connection is gone: what happens until the next one is not told. */
  forget(): void {
    this.#bridged.forget();
    this.#rooms.clear();
  }

  /** Takes one event. Never throws. */
  take(event: AmiMessage): void {
    const { name, headers } = event;
    for (const one of this.#bridged.take(event)) {
      const room = this.#rooms.get(one);
      if (room !== undefined && this.leading()) this.#try(this.#again(room), room);
    }
    if (name === 'Hangup') this.#rooms.delete(headers.get('uniqueid') ?? '');
    const channel = headers.get('origtransfererchannel') ?? '';
    if (name !== 'AttendedTransfer' || headers.get('desttype') !== 'Threeway' || channel === '') return;
    this.#try(this.#tell(channel), channel);
    this.#try(
      this.#bringIn(
        channel,
        headers.get('transfertargetchannel') ?? '',
        headers.get('transfertargetuniqueid') ?? '',
      ),
      channel,
    );
  }

  #try(done: Promise<void>, channel: string): void {
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

  async #bringIn(channel: string, target: string, uniqueid: string): Promise<void> {
    if (!target.endsWith(';1')) return;
    const other = `${target.slice(0, -1)}2`;
    this.#rooms.set(uniqueid, undefined);
    const rooms = await this.manager.action('Getvar', {
      Channel: channel,
      Variable: 'SHARED(STAR64_ROOMS)',
    });
    if (!(rooms.headers.get('value') ?? '').split('&').includes(other)) {
      this.#rooms.delete(uniqueid);
      return;
    }
    // It may have been hung up meanwhile.
    if (this.#rooms.has(uniqueid)) this.#rooms.set(uniqueid, other);
    if (this.leading()) await this.#again(other);
  }

  async #again(room: string): Promise<void> {
    await this.manager.action('Redirect', {
      Channel: room,
      Context: 'star64-room',
      Exten: 's',
      Priority: 'again',
    });
  }
}
