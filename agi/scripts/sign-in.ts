import * as signIns from '../../domain/sign-in.js';
import { answerOutcome } from '../answer.js';
import type { Script } from './index.js';
import { extensionOf } from './phone.js';

/** `*64`: signs the agent in at the phone that dialled. Arguments: team, endpoint, agent number. Fails closed. */
export const signIn: Script = async ({ db, membership }, session, [team = '', endpoint = '', agent = '']) =>
  answerOutcome(session, async () => {
    const extension = extensionOf(team, endpoint);
    if (extension === undefined) return 'unknown-phone';
    const by = session.request.uniqueid;
    const result = await signIns.signIn(db, team, { agent, extension, by });
    if (result.outcome === 'signed-in') await membership.project(result.signIn);
    return result.outcome;
  });
