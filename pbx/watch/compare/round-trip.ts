import type { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { ManagerActions } from '../../ami/manager.js';
import type { AmiMessage } from '../../ami/message.js';
import type { ManagerEvents } from '../../ami/settings.js';
import { eventsDevice } from '../../queue/names.js';

/** In turn: news of one that is still on its way is not taken for that of the next. */
const states = ['NOT_INUSE', 'INUSE', 'BUSY', 'RINGING'] as const;

/** Longer than events were ever seen to be late, on a machine that stood still every other second. */
const deadlineMs = 10_000;

type ManagerWithEvents = ManagerActions & Pick<EventEmitter<ManagerEvents>, 'on' | 'off'>;

/**
 * Waits for events that are behind. On a busy machine an action is answered in milliseconds while what happened before it
 * is told seconds later: who compares Asterisk with the database meanwhile takes what is late for what was lost. So a
 * device of our own changes its state, and the news of that comes by the same way, behind all that was on it.
 */
export class EventRoundTrip {
  #warned = false;

  /** `recorded` resolves when the events taken so far are in the database. */
  constructor(
    private readonly manager: ManagerWithEvents,
    private readonly recorded: () => Promise<void>,
    private readonly log: Logger,
    private readonly patienceMs = deadlineMs,
  ) {}

  /**
   * Resolves when every event that was made before has been taken and recorded, or after ten seconds all the same: the
   * news may be kept from us (`disabledevents`, `eventfilter`). Returns whether it came. @throws AmiError.
   */
  async run(): Promise<boolean> {
    const { headers } = await this.manager.action('Getvar', { Variable: `DEVICE_STATE(${eventsDevice})` });
    const now = states.findIndex((state) => state === headers.get('value'));
    const state = states[(now + 1) % states.length] ?? states[0];
    let told: (came: boolean) => void = () => undefined;
    const came = new Promise<boolean>((resolve) => (told = resolve));
    const take = ({ name, headers }: AmiMessage): void => {
      if (
        name === 'DeviceStateChange' &&
        headers.get('device') === eventsDevice &&
        headers.get('state') === state
      )
        told(true);
    };
    const lost = (): void => told(false);
    const patience = setTimeout(lost, this.patienceMs);
    this.manager.on('event', take);
    this.manager.on('down', lost);
    try {
      await this.manager.action('Setvar', { Variable: `DEVICE_STATE(${eventsDevice})`, Value: state });
      const inTime = await came;
      if (!inTime && !this.#warned)
        this.log.warn(
          { seconds: this.patienceMs / 1000 },
          'the events of Asterisk are behind, or DeviceStateChange is kept from star64 in manager.conf: states are compared all the same',
        );
      this.#warned = !inTime;
      await this.recorded();
      return inTime;
    } finally {
      clearTimeout(patience);
      this.manager.off('event', take);
      this.manager.off('down', lost);
    }
  }
}
