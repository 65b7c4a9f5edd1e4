import type { Logger } from 'pino';
import { CallOutRecords } from '../../../domain/calls/outbound/calls-out-records.js';
import type { Database } from '../../../domain/database/pool.js';
import { failureOf } from '../../../domain/database/sql-errors.js';
import { AmiError } from '../../ami/errors.js';
import type { ManagerActions } from '../../ami/manager.js';
import { inPortions } from '../loops/in-portions.js';
import { leftFamily, readLeftLine, type LeftCall } from './left-line.js';
import type { Snapshot } from './snapshot.js';
import type { Difference, Step } from './step.js';

/**
 * Calls to the outside of which no server heard are recorded, and their lines in Asterisk removed: a list of names at a
 * time, each removed once it is recorded. Who dies in between leaves lines that say the same once more.
 */
export class CompareLeftCalls implements Step {
  readonly name = 'calls without a server';
  readonly #records: CallOutRecords;

  constructor(
    db: Database,
    node: string,
    private readonly manager: ManagerActions,
    private readonly log: Logger,
  ) {
    this.#records = new CallOutRecords(db, node);
  }

  async compare(): Promise<Difference[]> {
    // One difference for all of them: there may be 10,000, and each is removed alone.
    return (await this.#names()).length > 0 ? [{ key: 'calls were made without a server' }] : [];
  }

  async mend(_differences: readonly Difference[], { now }: Snapshot): Promise<void> {
    const done = new Set<string>();
    let recorded = 0;
    for (;;) {
      // What cannot be removed is named again: each is done once.
      const names = (await this.#names()).filter((name) => !done.has(name));
      if (names.length === 0) break;
      for (const name of names) done.add(name);
      recorded += await this.#lot(names, now);
    }
    if (recorded > 0)
      this.log.info({ calls: recorded }, 'calls that were made without a server are recorded');
  }

  async #lot(names: readonly string[], now: number): Promise<number> {
    const calls: LeftCall[] = [];
    await inPortions(names, async (uniqueid) => {
      const line = await this.#line(uniqueid);
      if (line === undefined) return;
      const call = readLeftLine(uniqueid, line, now);
      if (call) calls.push(call);
      else
        this.log.error(
          { uniqueid, line },
          'a line of a call without a server cannot be read: it is left out',
        );
    });
    const recorded = await this.#record(calls);
    await inPortions(names, (uniqueid) =>
      this.manager.action('Setvar', { Variable: `DB_DELETE(${leftFamily}/${uniqueid})`, Value: '' }),
    );
    return recorded;
  }

  /** Records what it can. One that PostgreSQL refuses for itself, or whose team is gone, is said and left out. */
  async #record(calls: readonly LeftCall[]): Promise<number> {
    if (calls.length === 0) return 0;
    try {
      await this.#records.begun(calls.map(({ begun }) => begun));
      const known = new Set(await this.#records.told(calls.map(({ told }) => told)));
      for (const { begun, told } of calls)
        if (!known.has(begun.uniqueid))
          this.log.error(
            { call: { ...begun, ...told } },
            'a call without a server is of no team: it is left out',
          );
      return known.size;
    } catch (error) {
      if (failureOf(error) !== undefined) throw error;
      const [only] = calls;
      if (calls.length === 1 && only) {
        const call = { ...only.begun, ...only.told };
        this.log.error({ err: error, call }, 'a call without a server could not be recorded: it is left out');
        return 0;
      }
      const middle = Math.ceil(calls.length / 2);
      return (await this.#record(calls.slice(0, middle))) + (await this.#record(calls.slice(middle)));
    }
  }

  async #names(): Promise<string[]> {
    const { headers } = await this.manager.action('Getvar', { Variable: `DB_KEYS(${leftFamily})` });
    const names = (headers.get('value') ?? '').split(',').filter((name) => name !== '');
    // The list ends at 4,096 characters: its last name may be half of one, and comes again in a later list.
    return names.length > 1 && (headers.get('value') ?? '').length > 4000 ? names.slice(0, -1) : names;
  }

  async #line(uniqueid: string): Promise<string | undefined> {
    try {
      const [entry] = await this.manager.list('DBGet', { Family: leftFamily, Key: uniqueid });
      return entry?.headers.get('val');
    } catch (error) {
      if (error instanceof AmiError && error.code === 'rejected' && /not found/i.test(error.message))
        return undefined;
      throw error;
    }
  }
}
