import { prepared, type Queryable } from '../../database/pool.js';
import * as sql from './calls-out-sql.js';
import type { CallOut } from './calls-out.js';

/** What a try of a trunk has come to; see `call_tries.outcome`. */
export const tryOutcomes = ['answered', 'ended', 'failed', 'full', 'unavailable', 'set-aside'] as const;
export type TryOutcome = (typeof tryOutcomes)[number];

/** Which side has ended a call; see `calls.ended_by`. */
export const endingSides = ['caller', 'callee', 'system'] as const;
export type EndingSide = (typeof endingSides)[number];

/** The beginning of a call to the outside, so many seconds ago. */
export interface CallOutBegun extends Omit<CallOut, 'class' | 'agent' | 'userGroup'> {
  class?: string | null;
  /** The phone that calls, where it is known by its endpoint: one of the operator's. */
  endpoint?: string | null;
  agent?: string | null;
  userGroup?: string | null;
  /** A server has decided: without one, who is signed in there and whose group it is are looked up. */
  decided: boolean;
  secondsAgo: number;
}

/** One trunk that was tried, so many seconds ago. */
export interface CallTry {
  /** What is told twice has it twice. Where it begins with a dot, when the try began is not known. */
  key: string;
  /** The channel to the trunk, by its uniqueid, of one that has answered. */
  leg?: string | null;
  position: number;
  /** Its endpoint. */
  trunk: string;
  sent: string | null;
  secondsAgo: number;
  milliseconds: number | null;
  code: number | null;
  cause: number | null;
  outcome: TryOutcome;
}

/** What has been told of a call to the outside so far; null: nothing of that. */
export interface CallOutTold {
  uniqueid: string;
  team: string;
  ringingAgo: number | null;
  answeredAgo: number | null;
  /** The channel to the trunk that has answered, by its uniqueid. */
  leg: string | null;
  legEndedAgo: number | null;
  /** The channel that called is gone. */
  endedAgo: number | null;
  /** Nobody has seen what became of the channel to the trunk: the call was over when that of the caller was. */
  final: boolean;
  /** Seconds, where the moment of the answer is not known. */
  talked: number | null;
  outcome: CallOutOutcome | null;
  /** A limit that was met where the channels are counted. */
  refused: string | null;
  cause: number | null;
  endedBy: EndingSide | null;
  /** The endpoint of the trunk that took the call. */
  trunk: string | null;
  tries: readonly CallTry[];
}

/** What becomes of a call to the outside; see `calls.outcome`. */
export type CallOutOutcome =
  'answered' | 'abandoned' | 'busy' | 'no-answer' | 'refused' | 'unreachable' | 'failed';

/** Calls to the outside that the database holds for under way on a node. */
export interface OpenCallOut {
  uniqueid: string;
  /** The channel as long as which it lasts. */
  channel: string;
  /** The watch over the node ran out between its beginning and now, last at this moment. */
  unwatchedSince: string | null;
}

/**
 * The calls to the outside from one Asterisk node. Every function may be told the same twice, by another server and in
 * another order than it happened: the first word stays, and a later one adds what was not known. A call that came in and
 * is sent on to a number outside stays one that came in, with number, trunk and tries.
 */
export class CallOutRecords {
  constructor(
    private readonly db: Queryable,
    readonly node: string,
  ) {}

  /** Calls have begun, or were refused. Returns those that are recorded: of others there is no such team. */
  async begun(calls: readonly CallOutBegun[]): Promise<string[]> {
    const rows = await prepared<{ uniqueid: string }>(this.db, sql.begun, {
      node: this.node,
      calls: JSON.stringify(calls),
    });
    return rows.map(({ uniqueid }) => uniqueid);
  }

  /** What was told of calls. Returns those that are recorded: of the others, the beginning may not be yet. */
  async told(calls: readonly CallOutTold[]): Promise<string[]> {
    const rows = await prepared<{ uniqueid: string }>(this.db, sql.told, {
      node: this.node,
      told: JSON.stringify(calls),
    });
    return rows.map(({ uniqueid }) => uniqueid);
  }

  /** Channels to trunks are gone. Returns those with which a call has ended. */
  async legsEnded(legs: readonly { leg: string; secondsAgo: number }[]): Promise<string[]> {
    const rows = await prepared<{ leg: string }>(this.db, sql.legsEnded, {
      node: this.node,
      told: JSON.stringify(legs),
    });
    await prepared(this.db, sql.furtherEnded, { node: this.node, told: JSON.stringify(legs) });
    return rows.map(({ leg }) => leg);
  }

  /** Calls are over whose end nobody saw, at this moment at the latest. */
  async endedUnseen(calls: readonly { uniqueid: string; at: string | null }[]): Promise<void> {
    await prepared(this.db, sql.endedUnseen, { node: this.node, told: JSON.stringify(calls) });
  }

  /** What the database holds for under way. */
  async open(): Promise<OpenCallOut[]> {
    return prepared<OpenCallOut>(this.db, sql.open, { node: this.node });
  }
}
