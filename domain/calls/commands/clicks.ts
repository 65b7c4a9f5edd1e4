import type { Database, Queryable } from '../../database/pool.js';
import { prepared } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { fail } from '../../errors.js';
import { quoted, unknown } from '../../names.js';
import { requireTeam } from '../../provisioning/team.js';
import { callCommandTimes, checkDone, giveCommandOfTeam, resultOf } from './call-commands.js';
import { clickUniqueid } from './click-records.js';
import { clickTarget } from './click-target.js';

/** A call that software starts for an agent (spec 41-44). */
export interface CallWanted {
  /** Number of the agent. */
  agent: string;
  /** As they would dial it, or with + in front a number outside. */
  to: string;
  /** Made up by who asks: given again, nothing is done again, and the first answer comes. */
  id?: string | undefined;
  /** Has the agent's phone pick up by itself, if it can (Call-Info, Alert-Info). */
  autoAnswer?: boolean | undefined;
  /** Who asks, as `cli:anna:1f0c9a2b`. */
  by: string;
}

/** A call whose first leg rings. */
export interface CallStarted {
  team: string;
  /** Asterisk's uniqueid of the call. */
  call: string;
  agent: string;
  extension: string;
  to: string;
}

/** What can be dialled for an agent: no feature code, which would be another function of theirs. */
const dialledForm = /^[+]?[0-9]{1,30}$/;
const requestForm = /^[!-~]{1,100}$/;

/**
 * Starts a call for an agent: their phone is rung, and the number is called once they have answered, as if they had dialled it
 * (their rights, limits, caller ID and records). Returns when their phone is being rung.
 *
 * @throws Star64Error `not_signed_in`, `in_call`, `no_application`, `call_not_allowed`, `phone_unreachable`,
 *   `phone_is_telephone`, `manager_may_not`, `no_server`, `call_command_unknown` (nobody tries again), `not_dialled`,
 *   `invalid_request_id`, `request_taken`, `unknown`.
 */
export async function startCall(
  db: Database,
  team: string,
  wanted: CallWanted,
  times = callCommandTimes,
): Promise<CallStarted> {
  const { agent, to, id: request, by } = wanted;
  if (!dialledForm.test(to))
    throw fail('not_dialled', {
      noun: 'call',
      name: to,
      facts: { team },
      says: `${quoted(to)} is not dialled for an agent`,
      remedy: { text: 'give up to 30 digits as they would dial them, or a number outside with + in front' },
    });
  if (request !== undefined && !requestForm.test(request))
    throw fail('invalid_request_id', {
      facts: { team },
      says: 'the id of a call has 1 to 100 visible characters and no spaces',
    });
  const autoAnswer = wanted.autoAnswer === true;
  const given = { agent, to, ...(autoAnswer && { auto_answer: 'yes' }) };
  const command = await withDatabaseErrors(async () => {
    const before = async () => (request === undefined ? undefined : givenBefore(db, team, request, given));
    const known = await before();
    if (known) return known;
    try {
      await clickTarget(db, team, agent, { autoAnswer });
    } catch (error) {
      // What keeps them may be this very call, which another request with the id has begun since it was looked for.
      const meanwhile = await before();
      if (meanwhile) return meanwhile;
      throw error;
    }
    return (
      (await giveCommandOfTeam(db, { team, kind: 'originate', given, by, request }, times.claimSeconds)) ??
      givenBefore(db, team, request ?? '', given)
    );
  });
  if (!command) throw unknown('team', null, team);
  const became = await resultOf(db, command.id, times);
  checkDone(
    became,
    { noun: 'agent', name: agent, facts: { team, node: command.node, kind: 'originate' } },
    times,
  );
  return withDatabaseErrors(async () => {
    const [row] = await prepared<{ extension: string }>(
      db,
      `select x.number as extension from call_commands k join clicks o on o.call_id = k.call_id
       join extensions x on x.id = o.extension_id where k.id = ?`,
      [command.id],
    );
    return { team, call: clickUniqueid(command.id), agent, extension: row?.extension ?? '', to };
  });
}

/** The command that was given with this id; one that no server has taken in time did nothing, and is given anew. */
async function givenBefore(
  db: Queryable,
  team: string,
  request: string,
  given: object,
): Promise<{ id: string; node: string } | undefined> {
  const teamId = await requireTeam(db, team);
  await prepared(
    db,
    `update call_commands set request = null where team_id = ? and request = ? and result = 'expired' and claimed_at is null`,
    [teamId, request],
  );
  const [row] = await prepared<{ id: string; node: string; same: boolean }>(
    db,
    `select id, node, kind = 'originate' and arguments = :given::jsonb as same from call_commands
     where team_id = :teamId and request = :request`,
    { teamId, request, given: JSON.stringify(given) },
  );
  if (row && !row.same)
    throw fail('request_taken', {
      facts: { team, id: request },
      says: `the id ${request} was given before for another call`,
      remedy: {
        text: 'make up a new id for each call, and give it again only with the same agent, number and auto_answer',
      },
    });
  return row;
}
