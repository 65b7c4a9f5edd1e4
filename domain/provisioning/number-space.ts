import type { Attempt } from './attempt.js';
import type { Queryable } from '../database/pool.js';
import { command } from '../names.js';

/** A number that phones of a team can dial, and what it is now. */
interface Holder {
  number: string;
  user: string | null;
  group: string | null;
  leaving: boolean;
  feature: string | null;
}

const holders = `select n.number, u.username as "user", g.name as "group", g.leaving_since is not null as leaving, f.feature
  from numbers n join teams t on t.id = n.team_id
  left join extensions x on x.team_id = n.team_id and x.number = n.number
  left join users u on u.id = x.user_id
  left join agent_groups g on g.team_id = n.team_id and g.number = n.number
  left join feature_codes f on f.team_id = n.team_id and f.code = n.number
  where t.identity = :team`;

/** Why a number is not free: names what holds it. */
export async function numberTaken(db: Queryable, attempt: Attempt): Promise<string> {
  const number = wanted(attempt);
  const { rows } = await db.raw<{ rows: Holder[] }>(`${holders} and n.number = :number`, {
    team: attempt.team,
    number,
  });
  const holder = rows[0] ? describe(rows[0]) : 'taken';
  return `number ${number} of team ${attempt.team ?? ''} is ${holder} already: choose another ${word(attempt)}.`;
}

/** Why a feature code exists already. */
export async function codeTaken(db: Queryable, attempt: Attempt): Promise<string> {
  const code = wanted(attempt);
  const { rows } = await db.raw<{ rows: Holder[] }>(`${holders} and f.code = :code`, {
    team: attempt.team,
    code,
  });
  const feature = rows[0]?.feature;
  return `feature code ${code} of team ${attempt.team ?? ''} exists already${feature ? `, for ${feature}` : ''}: choose another code, or change it with ${command(attempt.team, `feature-code set ${shellCode(code)}`)}.`;
}

/**
 * Why a number that nothing has is not free: digits may follow a feature code, so whatever begins with one would
 * never be reached.
 */
export async function prefixTaken(db: Queryable, attempt: Attempt): Promise<string> {
  const { team, kind, verb } = attempt;
  const number = wanted(attempt);
  const isCode = kind === 'feature-code';
  const { rows } = await db.raw<{ rows: Holder[] }>(
    `${holders} and n.number <> :number
       and ((f.code is not null and starts_with(:number, n.number)) or (:isCode and starts_with(n.number, :number)))
       and n.number is distinct from :replaced
     order by length(n.number), n.number limit 1`,
    { team, number, isCode, replaced: isCode && verb === 'set' ? attempt.name : null },
  );
  const holder = rows[0];
  const what = `${isCode ? 'feature code' : 'number'} ${number} of team ${team ?? ''}`;
  if (!holder) return `${what} was taken at the same moment. Look, and try again.`;
  if (holder.number.length < number.length) {
    const move = command(team, `feature-code set ${shellCode(holder.number)} --code <other>`);
    return `${what} begins with ${holder.number}, ${describe(holder)}, and digits may follow a code: choose another ${word(attempt)}, or change the code with ${move}.`;
  }
  return `${what} is the beginning of ${holder.number}, ${describe(holder)}, and digits may follow a code: choose another code.`;
}

/** A feature code as it is typed into a shell, which would look for files with a star. */
export const shellCode = (code: string): string => (code.includes('*') ? `'${code}'` : code);

const wanted = ({ number, name }: Attempt): string => number ?? name;
const word = ({ kind }: Attempt): string => (kind === 'feature-code' ? 'code' : 'number');

function describe({ number, user, group, leaving, feature }: Holder): string {
  if (user !== null) return `extension ${number} of user ${user}`;
  if (group !== null) return `the queue of group ${group}${leaving ? ', which is leaving' : ''}`;
  return feature === null ? 'taken' : `the feature code for ${feature}`;
}
