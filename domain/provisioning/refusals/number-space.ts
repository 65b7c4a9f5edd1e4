import { givenText, type Attempt } from './attempt.js';
import type { Queryable } from '../../database/pool.js';
import { fail, type Star64Error, type Step } from '../../errors.js';

/** A number that phones of a team can dial, and what it is now. */
interface Holder {
  number: string;
  user: string | null;
  group: string | null;
  feature: string | null;
  ringGroup: string | null;
  room: string | null;
}

/** Of one number, or of those that a prefix rule finds: never a scan of the team's numbers, which may be 100,000. */
const holders = `select n.number, u.username as "user", g.name as "group", f.feature, r.name as "ringGroup",
    c.name as room
  from numbers n
  left join extensions x on x.team_id = n.team_id and x.number = n.number and x.removed_at is null
  left join users u on u.id = x.user_id
  left join agent_groups g on g.team_id = n.team_id and g.number = n.number and g.removed_at is null
  left join ring_groups r on r.team_id = n.team_id and r.number = n.number and r.removed_at is null
  left join rooms c on c.team_id = n.team_id and c.number = n.number
  left join feature_codes f on f.team_id = n.team_id and f.code = n.number
  where n.team_id = :teamId`;

/** Why a number is not free: names what holds it. */
export async function numberTaken(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const number = wanted(attempt);
  const { team, teamId } = attempt.scope;
  const holder = await holderOf(db, teamId, number);
  return fail('number_taken', {
    ...about(attempt),
    facts: { team, number, holder },
    says: `number ${number} of team ${team ?? ''} is ${holder} already`,
    remedy: { text: `choose another ${word(attempt)}` },
  });
}

/** Why a feature code exists already. */
export async function codeTaken(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const code = wanted(attempt);
  const { team, teamId } = attempt.scope;
  const { rows } = await db.raw<{ rows: Holder[] }>(`${holders} and n.number = :code`, { teamId, code });
  const feature = rows[0]?.feature;
  return fail('number_taken', {
    ...about(attempt),
    facts: { team, number: code, feature },
    says: `feature code ${code} of team ${team ?? ''} exists already${feature ? `, for ${feature}` : ''}`,
    remedy: { text: 'choose another code, or change it with {0}', steps: [setCode(code, team)] },
  });
}

/**
 * Why a number that nothing has is not free: digits may follow a feature code, so whatever begins with one would
 * never be reached.
 */
export async function prefixTaken(db: Queryable, attempt: Attempt): Promise<Star64Error> {
  const { scope, noun, verb, name } = attempt;
  const { team, teamId } = scope;
  const number = wanted(attempt);
  const isCode = noun.noun === 'feature-code';
  const { rows } = await db.raw<{ rows: Holder[] }>(
    `${holders} and n.number <> :number and n.number is distinct from :replaced
       and ((f.code is not null and n.number = any(:beginnings::text[]))
         -- Characters in the order of their codes: what follows a code is a digit, and a colon follows the digits.
         or (:isCode::boolean and n.number collate "C" > :number and n.number collate "C" < :number || ':'))
     order by length(n.number), n.number limit 1`,
    {
      teamId,
      number,
      isCode,
      beginnings: beginningsOf(number),
      replaced: isCode && verb === 'set' ? name : null,
    },
  );
  const holder = rows[0];
  const what = `${isCode ? 'feature code' : 'number'} ${number} of team ${team ?? ''}`;
  const details = { ...about(attempt), facts: { team, number, holder: holder?.number } };
  if (!holder) {
    return fail('changed_meanwhile', {
      ...details,
      says: `${what} was taken at the same moment.`,
      remedy: { text: 'Look, and try again' },
    });
  }
  if (holder.number.length < number.length) {
    return fail('code_prefix', {
      ...details,
      says: `${what} begins with ${holder.number}, ${describe(holder)}, and digits may follow a code`,
      remedy: {
        text: `choose another ${word(attempt)}, or change the code with {0}`,
        steps: [{ ...setCode(holder.number, team), options: '--code <other>' }],
      },
    });
  }
  return fail('code_prefix', {
    ...details,
    says: `${what} is the beginning of ${holder.number}, ${describe(holder)}, and digits may follow a code`,
    remedy: { text: 'choose another code' },
  });
}

/** A feature code as it is typed into a shell, which would look for files with a star. */
export const shellCode = (code: string): string => (code.includes('*') ? `'${code}'` : code);

const setCode = (code: string, team: string | null): Step => ({
  noun: 'feature-code',
  verb: 'set',
  name: shellCode(code),
  team,
});

const beginningsOf = (number: string): string[] =>
  Array.from({ length: number.length }, (_, index) => number.slice(0, index + 1));

export const about = ({ noun, name }: Attempt) => ({ noun: noun.noun, name });

/** The number that is to be taken: the key of what has one as its name, a field of a group. */
export function wanted(attempt: Attempt): string {
  const { noun, name } = attempt;
  return givenText(attempt, noun.noun === 'group' ? 'number' : noun.key) ?? name;
}
export const word = ({ noun }: Attempt): string => (noun.noun === 'feature-code' ? 'code' : 'number');

/** What a number is now: for a message about something else that wants it. */
export async function holderOf(db: Queryable, teamId: number | null, number: string): Promise<string> {
  const { rows } = await db.raw<{ rows: Holder[] }>(`${holders} and n.number = :number`, { teamId, number });
  return rows[0] ? describe(rows[0]) : 'taken';
}

function describe({ number, user, group, feature, ringGroup, room }: Holder): string {
  if (user !== null) return `extension ${number} of user ${user}`;
  if (group !== null) return `the queue of group ${group}`;
  if (ringGroup !== null) return `ring group ${number}`;
  if (room !== null) return `room ${number}`;
  return feature === null ? 'taken' : `the feature code for ${feature}`;
}
