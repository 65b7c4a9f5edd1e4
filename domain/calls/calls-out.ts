import type { Logger } from 'pino';
import type { Queryable } from '../database/pool.js';
import { LaterWriter } from '../database/later.js';
import { CallOutRecords } from './calls-out-records.js';

/** A call to the outside as it was decided, let out or refused: what is recorded of it at its beginning. */
export interface CallOut {
  /** Asterisk's uniqueid of the channel that asks: that of the phone, or of who is sent on to a number outside. */
  uniqueid: string;
  team: string;
  /** As it was dialled, without the outside prefix. */
  dialled: string;
  /** In its one form; null: it cannot be a number. */
  number: string | null;
  /** national, mobile, international, premium, emergency; null: not known. */
  class: string | null;
  /** Why it is not let out, the word that the dialplan is told; null: it is. */
  refused: string | null;
  /** The extension, by number, that calls out and whose user pays; null: the team. */
  extension: string | null;
  /** The agent, by number, who is signed in there. */
  agent: string | null;
  /** The user group, by name, whose trunk, right or limit decided; null: none. */
  userGroup: string | null;
}

/** Takes calls to the outside down: waits for nothing, and never throws. */
export interface CallsOut {
  add(call: CallOut): void;
}

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
