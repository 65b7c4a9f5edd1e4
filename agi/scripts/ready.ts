import * as signIns from '../../domain/sign-in.js';
import { answerOutcome } from '../answer.js';
import type { Script } from './index.js';
import { extensionOf } from './phone.js';

/**
 * `*67`: ends the wrap-up or pause of the agent at the phone that dialled. Arguments: team, endpoint. With no
 * server to ask, the dialplan ends a wrap-up by itself.
 */
export const ready: Script = async ({ db, membership }, session, [team = '', endpoint = '']) =>
  answerOutcome(session, async () => {
    const extension = extensionOf(team, endpoint);
    if (extension === undefined) return 'unknown-phone';
    const result = await signIns.ready(db, team, { extension });
    if (result.outcome === 'ready') await membership.project(result.signIn);
    return result.outcome;
  });
