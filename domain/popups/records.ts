import { prepared, type Queryable } from '../database/pool.js';
import * as sql from './records-sql.js';

/** What the agent is shown a call for: see `popups.kind`. */
export const popupKinds = ['outbound', 'direct', 'queue'] as const;
export type PopupKind = (typeof popupKinds)[number];

/** What became of a popup without an answer; see `popups.outcome`. */
export type PopupOutcome = 'missed' | 'rejected' | 'refused' | 'cancelled' | 'unanswered';

/** A phone rings, or calls outside, and an application may be there to show it. */
export interface PopupDue {
  /** Of the phone, by its uniqueid. */
  channel: string;
  /** Its linkedid. */
  call: string;
  kind: PopupKind;
  /** The phone: an extension by its team and number, or the operator's endpoint that it is. */
  team?: string;
  extension?: string;
  endpoint?: string;
  /** The caller's number, of a call that is not recorded: somebody who is called back. */
  caller: string | null;
  /** The call comes from outside, so that a server has decided about a binding, and records that a moment later. */
  arrives: boolean;
  /** Nothing more is waited for. */
  final: boolean;
  secondsAgo: number;
}

/** What was told of an open popup; null: nothing of that. */
export interface PopupTold {
  channel: string;
  answeredAgo: number | null;
  closedAgo: number | null;
  /** If nobody has answered. */
  outcome: PopupOutcome | null;
}

/**
 * The popups of one Asterisk node. Every function may be told the same twice, and by another server: a channel has one
 * popup, and the first word stays.
 */
export class PopupRecords {
  constructor(
    private readonly db: Queryable,
    readonly node: string,
  ) {}

  /**
   * Opens those popups for which the conditions hold (spec 29-40). Returns by channel what is decided: true, it is open;
   * false, there is none. Of the others the call is not recorded yet.
   */
  async due(due: readonly PopupDue[]): Promise<Map<string, boolean>> {
    const rows = await prepared<{ channel: string; open: boolean }>(this.db, sql.due, {
      node: this.node,
      due: JSON.stringify(due),
    });
    return new Map(rows.map(({ channel, open }) => [channel, open]));
  }

  /** Popups were answered, or are over. */
  async told(popups: readonly PopupTold[]): Promise<void> {
    await prepared(this.db, sql.told, { node: this.node, told: JSON.stringify(popups) });
  }

  /** What rings by a queue's doing, is recorded, and has no popup: whoever saw it begin is not there any more. */
  async missing(): Promise<PopupDue[]> {
    return prepared<PopupDue>(this.db, sql.missing, { node: this.node });
  }

  /** Those of these direct calls that are to have a popup (as `due` says), and have none. */
  async missingOf(ringing: readonly PopupDue[]): Promise<PopupDue[]> {
    if (ringing.length === 0) return [];
    const rows = await prepared<{ channel: string }>(this.db, sql.missingOf, {
      node: this.node,
      ringing: JSON.stringify(ringing),
    });
    const missing = new Set(rows.map(({ channel }) => channel));
    return ringing.filter(({ channel }) => missing.has(channel));
  }

  /** The channels whose popups the database holds for open. */
  async open(): Promise<string[]> {
    const rows = await prepared<{ channel: string }>(
      this.db,
      'select channel from popups where node = ? and closed_at is null order by id',
      [this.node],
    );
    return rows.map(({ channel }) => channel);
  }
}

/** Forgets popups of calls that were never recorded, of which nothing was saved, after 30 days; a thousand at a time. */
export async function forgetPopups(db: Queryable): Promise<void> {
  await prepared(db, sql.forget);
}
