import * as signIns from '../../domain/sign-in.js';
import { answerOutcome } from '../answer.js';
import type { Script } from './index.js';
import { extensionOf } from './phone.js';

/** `*65`: signs out whoever is signed in at the phone that dialled. Arguments: team, endpoint. Fails closed. */
export const signOut: Script = async ({ db, membership }, session, [team = '', endpoint = '']) =>
  answerOutcome(session, async () => {
    const extension = extensionOf(team, endpoint);
    if (extension === undefined) return 'unknown-phone';
    const result = await signIns.signOut(db, team, { extension }, session.request.uniqueid);
    if (result.outcome === 'signed-out') await membership.project(result.signIn);
    return result.outcome;
  });
