import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { usage } from '../errors.js';
import { checkWhole, quoted } from '../names.js';
import type { Principal } from '../provisioning/people/principal.js';

/** What can be dialled within the team, by number. */
export interface DirectoryEntry {
  /** As it is dialled: for an agent with the feature code that calls them where they are. */
  number: string;
  name: string | null;
  kind: 'extension' | 'agent' | 'group' | 'ring-group';
  /** The number of the agent. */
  agent: string | null;
}

/** Of a directory so many, unless who asks says another number. */
const usualDirectory = 500;
export const largestDirectory = 1000;

/** What is asked of a directory. */
export interface DirectoryQuestion {
  /** What one has typed: the beginning of a number, or some of a name. */
  q?: string | undefined;
  limit?: number | undefined;
  /** `next` of the piece before. */
  after?: string | undefined;
}

/**
 * Whom somebody can consult within the team, by name: names and numbers, nothing of how they stand. `next`: behind which there
 * are more. A program or administrator limited to groups has these and the people in them.
 *
 * @throws Star64Error `usage` for a `limit` or `after` that is none.
 */
export function readDirectory(
  db: Queryable,
  { team, kind, groups, agents }: Pick<Principal, 'team' | 'kind' | 'groups' | 'agents'>,
  { q = '', limit = usualDirectory, after }: DirectoryQuestion = {},
): Promise<{ entries: DirectoryEntry[]; next: string | null }> {
  checkWhole('size of a directory', { from: 1, to: largestDirectory }, limit);
  // Agents call and ask each other across groups.
  const isLimited = kind !== 'agent' && groups !== undefined;
  const typed = q.replaceAll('\0', '').trim();
  const like = typed.replace(/[\\%_]/g, '\\$&');
  const [name, of, number] = after === undefined ? [null, null, null] : placeIn(after);
  return withDatabaseErrors(async () => {
    const found = await prepared<DirectoryEntry>(
      db,
      `with t as (select id from teams where identity = :team)
       select * from (
         select x.number, u.name, 'extension' as kind, null as agent from extensions x join t on t.id = x.team_id
           join users u on u.id = x.user_id where x.removed_at is null
             and (not :isLimited::boolean or exists (select from agents o where o.user_id = x.user_id
               and o.number = any(:agents::text[]) and o.removed_at is null))
         union all select (select min(c.code) from feature_codes c where c.team_id = a.team_id and c.feature = 'call-agent')
             || a.number, u.name, 'agent', a.number from agents a join t on t.id = a.team_id
           join users u on u.id = a.user_id where a.removed_at is null
             and (not :isLimited::boolean or a.number = any(:agents::text[]))
         union all select g.number, g.name, 'group', null from agent_groups g join t on t.id = g.team_id where g.removed_at is null
             and (not :isLimited::boolean or g.name = any(:groups::text[]))
         union all select r.number, r.name, 'ring-group', null from ring_groups r join t on t.id = r.team_id
           where r.removed_at is null and not :isLimited::boolean
       ) as d where number is not null
         and (:like::text = '' or number like :like::text || '%' or agent like :like::text || '%' or name ilike '%' || :like::text || '%')
         and (:of::text is null or (coalesce(name, ''), kind, number) > (:name::text, :of::text, :number::text))
       order by coalesce(name, ''), kind, number limit :limit`,
      {
        ...{ team, isLimited, agents: [...(agents ?? [])], groups: [...(groups ?? [])] },
        ...{ like, name, of, number, limit: limit + 1 },
      },
    );
    const entries = found.slice(0, limit);
    const last = entries.at(-1);
    return { entries, next: found.length > limit && last ? placeOf(last) : null };
  });
}

/** Where an entry stands in the order, for whoever goes on behind it. */
const placeOf = ({ name, kind, number }: DirectoryEntry): string =>
  Buffer.from(JSON.stringify([name ?? '', kind, number])).toString('base64url');

/** @throws Star64Error `usage` */
function placeIn(after: string): [name: string, kind: string, number: string] {
  try {
    const place: unknown = JSON.parse(Buffer.from(after, 'base64url').toString());
    if (
      Array.isArray(place) &&
      place.length === 3 &&
      place.every((one) => typeof one === 'string' && !one.includes('\0'))
    )
      return place as [string, string, string];
  } catch {
    // It is none, as is said below.
  }
  throw usage(`cursor ${quoted(after)} is none of a directory: take next_cursor of the piece before.`);
}
