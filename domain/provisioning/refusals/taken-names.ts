import { givenText, type Attempt } from './attempt.js';
import type { Queryable } from '../../database/pool.js';
import { placeOf } from './dependents.js';
import type { Star64Error } from '../../errors.js';
import { nounOf, quoted } from '../../names.js';
import { shellCode } from './number-space.js';
import { otherName, taken } from './taken.js';
import { trunkNamed } from '../values/trunk-names.js';

/** Numbers that are named together belong to one team, and two ranges of it do not overlap in part. */
export async function didOverlap(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const { scope, name } = attempt;
  const { rows } = await db.raw<{ rows: { team: string; number: string; own: boolean }[] }>(
    `select t.identity as team, d.number, d.team_id = :teamId as own
     from dids d join teams t on t.id = d.team_id, did_cover(:name) n
     where did_overlaps(n.lowest, n.highest, d.lowest, d.highest)
       and (d.team_id <> :teamId or d.number like '%..%'
         and not (n.lowest <= d.lowest and d.highest <= n.highest) and not (d.lowest <= n.lowest and n.highest <= d.highest))
     order by own, d.number limit 1`,
    { teamId: scope.teamId, name: attempt.noun.noun === 'did' ? name : '' },
  );
  const [other] = rows;
  if (!other)
    return taken(attempt, 'DIDs of two teams, or two ranges of one, would overlap', {
      text: 'remove one of the two, then try again',
    });
  const why = other.own ? 'neither of the two lies in the other' : 'a number belongs to one team';
  return taken(
    attempt,
    `DID ${name} has numbers of DID ${other.number} of team ${other.team}, and ${why}`,
    {
      text: 'choose others, or first {0}',
      steps: [{ noun: 'did', verb: 'remove', name: shellCode(other.number), team: other.team }],
    },
    { team: other.team, other: other.number },
  );
}

export async function hoursNumberTaken(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const { scope } = attempt;
  const number = givenText(attempt, 'number') ?? '';
  const row = await db('hours')
    .where({ team_id: scope.teamId, number })
    .first<{ name: string } | undefined>('name');
  const holder = row?.name ?? 'others';
  return taken(
    attempt,
    `hours ${holder} of team ${scope.team ?? ''} have number ${number} already`,
    { text: 'choose another number' },
    { holder },
  );
}

export function nameTaken(_db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const { noun, scope, name } = attempt;
  const says = `${nounOf(noun.noun)} ${name} of team ${scope.team ?? ''} exists already`;
  return Promise.resolve(taken(attempt, says, otherName(attempt, 'name')));
}

export function trunkTaken(_db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const says = `${trunkNamed(attempt.scope.team, attempt.name)} exists already`;
  return Promise.resolve(taken(attempt, says, { text: 'choose another name' }));
}

export function trunkGroupTaken(_db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const { noun, scope, name } = attempt;
  const says = `${nounOf(noun.noun)} ${name}${placeOf(noun, scope.team)} exists already`;
  return Promise.resolve(taken(attempt, says, { text: 'choose another name' }));
}

export async function userTaken(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const { scope, name, noun } = attempt;
  const row = await db('users')
    .where({ team_id: scope.teamId, username: name, removed_at: null })
    .first<{ name: string } | undefined>('name');
  const who = row ? ` (${quoted(row.name)})` : '';
  return taken(
    attempt,
    `user ${name}${placeOf(noun, scope.team)} exists already${who}`,
    otherName(attempt, 'user name'),
  );
}

export function pauseReason(
  db: Queryable,
  { scope }: Attempt,
  where: Record<string, string>,
): Promise<{ digit: string; name: string } | undefined> {
  return db('pause_reasons')
    .where({ team_id: scope.teamId, ...where })
    .first<{ digit: string; name: string } | undefined>('digit', 'name');
}
