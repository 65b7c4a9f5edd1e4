import { givenText, type Attempt } from './attempt.js';
import type { Queryable } from '../../database/pool.js';
import { usualEmergencies } from '../../emergency-defaults.js';
import { fail, type Star64Error } from '../../errors.js';
import { about, holderOf, wanted, word } from './number-space.js';

/**
 * Why a number that nothing has is not free: it is an emergency number, or one begins with it, and a telephone that sends
 * digit by digit would never get to that.
 */
export async function numberIsEmergency(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const number = wanted(attempt);
  const { team, teamId } = attempt.scope;
  const { rows } = await db.raw<{ rows: { dialled: string }[] }>(
    `select e as dialled from teams t, emergency_numbers(t.emergency, t.outside_prefix) e
     where t.id = :teamId and starts_with(e, :number) order by length(e), e limit 1`,
    { teamId, number },
  );
  const dialled = rows[0]?.dialled ?? 'an emergency number';
  const what = noun(attempt);
  return fail('emergency_number', {
    ...about(attempt),
    facts: { team, number, emergency: dialled },
    says:
      dialled === number
        ? `${what} ${number} of team ${team ?? ''} is dialled for emergencies`
        : `${what} ${number} of team ${team ?? ''} is the beginning of ${dialled}, which is dialled for emergencies`,
    remedy: {
      text: `choose another ${word(attempt)}, or say with {0} which emergency numbers there are`,
      steps: [{ noun: 'team', verb: 'set', name: team ?? '', options: '--emergency <numbers>' }],
    },
  });
}

const noun = ({ noun }: Attempt): string => (noun.noun === 'feature-code' ? 'feature code' : 'number');

/** Why a team cannot have an emergency number: its phones dial that, or its beginning, for something else. */
export async function emergencyIsNumber(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const { name: team, given } = attempt;
  const { country } = given as { country?: string | null };
  const { rows } = await db.raw<{ rows: { teamId: number; number: string; dialled: string }[] }>(
    `select t.id as "teamId", n.number, e as dialled
     from teams t
     join emergency_numbers(coalesce(:numbers, t.emergency), coalesce(:prefix, t.outside_prefix)) e on true
     -- The numbers with which it begins, each looked up: a team may have 100,000.
     join numbers n on n.team_id = t.id
       and n.number = any(array(select left(e, length) from generate_series(1, length(e)) as length))
     where t.identity = :team order by length(e), e, n.number limit 1`,
    {
      team,
      numbers: givenText(attempt, 'emergency') ?? (country === undefined ? null : usualEmergencies(country)),
      prefix: givenText(attempt, 'outsidePrefix') ?? null,
    },
  );
  const [found] = rows;
  if (!found) {
    return fail('changed_meanwhile', {
      ...about(attempt),
      says: `team ${team} was not changed: one of its numbers was taken at the same moment.`,
      remedy: { text: 'Look, and try again' },
    });
  }
  const { teamId, number, dialled } = found;
  const where = number === dialled ? 'is' : `begins with ${number},`;
  return fail('emergency_number', {
    ...about(attempt),
    facts: { team, number, emergency: dialled },
    says: `emergency number ${dialled} of team ${team} ${where} ${await holderOf(db, teamId, number)}`,
    remedy: {
      text: 'give that another number first, or leave this one out with {0}',
      steps: [{ noun: 'team', verb: 'set', name: team, options: '--emergency <others>' }],
    },
  });
}
