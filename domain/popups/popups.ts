import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { tellServers } from '../database/notifications.js';
import { fail, usage } from '../errors.js';
import { checkText, checkWhole, quoted } from '../names.js';
import { saveDuringCall } from '../presence/agent-state.js';
import { ready } from '../presence/pause.js';
import { change } from '../provisioning/operations/change.js';
import type { Principal } from '../provisioning/people/principal.js';
import { requireTeam } from '../provisioning/values/scope.js';
import type { PopupKind } from './records.js';

/** One time that an application showed a call to an agent. */
export interface Popup {
  id: number;
  kind: PopupKind;
  application: string;
  /** The binding that held when the call arrived; null: the application is the group's. */
  binding: string | null;
  /** What is opened, with the facts of the call in it. */
  link: string | null;
  /** Who was signed in at the phone; null: nobody. */
  agent: string | null;
  extension: string;
  /** User name of whose extension it was. */
  user: string;
  group: string | null;
  /** Asterisk's uniqueid of the call. */
  call: string;
  caller: string | null;
  /** The number that was called: the DID, or the one outside. */
  number: string | null;
  openedAt: Date;
  answeredAt: Date | null;
  closedAt: Date | null;
  /** Null: it is open. */
  outcome: string | null;
  /** What the application has said of the call. */
  disposition: string | null;
  data: Record<string, unknown> | null;
  doneAt: Date | null;
}

export interface PopupFilter {
  agent?: string;
  /** Only those that are open, or only those that are not. */
  open?: boolean;
  /** Id of the last one of the page before. */
  before?: number;
  limit?: number;
}

/** What somebody sees: an agent their own; who is limited to groups what is of these, or, without a group, of their agents. */
export type PopupReach = Pick<Principal, 'agent' | 'groups'>;

const usualPage = 50;
const largestPage = 1000;
const mostData = 8000;

/**
 * A page of a team's popups, the newest first.
 *
 * @throws Star64Error `usage` for a size that is none, `unknown` for a team that there is not.
 */
export function listPopups(
  db: Queryable,
  team: string,
  { agent, open, before, limit = usualPage }: PopupFilter = {},
  reach: PopupReach = {},
): Promise<{ popups: Popup[]; next: number | null }> {
  return withDatabaseErrors(async () => {
    checkWhole('size of a page', { from: 1, to: largestPage }, limit);
    const fits = [
      ...(open === undefined ? [] : [`p.closed_at is ${open ? '' : 'not '}null`]),
      ...(before === undefined ? [] : ['p.id < :before']),
    ];
    const teamId = await requireTeam(db, team);
    const ways = await waysOf(db, teamId, reach, agent?.replaceAll('\0', ''));
    const values = { limit: limit + 1, ...(before !== undefined && { before }) };
    const popups = await read(db, teamId, pageOf(ways, fits), { ...ways, ...values });
    const page = popups.slice(0, limit);
    return { popups: page, next: popups.length > limit ? (page.at(-1)?.id ?? null) : null };
  });
}

/** One popup. @throws Star64Error `unknown_popup`, also for one that is not of who asks. */
export function showPopup(db: Queryable, team: string, id: string, reach: PopupReach = {}): Promise<Popup> {
  return withDatabaseErrors(async () => {
    const known = /^[0-9]{1,15}$/.test(id);
    const teamId = await requireTeam(db, team);
    const ways = known ? await waysOf(db, teamId, reach) : undefined;
    const [popup] = ways
      ? await read(db, teamId, `p.id = :id and p.team_id = :teamId and ${ofWays(ways)}`, { id, ...ways })
      : [];
    if (popup) return popup;
    throw fail('unknown_popup', {
      noun: 'popup',
      name: id,
      facts: { team },
      says: `popup ${quoted(id)} is not recorded in team ${team}`,
      remedy: { text: '{0} shows those that are', steps: [{ noun: 'popup', verb: 'list', team }] },
    });
  });
}

/** What an application says as it has saved its record. */
export interface Done {
  disposition?: string;
  data?: Record<string, unknown>;
  /** Who says it. */
  by: string;
}

/**
 * The application has saved its record of the call: the agent's wrap-up after that call ends (spec 56), and no other one,
 * and no pause. Once more is harmless: what is not said again stays. `wrapUp`: whether this has ended one; the one after a
 * call that goes on ends as it begins.
 *
 * @throws Star64Error `unknown_popup`, `invalid_text` for a disposition that is not one line of 1 to 80 characters, `usage` for data
 *   that are too long.
 */
export function finishPopup(
  db: Queryable,
  team: string,
  id: string,
  { disposition, data, by }: Done,
  reach: PopupReach = {},
): Promise<Popup & { wrapUp: 'ended' | 'none' }> {
  if (disposition !== undefined) checkText('disposition', disposition, 'sold');
  const text = data === undefined ? null : dataText(data);
  return change(db, async (trx) => {
    const { agent } = await showPopup(trx, team, id, reach);
    const [row] = await prepared<{ channel: string; agentId: number | null }>(
      trx,
      `update popups set disposition = coalesce(:disposition::text, disposition), data = coalesce(:data::json, data),
         done_at = coalesce(done_at, clock_timestamp()), done_by = coalesce(done_by, :by::text)
       where id = :id returning channel, agent_id as "agentId"`,
      { id, disposition: disposition ?? null, data: text, by },
    );
    const isDuring =
      row !== undefined && row.agentId !== null && (await saveDuringCall(trx, row.agentId, row.channel));
    const ended =
      agent !== null && row && !isDuring
        ? await ready(trx, team, { agent }, { after: row.channel })
        : undefined;
    const isEnded = ended?.outcome === 'ready' || ended?.outcome === 'resumed';
    if (isEnded) await tellServers(trx, [ended.signIn.id]);
    return { ...(await showPopup(trx, team, id, reach)), wrapUp: isEnded ? 'ended' : 'none' };
  });
}

/** As JSON that the database keeps: it has no NUL, and no half of a surrogate pair. */
function dataText(data: Record<string, unknown>): string {
  const text = JSON.stringify(data);
  if (text.length > mostData) throw usage(`data: at most ${mostData} characters of JSON.`);
  if (/\\u(0000|d[89a-f])/i.test(text.replaceAll('\\\\', '')))
    throw usage('data: no NUL, and no half of a surrogate pair.');
  return text;
}

/** Whose popups are looked at, each by an index of its own; without any of them those of the whole team. */
interface Ways {
  /** All of these agents. */
  agentIds?: number[];
  /** Those of these groups. */
  groupIds?: number[];
  /** Those without a group of these agents, beside those of the groups. */
  memberIds?: number[];
}

/** What who asks sees, of the one agent `asked`, by number, alone. An agent sees what is theirs, whoever is asked for. */
async function waysOf(
  db: Queryable,
  teamId: number,
  { agent, groups }: PopupReach,
  asked?: string,
): Promise<Ways> {
  const numbered = async (number: string, living: boolean): Promise<number[]> =>
    ids(
      await prepared<Id>(
        db,
        `select id from agents where team_id = ? and number = ? ${living ? 'and removed_at is null' : ''}`,
        [teamId, number],
      ),
    );
  const asks = asked === undefined ? undefined : await numbered(asked, false);
  const only = (some: number[]): number[] => some.filter((id) => asks?.includes(id) ?? true);
  if (agent !== undefined) return { agentIds: only(await numbered(agent, true)) };
  if (groups === undefined) return asks ? { agentIds: asks } : {};
  const groupIds = ids(
    await prepared<Id>(
      db,
      'select id from agent_groups where team_id = ? and name = any(?::text[]) and removed_at is null',
      [teamId, [...groups]],
    ),
  );
  const members = ids(
    await prepared<Id>(
      db,
      'select distinct agent_id as id from agent_group_members where group_id = any(?::integer[])',
      [groupIds],
    ),
  );
  return { ...(asks && { agentIds: asks }), groupIds, memberIds: only(members) };
}

interface Id {
  id: number;
}
const ids = (rows: Id[]): number[] => rows.map(({ id }) => id);

/** That a popup `p` is among those of the ways. */
const ofWays = ({ agentIds, groupIds }: Ways): string =>
  [
    'true',
    ...(agentIds ? ['p.agent_id = any(:agentIds::integer[])'] : []),
    ...(groupIds
      ? [
          '(p.group_id = any(:groupIds::integer[]) or p.group_id is null and p.agent_id = any(:memberIds::integer[]))',
        ]
      : []),
  ].join(' and ');

/**
 * That a popup `p` is on a page. Each agent and each group gives a page of its own. By its ids alone PostgreSQL would walk back
 * through the popups of all teams, until it has found enough of an agent who had few: so the order begins with the column that is
 * searched, which only its own index has. (Of an equality it knows that such an order says nothing, and of a range it does not.)
 */
function pageOf(ways: Ways, fits: readonly string[]): string {
  const page = (column: string, value: string, ...more: string[]): string =>
    `select p.id from popups p where ${[`p.${column} between ${value} and ${value}`, ...more, ...fits].join(' and ')}
     order by p.${column} desc, p.id desc limit :limit`;
  const each = (given: keyof Ways, column: string, ...more: string[]): string =>
    `select p.id from unnest(:${given}::integer[]) as o (id) cross join lateral (${page(column, 'o.id', ...more)}) p`;
  const { agentIds, groupIds } = ways;
  const found = agentIds
    ? [each('agentIds', 'agent_id', ofWays(groupIds ? { groupIds } : {}))]
    : groupIds
      ? [each('groupIds', 'group_id'), each('memberIds', 'agent_id', 'p.group_id is null')]
      : [`(${page('team_id', ':teamId')})`];
  return `p.id = any(array(select f.id from (${found.join(' union all ')}) f order by f.id desc limit :limit))`;
}

/** Those of a team for which that holds, the newest first. */
function read(
  db: Queryable,
  teamId: number,
  which: string,
  values: Ways & Record<string, string | number | number[]>,
): Promise<Popup[]> {
  return prepared<Popup>(
    db,
    `select p.id, p.kind, p.application, p.binding, p.link, a.number as agent, x.number as extension, p.username as "user",
       g.name as "group", p.call, p.caller, p.number, p.opened_at as "openedAt", p.answered_at as "answeredAt",
       p.closed_at as "closedAt", p.outcome, p.disposition, p.data, p.done_at as "doneAt"
     from popups p join extensions x on x.id = p.extension_id left join agents a on a.id = p.agent_id
     left join agent_groups g on g.id = p.group_id
     where ${which} order by p.id desc`,
    { teamId, ...values },
  );
}
