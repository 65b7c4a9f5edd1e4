import { change } from './change.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { type Queryable } from '../database/pool.js';
import { canBeName, checkChoice, checkName, checkText, checkWhole, unknown } from '../names.js';
import { requireTeam } from './team.js';

/** What becomes of an agent who pauses for longer than the reason allows. */
export const pauseEnds = ['ready', 'sign-out'] as const;

/** Why agents of a team may pause. */
export interface PauseReason {
  team: string;
  /** Keyed after the code for a pause; 0 is a pause without a reason. */
  digit: string;
  name: string;
  /** Longest pause; null: no limit. */
  maxSeconds: number | null;
  atEnd: (typeof pauseEnds)[number];
}

export interface PauseReasonChanges {
  name?: string;
  maxSeconds?: number | null;
  atEnd?: string;
}

const select = `select t.identity as team, p.digit, p.name, p.max_seconds as "maxSeconds", p.at_end as "atEnd"
  from pause_reasons p join teams t on t.id = p.team_id where p.team_id = :teamId`;

/** Adds a reason; without a limit, and to be ready again at its end, unless said otherwise. */
export function addPauseReason(
  db: Queryable,
  team: string,
  values: { digit: string; name: string } & PauseReasonChanges,
): Promise<PauseReason> {
  const digit = checkName('pause-reason', values.digit);
  const columns = checkColumns(values);
  const attempt = { verb: 'add', kind: 'pause-reason', team, name: digit, label: values.name } as const;
  return change(db, attempt, async (trx) => {
    const teamId = await requireTeam(trx, team);
    await trx('pause_reasons').insert({ team_id: teamId, digit, ...columns });
    return readPauseReason(trx, team, digit);
  });
}

/** The reasons of a team, by digit. */
export function listPauseReasons(db: Queryable, team: string): Promise<PauseReason[]> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { rows } = await db.raw<{ rows: PauseReason[] }>(`${select} order by p.digit`, { teamId });
    return rows;
  });
}

/** One reason; `not_found` when the team has none at that digit. */
export function showPauseReason(db: Queryable, team: string, digit: string): Promise<PauseReason> {
  return withDatabaseErrors(() => readPauseReason(db, team, digit));
}

/** Changes what is given, for pauses that begin from now on: one under way keeps its name and its end. */
export function setPauseReason(
  db: Queryable,
  team: string,
  digit: string,
  changes: PauseReasonChanges,
): Promise<PauseReason> {
  const columns = checkColumns(changes);
  const attempt = { verb: 'set', kind: 'pause-reason', team, name: digit, label: changes.name } as const;
  return change(db, attempt, async (trx) => {
    await readPauseReason(trx, team, digit);
    const teamId = await requireTeam(trx, team);
    if (Object.keys(columns).length > 0) {
      await trx('pause_reasons').where({ team_id: teamId, digit }).update(columns);
    }
    return readPauseReason(trx, team, digit);
  });
}

/** Removes a reason. The record of past pauses keeps its name. */
export function removePauseReason(db: Queryable, team: string, digit: string): Promise<void> {
  return change(db, { verb: 'remove', kind: 'pause-reason', team, name: digit }, async (trx) => {
    await readPauseReason(trx, team, digit);
    const teamId = await requireTeam(trx, team);
    await trx('pause_reasons').where({ team_id: teamId, digit }).delete();
  });
}

function checkColumns({ name, maxSeconds, atEnd }: PauseReasonChanges) {
  return {
    ...(name !== undefined && { name: checkText('name of a pause reason', name, 'Lunch') }),
    ...(maxSeconds !== undefined && {
      max_seconds:
        maxSeconds === null ? null : checkWhole('longest pause', { from: 1, to: 86_400 }, maxSeconds),
    }),
    ...(atEnd !== undefined && { at_end: checkChoice('end of a pause', pauseEnds, atEnd) }),
  };
}

async function readPauseReason(db: Queryable, team: string, digit: string): Promise<PauseReason> {
  const teamId = await requireTeam(db, team);
  const { rows } = canBeName('pause-reason', digit)
    ? await db.raw<{ rows: PauseReason[] }>(`${select} and p.digit = :digit`, { teamId, digit })
    : { rows: [] };
  const row = rows[0];
  if (!row) throw unknown('pause-reason', team, digit);
  return row;
}
