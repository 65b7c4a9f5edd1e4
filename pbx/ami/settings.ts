import type { AmiMessage } from './message.js';

export interface ManagerSettings {
  host: string;
  port: number;
  username: string;
  secret: string;
  /**
   * Names of the events to deliver, any case; false opens no connection for events (and `up` then cannot tell a restart
   * from a blip). Name only events whose values Asterisk escapes (channel, queue and agent events) or that the
   * generated dialplan writes (UserEvent), and take each for a hint: read the state back.
   */
  events: readonly string[] | false;
  /** Event classes these names belong to, as in manager.conf: the less, the fewer are sent. Default agent, user. */
  eventClasses?: readonly string[];
  /** An action without an answer is over after this. Default 2000. */
  actionDeadlineMs?: number;
  /** Connecting and login together, and then once more Asterisk's finishing to start. Default 5000. */
  connectDeadlineMs?: number;
  /** A dead connection is noticed after this and one action deadline at the latest. Default 10000. */
  pingEveryMs?: number;
  /** Delay before the first new attempt (half of it is random), doubled for each next one. Default 100. */
  reconnectFirstMs?: number;
  /** The longest such delay. Default 5000. */
  reconnectMaxMs?: number;
}

/** Settings that hold where none is given. */
export const managerDefaults = {
  eventClasses: ['agent', 'user'],
  actionDeadlineMs: 2_000,
  connectDeadlineMs: 5_000,
  pingEveryMs: 10_000,
  reconnectFirstMs: 100,
  reconnectMaxMs: 5_000,
} as const satisfies Partial<ManagerSettings>;

/** Asterisk's age at the moment the connection is ready. */
export interface UpInfo {
  /**
   * `start`: the first connection of this object. `blip`: the same Asterisk as before, but events may be missing.
   * `restart`: it was started anew in between (queue members are gone). `unknown`: it did not say.
   */
  since: 'start' | 'blip' | 'restart' | 'unknown';
  /** Seconds since Asterisk started, and since its last reload; null when it did not say. */
  uptimeS: number | null;
  lastReloadS: number | null;
}

export interface ManagerEvents {
  /**
   * Actions work and events flow. Read all state back now. Comes a second time without a `down` when Asterisk finishes
   * starting later than we waited for it.
   */
  up: [info: UpInfo];
  /** The connection is lost; everything pending has been rejected. */
  down: [reason: string];
  event: [event: AmiMessage];
}
