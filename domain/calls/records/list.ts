import type { Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { checkChoice, checkWhole, unknown } from '../../names.js';
import { callingCode } from '../../telephone-numbers.js';
import { requireTeam } from '../../provisioning/team.js';
import { secondsOfCall } from './holds.js';
import { callOutcomes, unserved } from './outcomes.js';

/** A call in a list. */
export interface ListedCall {
  id: number;
  uniqueid: string;
  direction: CallDirection;
  arrivedAt: Date;
  caller: string | null;
  did: string | null;
  /** The number outside that was called. */
  number: string | null;
  /** The group whose queue it came to first, or to which its DID led; of a call to the outside that of who called. */
  group: string | null;
  /** Where it was answered; of a call to the outside, who called. */
  extension: string | null;
  /** Who answered first, or called outside. */
  agent: string | null;
  /** The trunk that took a call to the outside, by its name of then. */
  trunk: string | null;
  /** The user who pays for a call to the outside; null: the team. */
  payer: string | null;
  answeredAt: Date | null;
  endedAt: Date | null;
  /** Null: it goes on. */
  outcome: string | null;
  /** Why a call to the outside was not let out. */
  refused: string | null;
  /**
   * From the answer to the end, or so far, without the time on hold: the three add up to it. `consultSeconds`: of waiting
   * while somebody was asked. Null: nobody has answered.
   */
  talkSeconds: number | null;
  holdSeconds: number | null;
  consultSeconds: number | null;
  recordings: number;
}

export const callDirections = ['in', 'out', 'internal'] as const;
export type CallDirection = (typeof callDirections)[number];

export interface CallFilter {
  since?: Date;
  until?: Date;
  /** Calls that came for this group or stood in its queue. */
  group?: string;
  /** The same for any of these. */
  groups?: readonly string[];
  /** Calls that this agent, by number, answered or made. */
  agent?: string;
  /** Agents and groups are those of today alone, not whoever had that number or name before. */
  living?: boolean;
  direction?: string;
  did?: string;
  caller?: string;
  /** Calls to this number outside. */
  number?: string;
  /** Calls over this trunk, by its name of then. */
  trunk?: string;
  /** Calls for which this user pays, by user name. */
  user?: string;
  outcome?: string;
  /** Only the last call of each caller, if nobody has spoken to them in it. */
  unreturned?: boolean;
  /** Id of the last call of the page before. */
  before?: number;
  limit?: number;
}

export interface CallPage {
  calls: ListedCall[];
  /** Where the next page begins, for `before`; null: there is none. */
  next: number | null;
}

export const usualPage = 50;
const largestPage = 1000;

/**
 * A page of a team's calls, the newest first. Every filter has an index that begins with the team, so that a page costs
 * the same however many calls there are.
 *
 * @throws Star64Error `usage` for a value that is none, `unknown` for a team or a group that there is not.
 */
export function listCalls(db: Queryable, team: string, filter: CallFilter = {}): Promise<CallPage> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const limit = checkWhole('size of a page', { from: 1, to: largestPage }, filter.limit ?? usualPage);
    if (filter.outcome !== undefined) checkChoice('outcome', callOutcomes, filter.outcome);
    if (filter.direction !== undefined) checkChoice('direction', callDirections, filter.direction);
    const groups = filter.group === undefined ? filter.groups : [filter.group];
    const groupIds = groups && (await groupsOf(db, teamId, team, groups, filter.living));
    const values: Record<string, unknown> = { teamId, limit: limit + 1 };
    if (filter.user !== undefined) values['userIds'] = await usersOf(db, teamId, team, filter.user);
    if (filter.agent !== undefined)
      values['agentIds'] = await agentsOf(db, teamId, team, filter.agent, filter.living);
    if (filter.unreturned) values['codes'] = await callingCodesOf(db, teamId);
    const did = filter.did === undefined ? undefined : await didOf(db, teamId, filter.did);
    let fits = [
      'c.team_id = :teamId',
      ...conditions({ ...filter, ...(did !== undefined && { did }) }, values),
    ];
    if (groupIds !== undefined) {
      values['ids'] = await idsOfGroups(db, fits, { ...values, groupIds });
      fits = ['c.id = any(:ids::bigint[])'];
    }
    const { rows } = await db.raw<{ rows: ListedCall[] }>(select(fits), values as never);
    const calls = rows.slice(0, limit);
    const last = calls.at(-1);
    return { calls, next: rows.length > limit && last ? last.id : null };
  });
}

function conditions(filter: CallFilter, values: Record<string, unknown>): string[] {
  const fits: string[] = [];
  const where = (condition: string, given: Record<string, unknown>): void => {
    fits.push(condition);
    Object.assign(values, given);
  };
  const { since, until, direction, did, caller, number, trunk, user, outcome, unreturned, before } = filter;
  if (since) where('c.arrived_at >= :since', { since });
  if (until) where('c.arrived_at < :until', { until });
  if (direction !== undefined) where('c.direction = :direction', { direction });
  if (number !== undefined) where('c.number = any(:number::text[])', { number: written(number) });
  if (trunk !== undefined) where('c.trunk = :trunk', { trunk: trunk.replaceAll('\0', '') });
  // Each has an index of its own: it costs what the agent has had, not what the team has.
  if (filter.agent !== undefined)
    fits.push(`c.id in (select id from calls where from_agent_id = any(:agentIds::integer[])
      union all select id from calls where answered_agent_id = any(:agentIds::integer[])
      union all select call_id from queue_visits where agent_id = any(:agentIds::integer[]))`);
  if (user !== undefined) fits.push('c.user_id = any(:userIds::integer[])');
  if (did !== undefined) where('c.did = :did', { did });
  if (caller !== undefined) where('c.caller = any(:caller::text[])', { caller: written(caller) });
  if (outcome !== undefined) where('c.outcome = :outcome', { outcome });
  if (before !== undefined)
    where(
      '(c.arrived_at, c.id) < (select b.arrived_at, b.id from calls b where b.id = :before and b.team_id = :teamId)',
      {
        before,
      },
    );
  if (unreturned) {
    where(`c.direction = 'in' and c.outcome = any(:unserved::text[]) and c.ended_at is not null`, {
      unserved,
    });
    // Whoever hides their number cannot be called back.
    fits.push(`c.caller ~ '[0-9]{3}'`, neverSpokenTo);
  }
  return fits;
}

/**
 * That the caller of `c` has not come back since, and that nobody has reached them: a later call by the same number is the
 * one that counts, whatever became of it, and one to that number which was answered. A trunk gives numbers as it likes,
 * and those that are called are kept in one form.
 */
const neverSpokenTo = `not exists (
  select from calls l where l.team_id = c.team_id and l.caller = c.caller and (l.arrived_at, l.id) > (c.arrived_at, c.id)
) and not exists (
  select from (
    select c.caller union select '+' || ltrim(c.caller, '+')
    union select '+' || substr(c.caller, 3) where c.caller like '00%'
    union select '+' || code || rest from unnest(:codes::text[]) as code, unnest(array[c.caller, substr(c.caller, 2)]) as rest
      where c.caller ~ '^[0-9]'
  ) as form (number) join calls o on o.team_id = c.team_id and o.number = form.number and o.direction = 'out'
    and o.answered_at is not null and o.arrived_at > c.arrived_at)`;

/** The codes of the countries from which callers of a team may be given without one: its own, and its trunks'. */
async function callingCodesOf(db: Queryable, teamId: number): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { country: string }[] }>(
    `select country from teams where id = :teamId and country is not null
     union select country from trunks where (team_id = :teamId or team_id is null) and country is not null`,
    { teamId },
  );
  return Promise.all(rows.map(({ country }) => callingCode(country)));
}

/** Ids of the users of the team, or of the system, who have or had that login. */
async function usersOf(db: Queryable, teamId: number, team: string, username: string): Promise<number[]> {
  const ids = await db('users')
    .where({ username: username.replaceAll('\0', '') })
    .whereRaw('(team_id = ? or team_id is null)', [teamId])
    .pluck<number[]>('id');
  if (ids.length === 0) throw unknown('user', team, username);
  return ids;
}

/** A number in the forms in which a trunk may have given it. */
function written(number: string): string[] {
  const text = number.replaceAll('\0', '');
  const bare = text.replace(/^\+/, '');
  return [...new Set([text, bare, `+${bare}`])];
}

/** A DID of the team as its calls have it; one that is none any more as it was typed. */
async function didOf(db: Queryable, teamId: number, typed: string): Promise<string> {
  const [did] = written(typed);
  // Each half has an index of its own; put together they have none.
  const { rows } = await db.raw<{ rows: { number: string }[] }>(
    `select number from (
       select team_id, number from dids where ltrim(number, '+') = ltrim(:did, '+') and not twin
       union all select team_id, number from dids where ltrim(number, '+') = ltrim(:did, '+') and twin) as d
     where team_id = :teamId order by number = :did desc limit 1`,
    { teamId, did: did ?? '' },
  );
  return rows[0]?.number ?? did ?? '';
}

/** Ids of the groups that have these names, or also of those that had them. */
async function groupsOf(
  db: Queryable,
  teamId: number,
  team: string,
  names: readonly string[],
  living = false,
): Promise<number[]> {
  const found = await db('agent_groups')
    .where({ team_id: teamId, ...(living && { removed_at: null }) })
    .whereIn('name', names)
    .select<{ id: number; name: string }[]>('id', 'name');
  const missing = names.find((name) => !found.some((one) => one.name === name));
  if (missing !== undefined) throw unknown('group', team, missing);
  return found.map(({ id }) => id);
}

/** Ids of the agent who has that number, or also of those who had it. */
async function agentsOf(
  db: Queryable,
  teamId: number,
  team: string,
  number: string,
  living = false,
): Promise<number[]> {
  const ids = await db('agents')
    .where({ team_id: teamId, number, ...(living && { removed_at: null }) })
    .pluck<number[]>('id');
  if (ids.length === 0) throw unknown('agent', team, number);
  return ids;
}

/** A call joins queues within this time after its arrival: longer than the longest wait of a queue. */
const longestCall = `interval '2 days'`;

/**
 * Ids among which a page of the calls of groups is: those that came for them, found by one index, and those that came into
 * their queues from elsewhere, found by another. Of these only visits are looked at whose calls can be on this page, and
 * PostgreSQL is told the bound as a value: it plans by it.
 */
async function idsOfGroups(
  db: Queryable,
  fits: readonly string[],
  values: Record<string, unknown>,
): Promise<number[]> {
  type Found = { id: number; arrivedAt: string }[];
  const page = async (more: string[], given = {}): Promise<Found> => {
    const { rows } = await db.raw<{ rows: Found }>(
      `select c.id, c.arrived_at::text as "arrivedAt" from calls c where ${[...fits, ...more].join(' and ')}
       order by c.arrived_at desc, c.id desc limit :limit`,
      { ...values, ...given } as never,
    );
    return rows;
  };
  const own = await page(['c.group_id = any(:groupIds::integer[])']);
  const oldest = own.length === values['limit'] ? own.at(-1)?.arrivedAt : undefined;
  const bounds = [
    ...(oldest === undefined ? [] : ['v.joined_at >= :oldest::timestamptz']),
    ...(values['since'] === undefined ? [] : ['v.joined_at >= :since']),
    ...(values['until'] === undefined ? [] : [`v.joined_at < :until::timestamptz + ${longestCall}`]),
    ...(values['before'] === undefined
      ? []
      : [`v.joined_at < (select b.arrived_at from calls b where b.id = :before) + ${longestCall}`]),
  ];
  const others = await page(
    [
      `c.id in (select v.call_id from queue_visits v
         where ${['v.group_id = any(:groupIds::integer[])', ...bounds].join(' and ')})`,
      '(c.group_id is null or c.group_id <> all(:groupIds::integer[]))',
    ],
    oldest === undefined ? {} : { oldest },
  );
  return [...own, ...others].map(({ id }) => id);
}

function select(fits: readonly string[]): string {
  const page = `select c.* from calls c where ${fits.join(' and ')} order by c.arrived_at desc, c.id desc limit :limit`;
  return `
    with page as (${page})
    select c.id, c.uniqueid, c.direction, c.arrived_at as "arrivedAt", c.caller, c.did, c.number, g.name as "group",
      coalesce(f.number, ax.number, x.number) as extension, coalesce(fa.number, a.number, aa.number) as agent, c.trunk,
      u.username as payer, c.answered_at as "answeredAt", c.ended_at as "endedAt", c.outcome, c.refused,
      p."talkSeconds", p."holdSeconds", p."consultSeconds",
      (select count(*) from recordings r where r.call_id = c.id and r.deleted_at is null)::integer as recordings
    from page c left join agent_groups g on g.id = c.group_id left join extensions x on x.id = c.extension_id
    left join lateral (
      select agent_id from queue_visits v where v.call_id = c.id and v.answered_at is not null order by v.id limit 1
    ) v on true left join agents a on a.id = v.agent_id
    left join extensions ax on ax.id = c.answered_extension_id left join agents aa on aa.id = c.answered_agent_id
    left join extensions f on f.id = c.from_extension_id left join agents fa on fa.id = c.from_agent_id
    left join users u on u.id = c.user_id
    left join lateral (${secondsOfCall('c')}) p on true
    order by c.arrived_at desc, c.id desc`;
}
