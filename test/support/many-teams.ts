import type { Database } from '../../domain/database/pool.js';
import { generateSecret } from '../../domain/password.js';
import { pieces } from './pieces.js';

export interface ManyTeams {
  teams: number;
  /** Extensions of each team, from 5000. */
  extensions: number;
  /** DIDs of each team; all lead to its group `support`. */
  dids: number;
}

/** Numbers of the DIDs that `addManyTeams` gives the team of this index, counted from 1. */
export const didsOf = (index: number, { dids }: ManyTeams): string[] =>
  Array.from({ length: dids }, (_, did) => `+49302${1_000_000 + (index - 1) * dids + did + 1}`);

/** The other ways in which the German trunk of all teams may write one of them. */
export const formsOf = (did: string): string[] => [
  did.slice(1),
  did.replace('+', '00'),
  did.replace('+49', '0'),
];

/**
 * Adds the teams `t1`, `t2`, … in a few statements, past the functions and triggers that would take hours.
 */
export async function addManyTeams(db: Database, many: ManyTeams): Promise<void> {
  const { teams, extensions, dids } = many;
  const atOnce = Math.max(1, Math.floor(2000 / (extensions + 2 * dids + 20)));
  const given = { extensions, dids, secret: generateSecret() };
  await db.raw(`insert into trunks (name, endpoint, country) values ('provider', 'lab-trunk', 'DE')`);
  for (const piece of pieces(teams, atOnce)) await addTeams(db, { ...given, ...piece });
  await db.raw('analyze teams, users, extensions, agent_groups, feature_codes, dids, destinations, trunks');
}

async function addTeams(
  db: Database,
  values: { from: number; to: number; extensions: number; dids: number; secret: string },
): Promise<void> {
  const added = `(select id from teams where identity in (select 't' || n from generate_series(:from::integer, :to) n))`;
  await db.transaction(async (trx) => {
    await trx.raw('set local session_replication_role = replica');
    for (const statement of [
      `insert into teams (identity, name) select 't' || n, 't' || n from generate_series(:from::integer, :to) n`,
      `insert into users (team_id, username, name) select id, 'crowd', 'Crowd' from ${added} t`,
      `insert into extensions (team_id, number, user_id, secret)
         select u.team_id, 4999 + n, u.id, :secret || n from users u, generate_series(1, :extensions) n
         where u.username = 'crowd' and u.team_id in ${added}`,
      `insert into agent_groups (team_id, name, number) select id, 'support', '6000' from ${added} t`,
      `insert into feature_codes (team_id, code, feature)
         select t.id, c.code, c.feature from ${added} t, feature_codes c join teams d on d.id = c.team_id
         where d.identity = 'astercc'`,
      `insert into dids (team_id, number)
         select t.id, '+49302' || (1000000 + (substr(t.identity, 2)::integer - 1) * :dids + n)
         from teams t, generate_series(1, :dids) n where t.id in ${added}`,
      `insert into destinations (team_id, from_did_id, slot, to_group_id)
         select d.team_id, d.id, 'to', g.id from dids d join agent_groups g on g.team_id = d.team_id
         where g.name = 'support' and d.team_id in ${added}`,
    ])
      await trx.raw(statement, values);
  });
}
