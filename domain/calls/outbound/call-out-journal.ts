import type { Logger } from 'pino';
import type { Queryable } from '../../database/pool.js';
import { LaterWriter } from '../../database/later.js';
import { CallOutRecords } from './calls-out-records.js';
import type { CallOut, CallsOut } from './calls-out.js';

/** Records calls to the outside from one Asterisk node as they were decided, later and many at a time. */
export class CallOutJournal implements CallsOut {
  readonly #writer: LaterWriter<{ call: CallOut; at: number }>;

  constructor(
    db: Queryable,
    node: string,
    log: Logger,
    settings = { delayMs: 100, retryMs: 1000, keep: 10_000, batch: 500 },
  ) {
    const records = new CallOutRecords(db, node);
    this.#writer = new LaterWriter(
      log,
      settings,
      {
        fault: 'PostgreSQL does not take calls to the outside: they will be recorded later',
        over: 'the calls to the outside that waited are recorded',
        lost: 'too many calls to the outside wait to be recorded: one is lost',
        refused: 'a call to the outside could not be recorded: it is left out',
        contents: ({ call }) => ({ call }),
      },
      async (batch) => {
        const now = performance.now();
        await records.begun(
          batch.map(({ call, at }) => ({ ...call, decided: true, secondsAgo: (now - at) / 1000 })),
        );
        return [];
      },
    );
  }

  add(call: CallOut): void {
    this.#writer.add({ call, at: performance.now() });
  }

  /** Writes what waits now; for shutdown. Never throws. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }
}
