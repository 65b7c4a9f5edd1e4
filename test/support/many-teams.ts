import type { Database } from '../../domain/database/pool.js';
import { generateSecret } from '../../domain/password.js';

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

/** Adds the teams `t1`, `t2`, … in a few statements, past the functions and triggers that would take hours. */
export async function addManyTeams(db: Database, many: ManyTeams): Promise<void> {
  const { teams, extensions, dids } = many;
  await db.transaction(async (trx) => {
    await trx.raw('set local session_replication_role = replica');
    await trx.raw('set local statement_timeout = 0');
    const values = { teams, extensions, dids, secret: generateSecret() };
    for (const statement of [
      `insert into teams (identity, name) select 't' || n, 't' || n from generate_series(1, :teams) n`,
      `insert into users (team_id, username, name) select id, 'crowd', 'Crowd' from teams where identity ~ '^t[0-9]+$'`,
      `insert into extensions (team_id, number, user_id, secret)
         select u.team_id, 4999 + n, u.id, :secret || n from users u, generate_series(1, :extensions) n
         where u.username = 'crowd'`,
      `insert into agent_groups (team_id, name, number)
         select id, 'support', '6000' from teams where identity ~ '^t[0-9]+$'`,
      `insert into feature_codes (team_id, code, feature)
         select t.id, c.code, c.feature from teams t, feature_codes c join teams d on d.id = c.team_id
         where d.identity = 'astercc' and t.identity ~ '^t[0-9]+$'`,
      `insert into dids (team_id, number)
         select t.id, '+49302' || (1000000 + (substr(t.identity, 2)::integer - 1) * :dids + n)
         from teams t, generate_series(1, :dids) n where t.identity ~ '^t[0-9]+$'`,
      `insert into destinations (team_id, from_did_id, slot, to_group_id)
         select d.team_id, d.id, 'to', g.id from dids d join agent_groups g on g.team_id = d.team_id
         where g.name = 'support' and not exists (select from destinations where from_did_id = d.id)`,
      `insert into trunks (name, endpoint, country) values ('provider', 'lab-trunk', 'DE')`,
      'analyze',
    ])
      await trx.raw(statement, values);
  });
}
