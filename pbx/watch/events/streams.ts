import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ManagerActions } from '../../ami/manager.js';
import type { AmiMessage } from '../../ami/message.js';
import type { Bridged } from './bridged.js';

export interface StreamsSettings {
  /** From a change of who is heard to the first press: what changes together is over by then. */
  settleMs: number;
  /** A key that nobody has taken after this was pressed in vain: the phone holds, say. */
  takenMs: number;
  everyMs: number;
  /** When it is pressed again. */
  againMs: number;
  tries: number;
}

export const streamsDefaults: StreamsSettings = {
  settleMs: 150,
  takenMs: 1000,
  everyMs: 40,
  againMs: 2000,
  tries: 5,
};

/** A key that no telephone has. Of a recorded channel it is in features.conf, of a listener in star64-supervise. */
const key = 'D';

/** Asterisk as Debian builds it, in which a translation drops a stream of lower RTP sequence numbers: docs/installation.md. */
const drops = (version: string): boolean =>
  version.includes('dfsg') && Number(/^\d+/.exec(version)?.[0] ?? 0) >= 18;

/**
 * Begins recordings and the listening of supervisors anew once the phone hears somebody else than before, in an Asterisk
 * that drops whoever comes behind another one there. What is dropped hangs on all of them together: so the listeners leave,
 * the recording begins anew, and they come back. Whether one is recorded, and not paused, the channel itself decides, on
 * which the agent's key runs, too (star64-record-again). While somebody consults no key but those of consulting is heard
 * there: a recording waits until that is over.
 */
export class Streams {
  /** By the channel that is listened to: the listening channels, by uniqueid. */
  readonly #listeners = new Map<string, Map<string, string>>();
  /** Channels that hear somebody else, with how often they were tried. */
  readonly #due = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #drops: Promise<boolean> | undefined;

  constructor(
    private readonly manager: ManagerActions,
    private readonly log: Logger,
    /** Of several servers one presses; all remember. */
    private readonly leading: () => boolean,
    private readonly bridged: Bridged,
    private readonly settings: StreamsSettings = streamsDefaults,
  ) {}

  /** The connection is new: not every event was told, and this may be another Asterisk. */
  forget(): void {
    this.#listeners.clear();
    this.#due.clear();
    this.#drops = undefined;
  }

  /** Takes one event, and the channels that hear one single other by it (`Bridged.take`). Never throws. */
  take({ name, headers }: AmiMessage, changed: readonly string[]): void {
    const spied = headers.get('spyeeuniqueid') ?? '';
    const listener = headers.get('spyeruniqueid') ?? '';
    if (name === 'ChanSpyStart') {
      const those = this.#listeners.get(spied) ?? new Map<string, string>();
      this.#listeners.set(spied, those.set(listener, headers.get('spyerchannel') ?? ''));
      return;
    }
    if (name === 'ChanSpyStop') {
      this.#listeners.get(spied)?.delete(listener);
      return;
    }
    for (const uniqueid of changed) this.#due.set(uniqueid, 0);
    if (name === 'Hangup') {
      this.#listeners.delete(headers.get('uniqueid') ?? '');
      this.#due.delete(headers.get('uniqueid') ?? '');
    }
    if (this.#due.size > 0 && (name === 'BridgeEnter' || name === 'Hangup'))
      this.#lookIn(this.settings.settleMs);
  }

  #lookIn(ms: number): void {
    if (!this.leading()) {
      this.#due.clear();
      return;
    }
    if (this.#looking) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const seen = [...this.#due];
    this.#due.clear();
    const results = await Promise.all(
      seen.map(async ([uniqueid, tries]) => {
        const became = await this.#begin(uniqueid).catch((error: unknown) => {
          // They may have hung up in this moment.
          this.log.debug({ err: error, uniqueid }, 'a recording or a listener was not begun anew');
          return 'done' as const;
        });
        if (became !== 'done' && !this.#due.has(uniqueid)) {
          if (became === 'waits') this.#due.set(uniqueid, tries);
          else if (tries < this.settings.tries) this.#due.set(uniqueid, tries + 1);
        }
        return became;
      }),
    );
    this.#looking = false;
    // What came meanwhile has its own reasons to be looked at soon; what waits is looked at with the next event.
    const fresh = [...this.#due.keys()].some((uniqueid) => !seen.some(([one]) => one === uniqueid));
    if (fresh) this.#lookIn(this.settings.settleMs);
    else if (results.includes('missed')) this.#lookIn(this.settings.againMs);
  }

  async #begin(uniqueid: string): Promise<'done' | 'waits' | 'missed'> {
    const channel = this.bridged.paired(uniqueid);
    if (channel === undefined || !(await this.#isNeeded())) return 'done';
    const recorded = (await this.#get(channel, 'STAR64_RECORDER')) !== '';
    if (recorded && this.bridged.consults(uniqueid)) return 'waits';
    const listeners = await this.#ours([...(this.#listeners.get(uniqueid)?.values() ?? [])]);
    if (!recorded && listeners.length === 0) return 'done';
    try {
      await Promise.all(listeners.map((one) => this.#press(one, 'STAR64_SPY_AGAIN', 'waits')));
      // Listening alone: its channel waits for longer than until the next packet.
      if (!recorded) await sleep(this.settings.settleMs);
      return !recorded || (await this.#press(channel, 'STAR64_AGAIN', '')) ? 'done' : 'missed';
    } finally {
      await Promise.all(
        listeners.map((one) => this.#set(one, 'STAR64_SPY_AGAIN', '').catch(() => undefined)),
      );
    }
  }

  /** The listeners whose dialplan knows the key. */
  async #ours(channels: readonly string[]): Promise<string[]> {
    const known = await Promise.all(channels.map((one) => this.#get(one, 'STAR64_SPY_ID').catch(() => '')));
    return channels.filter((_, at) => known[at] !== '');
  }

  /** Presses the key, as if the channel's own telephone had; false: it was not taken, and is nothing any more. */
  async #press(Channel: string, variable: string, taken: string): Promise<boolean> {
    const { takenMs, everyMs } = this.settings;
    await this.#set(Channel, variable, 'asked');
    await this.manager.action('PlayDTMF', { Channel, Digit: key, Receive: true, Duration: 80 });
    for (let waited = 0; waited < takenMs; waited += everyMs) {
      await sleep(everyMs);
      if ((await this.#get(Channel, variable)) === taken) return true;
    }
    await this.#set(Channel, variable, '');
    return false;
  }

  async #get(Channel: string, Variable: string): Promise<string> {
    return (await this.manager.action('Getvar', { Channel, Variable })).headers.get('value') ?? '';
  }

  async #set(Channel: string, Variable: string, Value: string): Promise<void> {
    await this.manager.action('Setvar', { Channel, Variable, Value });
  }

  #isNeeded(): Promise<boolean> {
    this.#drops ??= this.manager.action('CoreSettings', {}).then(
      ({ headers }) => drops(headers.get('asteriskversion') ?? ''),
      (error: unknown) => {
        this.log.debug({ err: error }, 'the version of Asterisk is not known');
        this.#drops = undefined;
        return false;
      },
    );
    return this.#drops;
  }
}
