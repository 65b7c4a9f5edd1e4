import { setTimeout as sleep } from 'node:timers/promises';
import { prepared, type Database, type Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { fail, type ErrorCode } from '../../errors.js';
import { callNamed, unknownCall } from '../records/call-name.js';
import { requireTeam } from '../../provisioning/team.js';

/** What can be asked of a call, with what each is told. */
export interface CallCommandArguments {
  /** `party`: an extension, a number, or `caller`; without one: everybody. `from`: only if this extension talks in it. */
  hangup: { party?: string; from?: string };
  /** `number`: as the agent would dial it in the call; `from`: the extension that sends the caller on. */
  transfer: { number: string; from?: string };
  consult: { number: string; from?: string };
  /** Takes whom the agent consults into the call. */
  conference: { from?: string };
  /** Holds, or takes back: it is the agent's key, which does the one after the other. */
  hold: { from?: string };
  /** Takes back whom a key or a command has put on hold, and only them. */
  resume: { from?: string };
  /** Ends a consultation: the agent is with the other side again. */
  back: { from?: string };
}
export type CallCommandKind = keyof CallCommandArguments;

/** A command that a server has claimed. */
export interface ClaimedCommand {
  id: string;
  team: string;
  /** Asterisk's uniqueid of the call, the linkedid of its channels; null: it is not there yet, or is looked for. */
  call: string | null;
  kind: CallCommandKind | 'originate' | 'supervise';
  arguments: Readonly<Record<string, string>>;
  givenBy: string;
}

/** What became of a command. */
export interface CallCommandResult {
  result: 'done' | 'refused' | 'expired' | 'unknown';
  /** Why it was refused, in words, and what went wrong otherwise. */
  reason: string | null;
  /** Of a refused one: the error that who gave it is told. */
  code?: ErrorCode | null;
  facts?: Readonly<Record<string, string>> | null;
  /** The call that it is about, or that it has begun. */
  call?: string | null;
}

/** How long a command may wait to be claimed, how long its result is waited for, and how often it is looked for. */
export const callCommandTimes = { claimSeconds: 5, resultMs: 10_000, lookMs: 100 };

/**
 * Gives a command to a call that has not ended, and waits for what becomes of it. A command that no server has claimed
 * within 5 s is carried out by none, and one that a server has claimed is never tried a second time.
 *
 * @throws Star64Error `unknown_call`, `call_over`, `no_server` (nobody claimed it), `call_command_refused` with the reason,
 *   `call_command_unknown` (the server ended, or said nothing in time).
 */
export async function commandCall<K extends CallCommandKind>(
  db: Database,
  team: string,
  name: string,
  { kind, given, by }: { kind: K; given: CallCommandArguments[K]; by: string },
  times = callCommandTimes,
): Promise<void> {
  const { id, node } = await giveCommand(db, team, name, { kind, given, by, seconds: times.claimSeconds });
  const became = await resultOf(db, id, times);
  checkDone(became, { noun: 'call', name, facts: { team, node, kind } }, times);
}

/** @throws Star64Error for a command that was not carried out, as far as is known. */
export function checkDone(
  { result, reason, code, facts }: CallCommandResult,
  about: { noun: string; name: string; facts: { team: string; node: string; kind: string } },
  times = callCommandTimes,
): void {
  const { noun, name } = about;
  const { team, node } = about.facts;
  if (result === 'expired')
    throw fail('no_server', {
      ...about,
      says: `no server of node ${node} has taken the command within ${times.claimSeconds} seconds, and none will carry it out`,
      remedy: { text: 'have `star64 serve` run for that node' },
    });
  if (result === 'refused')
    throw fail(code ?? 'call_command_refused', {
      ...about,
      facts: { ...about.facts, ...facts },
      says: `${noun} ${name}: ${reason ?? 'refused'}`,
    });
  if (result === 'unknown')
    throw fail('call_command_unknown', {
      ...about,
      says: `the server that was carrying out the command to ${noun} ${name} has not said what became of it, and nobody tries again`,
      remedy: {
        text: '{0} tells what happened',
        steps: [noun === 'call' ? { noun, verb: 'show', name, team } : { noun: 'call', verb: 'list', team }],
      },
    });
}

async function giveCommand(
  db: Queryable,
  team: string,
  name: string,
  { kind, given, by, seconds }: { kind: string; given: object; by: string; seconds: number },
): Promise<{ id: string; node: string }> {
  return withDatabaseErrors(async () => {
    const teamId = await requireTeam(db, team);
    const { where, asked } = callNamed(name);
    const calls = await db.raw<{ rows: { id: string; node: string; over: boolean }[] }>(
      `select c.id, c.node, c.ended_at is not null as over from calls c
       where c.team_id = :teamId and ${where} order by c.id desc limit 1`,
      { teamId, asked },
    );
    const [call] = calls.rows;
    if (!call) throw unknownCall(team, name);
    if (call.over)
      throw fail('call_over', { noun: 'call', name, facts: { team }, says: `call ${name} is over` });
    const { rows } = await db.raw<{ rows: { id: string; node: string }[] }>(
      `insert into call_commands (team_id, node, call_id, kind, arguments, given_by, expires_at)
       values (:teamId, :node, :call, :kind, :given::jsonb, :by, clock_timestamp() + make_interval(secs => :seconds))
       returning id, node`,
      { teamId, node: call.node, call: call.id, kind, given: JSON.stringify(given), by, seconds },
    );
    const [row] = rows;
    if (!row) throw new Error('a command was written without an id');
    return row;
  });
}

/** Gives a command that names no call. Undefined: one of that request is there already. */
export async function giveCommandOfTeam(
  db: Queryable,
  given: {
    team: string;
    kind: 'originate' | 'supervise';
    given: Readonly<Record<string, string>>;
    by: string;
    call?: string | undefined;
    request?: string | undefined;
  },
  seconds: number,
): Promise<{ id: string; node: string } | undefined> {
  const [row] = await prepared<{ id: string; node: string }>(
    db,
    `insert into call_commands (team_id, node, call_id, kind, arguments, given_by, request, expires_at)
     select t.id, t.node, c.id, :kind, :given::jsonb, :by, :request, clock_timestamp() + make_interval(secs => :seconds)
     from teams t left join calls c on c.team_id = t.id and c.node = t.node and c.uniqueid = :call::text
     where t.identity = :team
     on conflict (team_id, request) where request is not null do nothing
     returning id, node`,
    {
      team: given.team,
      kind: given.kind,
      given: JSON.stringify(given.given),
      by: given.by,
      call: given.call ?? null,
      request: given.request ?? null,
      seconds,
    },
  );
  return row;
}

/** Looks until there is a result; what nobody has claimed, or said anything of, in time is closed by who waits. */
export async function resultOf(
  db: Database,
  id: string,
  times: typeof callCommandTimes,
): Promise<CallCommandResult> {
  for (;;) {
    const [row] = await withDatabaseErrors(() =>
      prepared<
        Omit<CallCommandResult, 'result'> & { result: CallCommandResult['result'] | null; due: boolean }
      >(
        db,
        `select k.result, k.reason, k.code, k.facts, c.uniqueid as call,
           coalesce(k.claimed_at + make_interval(secs => :seconds::double precision), k.expires_at) < clock_timestamp() as due
         from call_commands k left join calls c on c.id = k.call_id where k.id = :id`,
        { id, seconds: times.resultMs / 1000 },
      ),
    );
    if (!row) return { result: 'unknown', reason: null };
    const { due, result, ...told } = row;
    if (result !== null) return { ...told, result };
    if (due) await withDatabaseErrors(() => closeOverdue(db, id, times.resultMs / 1000));
    else await sleep(times.lookMs);
  }
}

/** Closes one that is overdue still: a server may be claiming it, or saying what became of it, at this moment. */
async function closeOverdue(db: Queryable, id: string, seconds: number): Promise<void> {
  await db.raw(
    `update call_commands set finished_at = clock_timestamp(),
       result = case when claimed_at is null then 'expired' else 'unknown' end
     where id = :id and result is null
       and coalesce(claimed_at + make_interval(secs => :seconds::double precision), expires_at) < clock_timestamp()`,
    { id, seconds },
  );
}

/**
 * Claims the oldest command of the node that has not expired, for the server that leads it: by the database's clock and
 * its lease, so that of two servers one gets it. Undefined: there is none, or another server leads.
 */
export async function claimCallCommand(
  db: Queryable,
  node: string,
  holder: string,
): Promise<ClaimedCommand | undefined> {
  const [claimed] = await prepared<ClaimedCommand>(
    db,
    `update call_commands k set claimed_by = :holder, claimed_at = clock_timestamp()
     from call_commands o join teams t on t.id = o.team_id left join calls c on c.id = o.call_id
     where o.id = k.id and k.id = (
         select id from call_commands
         where node = :node and result is null and claimed_at is null and expires_at > clock_timestamp()
           and exists (select from leader_leases
             where node = :node and holder = :holder and expires_at > clock_timestamp())
         order by id limit 1 for update skip locked)
     returning k.id, t.identity as team, c.uniqueid as call, k.kind, k.arguments, k.given_by as "givenBy"`,
    { node, holder },
  );
  return claimed;
}

/** Says what became of a command that this server has claimed; false: somebody has closed it meanwhile. */
export async function finishCallCommand(
  db: Queryable,
  id: string,
  { result, reason, code = null, facts = null }: CallCommandResult,
): Promise<boolean> {
  const rows = await prepared(
    db,
    `update call_commands set result = ?, reason = ?, code = ?, facts = ?::jsonb, finished_at = clock_timestamp()
     where id = ? and result is null returning id`,
    [result, reason, code, facts && JSON.stringify(facts), id],
  );
  return rows.length > 0;
}

/**
 * Closes what a server of this node with this name had claimed before it was started again, and what nobody waits for any
 * more, and forgets commands of more than 30 days ago.
 */
export async function sweepCallCommands(db: Queryable, node: string, holder: string): Promise<void> {
  await db.raw(
    `update call_commands set result = case when claimed_at is null then 'expired' else 'unknown' end,
       finished_at = clock_timestamp()
     where node = :node and result is null and (claimed_by = :holder or given_at < clock_timestamp() - interval '1 minute')`,
    { node, holder },
  );
  await db.raw(
    `delete from call_commands where node = ? and given_at < clock_timestamp() - interval '30 days'`,
    [node],
  );
}

/** Keeps which classes of the manager the servers of the node lack for commands to calls and callbacks; `star64 status` says so. */
export async function noteManagerLacks(
  db: Queryable,
  node: string,
  classes: readonly string[],
): Promise<void> {
  await db.raw(
    `update nodes set manager_lacks = :classes where name = :node and manager_lacks <> :classes::text[]`,
    {
      node,
      classes: [...classes],
    },
  );
}
