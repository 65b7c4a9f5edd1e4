import { prepared, type Queryable } from '../database/pool.js';

/**
 * Makes an Asterisk known by the name that its servers give it; known already, it stays as it is. Returns how many teams
 * live there.
 */
export async function registerNode(db: Queryable, node: string): Promise<number> {
  await prepared(db, 'insert into nodes (name) values (?) on conflict do nothing', [node]);
  const [row] = await prepared<{ teams: number }>(db, 'select count(*) as teams from teams where node = ?', [
    node,
  ]);
  return row?.teams ?? 0;
}

/** What the database knows by which an Asterisk is told to be its own. */
export interface NodeRecord {
  /** Id of the installation. */
  installation: string;
  /** How often a server of the node was started. */
  starts: number;
  /** Second of Asterisk's clock up to which a server has promised to be there; null: none has noted one yet. */
  promisedUntil: number | null;
  /** Changes with each sign of life of the leader of the node; null: nobody leads. */
  leaderUntil: string | null;
}

/** Reads what the database knows of an Asterisk. */
export async function readNode(db: Queryable, node: string): Promise<NodeRecord> {
  const [row] = await prepared<NodeRecord>(
    db,
    `select i.id as installation, coalesce(n.starts, 0) as starts, l.promised_until as "promisedUntil",
       case when l.expires_at > clock_timestamp() then l.expires_at::text end as "leaderUntil"
     from installation i
     left join nodes n on n.name = ?
     left join leader_leases l on l.node = n.name`,
    [node],
  );
  if (!row) throw new Error('the table installation has no row');
  return row;
}

/** Counts a start of a server, past `atLeast`. Returns the count. */
export async function countStart(db: Queryable, node: string, atLeast = 0): Promise<number> {
  const [row] = await prepared<{ starts: number }>(
    db,
    'update nodes set starts = greatest(starts, ?::bigint) + 1 where name = ? returning starts',
    [atLeast, node],
  );
  if (!row) throw new Error(`the node ${node} is not registered`);
  return row.starts;
}
