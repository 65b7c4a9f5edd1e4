import type { Attempt } from './attempt.js';
import type { Queryable } from '../database/pool.js';
import { conflict, type Star64Error } from '../errors.js';
import { command } from '../names.js';

/** Something that keeps another thing from being removed. */
export interface Dependent {
  readonly kind:
    'user' | 'extension' | 'agent' | 'group' | 'leaving group' | 'did' | 'trunk' | 'team' | 'calls';
  readonly name: string;
}

const dependentsOf: Record<Attempt['kind'], string | undefined> = {
  team: `
    select 'did' as kind, d.number as name, 1 as place from dids d join t on t.id = d.team_id
    union all select 'agent', a.number, 2 from agents a join t on t.id = a.team_id
    union all select case when g.leaving_since is null then 'group' else 'leaving group' end, g.name, 3
      from agent_groups g join t on t.id = g.team_id
    union all select 'extension', x.number, 4 from extensions x join t on t.id = x.team_id
    union all select 'user', u.username, 5 from users u join t on t.id = u.team_id
    union all select 'trunk', k.name, 6 from trunks k join t on t.id = k.team_id
    union all select 'calls', count(*)::text, 7 from calls c join t on t.id = c.team_id having count(*) > 0`,
  user: `
    select 'agent' as kind, a.number as name, 1 as place
      from agents a join users u on u.id = a.user_id join t on t.id = u.team_id where u.username = :name
    union all select 'extension', x.number, 2
      from extensions x join users u on u.id = x.user_id join t on t.id = u.team_id where u.username = :name`,
  extension: `
    select 'did' as kind, d.number as name, 1 as place
      from dids d join extensions x on x.id = d.extension_id join t on t.id = x.team_id where x.number = :name
    union all select 'agent', a.number, 2
      from agents a join extensions x on x.id = a.extension_id join t on t.id = x.team_id where x.number = :name`,
  group: `
    select 'did' as kind, d.number as name, 1 as place
      from dids d join agent_groups g on g.id = d.group_id join t on t.id = g.team_id where g.name = :name
    union all select 'agent', a.number, 2 from agent_group_members m join agents a on a.id = m.agent_id
      join agent_groups g on g.id = m.group_id join t on t.id = g.team_id where g.name = :name`,
  trunk: `
    select 'team' as kind, x.identity as name, 1 as place from teams x join trunks k on k.id = x.trunk_id
    where k.name = :name and k.team_id is not distinct from (select id from t)`,
  agent: undefined,
  did: undefined,
  'feature-code': undefined,
  'pause-reason': undefined,
};

/** What keeps the thing from being removed, in the order in which it can be removed itself. */
export async function dependents(db: Queryable, attempt: Attempt): Promise<Dependent[]> {
  const sql = dependentsOf[attempt.kind];
  if (sql === undefined) return [];
  const { rows } = await db.raw<{ rows: Dependent[] }>(
    `with t as (select id from teams where identity = :team)
     select kind, name from (${sql}) as held order by place, length(name), name`,
    { team: attempt.team, name: attempt.name },
  );
  return rows;
}

const shown = 5;

/** The refusal to remove something that is still needed: names what needs it, and how that goes. */
export function stillNeeded(attempt: Attempt, held: readonly Dependent[]): Star64Error {
  const { kind, team, name } = attempt;
  const place = team === null ? ' for every team' : kind === 'team' ? '' : ` of team ${team}`;
  const what = `${kind} ${name}${place}`;
  const list = held
    .slice(0, shown)
    .map((dependent) => `${describe(dependent)} (${wayOut(attempt, dependent)})`);
  const rest = held.length > shown ? `, and ${held.length - shown} more` : '';
  return conflict(
    `${what} cannot be removed, because something still needs it. First: ${list.join(', ') || 'try again'}${rest}.`,
  );
}

function describe({ kind, name }: Dependent): string {
  if (kind === 'calls') return `${name} recorded calls`;
  return `${kind === 'did' ? 'DID' : kind} ${name}`;
}

function wayOut({ kind, team, name }: Attempt, dependent: Dependent): string {
  switch (dependent.kind) {
    case 'calls':
      return `\`star64 team remove ${name} --discard-calls\``;
    case 'leaving group':
      return 'it goes by itself, once its queue in Asterisk is empty';
    case 'team':
      return `\`star64 team set ${dependent.name} --no-trunk\``;
    case 'agent':
      if (kind === 'group') return command(team, `agent set ${dependent.name} --groups <others>`);
      break;
    case 'did':
      if (kind === 'group') return command(team, `did set ${dependent.name} --group <other>`);
      break;
    default:
  }
  return command(team, `${dependent.kind} remove ${dependent.name}`);
}
