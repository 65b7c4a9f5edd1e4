import type { Logger } from 'pino';
import type { Callbacks } from '../../domain/calls/queue/callbacks.js';
import type { CallJournal } from '../../domain/calls/records/journal.js';
import type { CallsOut } from '../../domain/calls/outbound/calls-out.js';
import type { CallSteps } from '../../domain/calls/records/steps.js';
import type { Database } from '../../domain/database/pool.js';
import type { Membership } from '../../domain/presence/membership.js';
import type { Outbound } from '../../domain/calls/outbound/outbound-memory.js';
import type { QueuePlaces } from '../../domain/calls/queue/queue-places.js';
import type { RingGroups } from '../../domain/calls/routing/ring-groups.js';
import type { Routing } from '../../domain/calls/routing/routing.js';
import type { UnknownNumbers } from '../../domain/calls/routing/unknown-numbers.js';
import type { Session } from '../wire/session.js';

/** Everything that scripts work with. */
export interface Services {
  db: Database;
  membership: Membership;
  routing: Routing;
  ringGroups: RingGroups;
  outbound: Outbound;
  journal: CallJournal;
  /** For calls to the outside, let out or refused. */
  callsOut: CallsOut;
  /** For what a script decides of a call, or hears of it, and the story of the call is to say. */
  steps: CallSteps;
  /** Callers who are to be called back, and the places of those who go back into a queue. */
  callbacks: Callbacks;
  places: QueuePlaces;
  unknownNumbers: UnknownNumbers;
  log: Logger;
}

/** A question of the dialplan, by the name in its URL. The arguments are those of the dialplan, in its order. */
export type Script = (services: Services, session: Session, args: readonly string[]) => Promise<void>;
