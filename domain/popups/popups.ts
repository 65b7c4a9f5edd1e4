import { prepared, type Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { tellServers } from '../database/notifications.js';
import { fail, usage } from '../errors.js';
import { checkText, checkWhole, quoted } from '../names.js';
import { ready } from '../presence/pause.js';
import { change } from '../provisioning/change.js';
import type { Principal } from '../provisioning/principal.js';
import { requireTeam } from '../provisioning/scope.js';
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
      ...(agent === undefined ? [] : [`a.number = :asked`]),
      ...(open === undefined ? [] : [`p.closed_at is ${open ? '' : 'not '}null`]),
      ...(before === undefined ? [] : ['p.id < :before']),
    ];
    const popups = await read(db, team, fits, reach, {
      limit: limit + 1,
      ...(agent !== undefined && { asked: agent.replaceAll('\0', '') }),
      ...(before !== undefined && { before }),
    });
    const page = popups.slice(0, limit);
    return { popups: page, next: popups.length > limit ? (page.at(-1)?.id ?? null) : null };
  });
}

/** One popup. @throws Star64Error `unknown_popup`, also for one that is not of who asks. */
export function showPopup(db: Queryable, team: string, id: string, reach: PopupReach = {}): Promise<Popup> {
  return withDatabaseErrors(async () => {
    const known = /^[0-9]{1,15}$/.test(id);
    const [popup] = known
      ? await read(db, team, ['p.id = :id'], reach, { id, limit: 1 })
      : await requireTeam(db, team).then(() => []);
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
 * and no pause. Once more is harmless: what is not said again stays. `wrapUp`: whether this has ended one; during the call there
 * is none yet.
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
    const [row] = await prepared<{ channel: string }>(
      trx,
      `update popups set disposition = coalesce(:disposition::text, disposition), data = coalesce(:data::json, data),
         done_at = coalesce(done_at, clock_timestamp()), done_by = coalesce(done_by, :by::text)
       where id = :id returning channel`,
      { id, disposition: disposition ?? null, data: text, by },
    );
    const ended =
      agent !== null && row ? await ready(trx, team, { agent }, { after: row.channel }) : undefined;
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

/** Those that fit and are of who asks. @throws Star64Error `unknown` for a team that there is not. */
async function read(
  db: Queryable,
  team: string,
  fits: readonly string[],
  { agent, groups }: PopupReach,
  values: Record<string, string | number>,
): Promise<Popup[]> {
  const teamId = await requireTeam(db, team);
  const mine =
    agent !== undefined
      ? ['a.number = :agent and a.removed_at is null']
      : groups !== undefined
        ? [ofGroups]
        : [];
  return prepared<Popup>(
    db,
    `select p.id, p.kind, p.application, p.binding, p.link, a.number as agent, x.number as extension, p.username as "user",
       g.name as "group", p.call, p.caller, p.number, p.opened_at as "openedAt", p.answered_at as "answeredAt",
       p.closed_at as "closedAt", p.outcome, p.disposition, p.data, p.done_at as "doneAt"
     from popups p join extensions x on x.id = p.extension_id left join agents a on a.id = p.agent_id
     left join agent_groups g on g.id = p.group_id
     where ${['p.team_id = :teamId', ...fits, ...mine].join(' and ')}
     order by p.id desc limit :limit`,
    {
      teamId,
      ...values,
      ...(agent !== undefined ? { agent } : groups !== undefined ? { groups: [...groups] } : {}),
    },
  );
}

const ofGroups = `(g.name = any(:groups::text[]) and g.removed_at is null or p.group_id is null and exists (
  select from agent_group_members m join agent_groups o on o.id = m.group_id
  where m.agent_id = p.agent_id and o.name = any(:groups::text[]) and o.removed_at is null))`;
