import type { Logger } from 'pino';
import type { Refusal } from './outbound.js';

/** A call to the outside, as it is known when the server is asked about it. */
export interface CallOut {
  readonly uniqueid: string;
  readonly team: string;
  readonly dialled: string;
  /** In its one form; null: it cannot be a number. */
  readonly number: string | null;
  readonly class: string | null;
  /** Null: it was let out. */
  readonly refused: Refusal | null;
  /** Number of the extension that pays; null: the team does. */
  readonly extension: string | null;
  readonly agentId: number | null;
  readonly agent: string | null;
  /** User name of who owns the extension; null: not known, or the team pays. */
  readonly user: string | null;
  readonly userGroup: string | null;
}

/** Takes down calls to the outside. Waits for nothing, and never throws. */
export interface CallsOut {
  add(call: CallOut): void;
}

/** Until they are written into the database, a line of the log is what there is. */
export const callsOutInLog = (log: Logger): CallsOut => ({
  add: (call) => log.info({ call }, 'a call to the outside'),
});
