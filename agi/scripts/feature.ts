import {
  callersExtension,
  extensionOfEndpoint,
  recordGuard,
} from '../../domain/presence/callers-extension.js';
import { noteAct } from '../../domain/presence/last-act.js';
import { answerOutcome, type Notice, type Told } from '../answer.js';
import { noteFeature } from '../feature-log.js';
import type { Session } from '../wire/session.js';
import type { Script, Services } from './script.js';

/** A feature code as it was dialled. */
export interface Dialled {
  team: string;
  /** The phone: its number in the team. */
  extension: string;
  /** Digits dialled after the code, or keyed when asked for. */
  digits: string | undefined;
  /** Names the call, so that a question asked twice is recognised. */
  by: string;
  session: Session;
}

/**
 * A script for a feature code. Its arguments are team, endpoint, digits and the caller's number; what `decide` finds is
 * said at the phone, after a pause for missed calls, of which the agent may not know.
 */
export const feature =
  (decide: (services: Services, dialled: Dialled) => Promise<Told>): Script =>
  (services, session, [team = '', endpoint = '', digits = '', caller = '']) => {
    let extension: string | undefined;
    const decided = async (say: (notice: Notice) => void): Promise<Told> => {
      extension =
        extensionOf(team, endpoint) ??
        (await operatorsPhone(services, session, team, endpoint)) ??
        (await callersExtension(services.db, team, endpoint, caller));
      if (extension === undefined) return 'unknown-phone';
      if ((await noteAct(services.db, team, extension)).missed) say('missed');
      const by = session.request.uniqueid;
      return decide(services, { team, extension, digits: digits === '' ? undefined : digits, by, session });
    };
    return answerOutcome(session, decided, (outcome, facts) =>
      noteFeature(
        services.log,
        { script: session.request.script, team, phone: extension ?? endpoint, digits },
        outcome,
        facts,
      ),
    );
  };

/**
 * The extension behind the SIP endpoint that dialled, undefined if the endpoint is not one of the team. A SIP phone is
 * known by its endpoint, which Asterisk has authenticated, never by caller ID.
 */
function extensionOf(team: string, endpoint: string): string | undefined {
  const [, owner, number] = /^([a-z][a-z0-9]{1,19})-([0-9]{2,10})$/.exec(endpoint) ?? [];
  return owner === team ? number : undefined;
}

/**
 * The extension that is an endpoint of the operator's own. Whether the endpoint puts its channels into the group of the
 * phone shows on the channel that has dialled; the answer does not wait for it.
 */
async function operatorsPhone(
  { db, membership, log }: Services,
  session: Session,
  team: string,
  endpoint: string,
): Promise<string | undefined> {
  const extension = await extensionOfEndpoint(db, team, endpoint);
  if (extension === undefined) return undefined;
  const look = async (): Promise<void> => {
    const guarded = await membership.isGuarded(session.request.channel, endpoint);
    if (guarded !== undefined) await recordGuard(db, team, endpoint, guarded);
  };
  look().catch((error: unknown) => {
    log.debug(
      { team, endpoint, reason: (error as Error).message },
      'not seen whether an endpoint is guarded',
    );
  });
  return extension;
}
