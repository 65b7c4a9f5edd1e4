import type { Logger } from 'pino';
import type { CallJournal } from '../../domain/calls/call.js';
import type { Database } from '../../domain/database/database.js';
import type { Membership } from '../../domain/presence/membership.js';
import type { Routing } from '../../domain/calls/routing.js';
import type { Session } from '../wire/session.js';
import { currentGroup } from './current-group.js';
import { inbound } from './inbound.js';
import { pause } from './pause.js';
import { ready } from './ready.js';
import { signInPin } from './sign-in-pin.js';
import { signIn } from './sign-in.js';
import { signOut } from './sign-out.js';
import { status } from './status.js';
import { workMode } from './work-mode.js';

/** What scripts work with. */
export interface Services {
  db: Database;
  membership: Membership;
  routing: Routing;
  journal: CallJournal;
  log: Logger;
}

/** A question of the dialplan, by the name in its URL. The arguments are those of the dialplan, in its order. */
export type Script = (services: Services, session: Session, args: readonly string[]) => Promise<void>;

export const scripts: ReadonlyMap<string, Script> = new Map([
  ['sign-in', signIn],
  ['sign-in-pin', signInPin],
  ['sign-out', signOut],
  ['pause', pause],
  ['ready', ready],
  ['work-mode', workMode],
  ['current-group', currentGroup],
  ['status', status],
  ['inbound', inbound],
]);
