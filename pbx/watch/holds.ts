import type { CallRecords, Hold } from '../../domain/calls/records.js';
import type { AmiMessage } from '../ami/message.js';
import { dropOldest } from './endings.js';

/** More than are ever on hold at once. */
const most = 20_000;

/**
 * How long calls are on hold, by whichever phone of ours: from Hold to Unhold, or to the end of a phone that hangs up
 * while it holds, of which Asterisk tells no Unhold.
 */
export class Holds {
  /** Since when channels hold, on the monotonic clock, and the calls that they are in. */
  readonly #holding = new Map<string, { call: string; at: number }>();
  #over: Hold[] = [];

  constructor(
    private readonly records: Pick<CallRecords, 'held'>,
    private readonly soon: () => void,
  ) {}

  take({ name, headers }: AmiMessage): void {
    const uniqueid = headers.get('uniqueid') ?? '';
    if (name === 'Hold') {
      if (this.#holding.has(uniqueid)) return;
      this.#holding.set(uniqueid, { call: headers.get('linkedid') ?? uniqueid, at: performance.now() });
      dropOldest(this.#holding, most);
      return;
    }
    const since = this.#holding.get(uniqueid);
    if (!since) return;
    this.#holding.delete(uniqueid);
    const { call: of, at } = since;
    this.#over.push({ uniqueid: of, begun: of === uniqueid, seconds: (performance.now() - at) / 1000 });
    if (this.#over.length > most) this.#over.shift();
    this.soon();
  }

  /** Writes what is over. When it fails, everything is tried again. */
  async write(): Promise<void> {
    if (this.#over.length === 0) return;
    const over = this.#over;
    this.#over = [];
    try {
      await this.records.held(over);
    } catch (error) {
      this.#over = [...over, ...this.#over].slice(-most);
      throw error;
    }
  }
}
