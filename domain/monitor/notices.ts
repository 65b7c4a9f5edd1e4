import type { Queryable } from '../database/pool.js';
import { withDatabaseErrors } from '../database/sql-errors.js';
import { command, commandOf } from '../errors.js';
import { listUnknownNumbers } from '../calls/routing/unknown-numbers.js';

/** Something that a person should see to, beside the figures. */
export interface Notice {
  readonly about:
    'endpoint' | 'did' | 'click' | 'unknown-number' | 'emergency' | 'call-key' | 'manager' | 'callback';
  readonly says: string;
}

const recentHours = 24;
const named = 3;

/** What a person who looks at a team should see to. */
export function readNotices(db: Queryable, team: string): Promise<Notice[]> {
  return withDatabaseErrors(async () => [
    ...(await noWayToHelp(db, team)),
    ...(await unguarded(db, team)),
    ...(await keysNotThere(db, team)),
    ...(await twins(db, team)),
    ...(await powerless(db, team)),
    ...(await letsNobodyGo(db, team)),
    ...(await callsNobodyBack(db, team)),
    ...(await startsNoCalls(db, team)),
    ...(await unknownNumbers(db)),
  ]);
}

/** Phones that cannot call for help. A team without emergency numbers leaves that to its operator's own dialplan. */
async function noWayToHelp(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: { phones: number; emergency: string }[] }>(
    `select count(*)::integer as phones, t.emergency
     from teams t join extensions x on x.team_id = t.id and x.kind = 'sip' and x.removed_at is null
     where t.identity = ? and t.emergency is not null
       and not exists (select from trunks k where k.team_id = t.id or k.team_id is null)
     group by t.id`,
    [team],
  );
  return rows.map(({ phones, emergency }) => ({
    about: 'emergency',
    says: `no phone of team ${team} (${phones}) can call ${emergency.replaceAll(',', ', ')}: there is no trunk that it may use (${command(team, 'trunk add <name> --endpoint <section>')}; where your own dialplan has these numbers, ${commandOf({ noun: 'team', verb: 'set', name: team, options: '--no-emergency' })})`,
  }));
}

/** Emergency numbers that Asterisk has not got yet, as it said when it was asked. */
export const notAppliedEmergency = (team: string, numbers: readonly string[]): Notice[] =>
  numbers.length === 0
    ? []
    : [
        {
          about: 'emergency',
          says: `no phone of team ${team} can call ${numbers.join(', ')} as an emergency number yet: the database has it, and Asterisk has not (\`star64 apply\`)`,
        },
      ];

/** Endpoints of the operator's own that lack their line: another call may ring the phone during one of ours. */
async function unguarded(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: { number: string; endpoint: string; seen: boolean | null }[] }>(
    `select x.number, x.endpoint, x.endpoint_guarded as seen from extensions x join teams t on t.id = x.team_id
     where t.identity = ? and x.endpoint is not null and x.removed_at is null and x.endpoint_guarded is not true
     order by x.endpoint`,
    [team],
  );
  return rows.map(({ number, endpoint, seen }) => ({
    about: 'endpoint',
    says:
      seen === null
        ? `endpoint ${endpoint} (extension ${number}) has dialled no feature code yet, so it is not known whether it has its lines: include => ${team}-features in its context, and set_var = GROUP(star64)=PJSIP/${endpoint}`
        : `endpoint ${endpoint} (extension ${number}) lacks its line in pjsip.conf, so that Asterisk may ring it during a call: set_var = GROUP(star64)=PJSIP/${endpoint}`,
  }));
}

/** Keys within a call that an agent presses for nothing. */
async function keysNotThere(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: { keys: string }[] }>(
    `select string_agg(k.keys || ' (' || k.action || ')', ', ' order by array_position(array['hold', 'record', 'drop', 'end'], k.action)) as keys
     from teams t join nodes n on n.name = t.node and not n.has_call_keys join call_keys k on k.team_id = t.id and k.enabled
     where t.identity = ? and k.action in ('hold', 'record', 'drop', 'end') having count(*) > 0`,
    [team],
  );
  return rows.map(({ keys }) => ({
    about: 'call-key',
    says: `within a call ${keys} do nothing: Asterisk's features.conf does not take in ours; add at its end the line that star64 apply names, and then star64 apply again`,
  }));
}

/** A manager user who may not do what is commanded to calls. */
async function powerless(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: { node: string; lacks: string[] }[] }>(
    `select n.name as node, n.lacks from teams t
     join (select name, array_remove(array_remove(manager_lacks, 'originate'), 'QueueWithdrawCaller') as lacks from nodes) n on n.name = t.node
     where t.identity = ? and cardinality(n.lacks) > 0`,
    [team],
  );
  return rows.map(({ node, lacks }) => ({
    about: 'manager',
    says: `commands to calls do not work on node ${node}: star64's user in manager.conf lacks ${lacks.join(' and ')} in write= (then "manager reload" in Asterisk)`,
  }));
}

/** An Asterisk that lets nobody out of a queue that has agents, of whom none can be reached. */
async function letsNobodyGo(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: { node: string }[] }>(
    `select n.name as node from nodes n join teams t on t.node = n.name
     where t.identity = ? and 'QueueWithdrawCaller' = any(n.manager_lacks)`,
    [team],
  );
  return rows.map(({ node }) => ({
    about: 'manager',
    says: `callers whose agents are all paused or unreachable stay in the queue until its longest wait is over: the Asterisk of node ${node} is older than 16.25 or 18.11 and has no action QueueWithdrawCaller`,
  }));
}

/** A manager user who may put nobody into a queue. */
async function callsNobodyBack(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: { node: string; groups: string }[] }>(
    `select n.name as node, string_agg(g.name, ', ' order by g.name) as groups from nodes n join teams t on t.node = n.name
     join agent_groups g on g.team_id = t.id and g.callback_key is not null and g.removed_at is null
     where t.identity = ? and 'originate' = any(n.manager_lacks) group by n.name`,
    [team],
  );
  return rows.map(({ node, groups }) => ({
    about: 'callback',
    says: `nobody is called back (${groups}), nor offered it, on node ${node}: star64's user in manager.conf lacks originate in write= (then "manager reload" in Asterisk)`,
  }));
}

/** A manager user who may ring no phone for a call that software starts. */
async function startsNoCalls(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: { node: string }[] }>(
    `select n.name as node from nodes n join teams t on t.node = n.name
     where t.identity = ? and 'originate' = any(n.manager_lacks) and exists (
       select from agent_groups g where g.team_id = t.id and g.application is not null and g.removed_at is null)`,
    [team],
  );
  return rows.map(({ node }) => ({
    about: 'manager',
    says: `no calls can be started for agents (call start), nor supervised by command, on node ${node}: star64's user in manager.conf lacks originate in write= (then "manager reload" in Asterisk)`,
  }));
}

/** From the time when +N and N were two numbers. */
async function twins(db: Queryable, team: string): Promise<Notice[]> {
  const { rows } = await db.raw<{ rows: Record<'one' | 'team' | 'other' | 'holder', string>[] }>(
    `select d.number as one, t.identity as team, o.number as other, u.identity as holder
     from dids d join teams t on t.id = d.team_id
     join dids o on ltrim(o.number, '+') = ltrim(d.number, '+') and not o.twin join teams u on u.id = o.team_id
     where d.twin and :team in (t.identity, u.identity) order by d.number`,
    { team },
  );
  return rows.map(({ one, team, other, holder }) => ({
    about: 'did',
    says: `DID ${one} of team ${team} and DID ${other} of team ${holder} are one number: each is found only as it is written, until one is removed (${command(team, `did remove ${one}`)})`,
  }));
}

async function unknownNumbers(db: Queryable): Promise<Notice[]> {
  const recent = await listUnknownNumbers(db, recentHours);
  if (recent.length === 0) return [];
  const first = recent
    .slice(0, named)
    .map(({ number, calls, endpoint }) => `${number} (${calls}, over ${endpoint})`);
  const more = recent.length > named ? ` and ${recent.length - named} more` : '';
  return [
    {
      about: 'unknown-number',
      says: `in the last ${recentHours} hours numbers were called that no team has: ${first.join(', ')}${more}; star64 did unknown lists them`,
    },
  ];
}
