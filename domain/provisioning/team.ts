import type { Changes } from './description.js';
import type { Queryable } from '../database/pool.js';
import { registerNode } from './node.js';
import { team } from './nouns/team.js';
import { operationsOf } from './operations.js';

export { requireTeam } from './scope.js';

export type TeamChanges = Changes<typeof team>;

/** A system of its own; everything else belongs to exactly one. Its time zone is UTC unless said, its name its identity. */
export const teams = operationsOf(team, {
  // A team may be there before the first server of its Asterisk.
  columns: async ({ trx, given }) => {
    if (typeof given.node === 'string') await registerNode(trx, given.node);
    return {};
  },
});

export type Team = Awaited<ReturnType<typeof teams.show>>;

export const addTeam = (db: Queryable, identity: string, values: TeamChanges = {}): Promise<Team> =>
  teams.add(db, null, identity, values);
export const listTeams = (db: Queryable): Promise<Team[]> => teams.list(db, null);
export const showTeam = (db: Queryable, identity: string): Promise<Team> => teams.show(db, null, identity);
export const setTeam = (db: Queryable, identity: string, changes: TeamChanges): Promise<Team> =>
  teams.set(db, null, identity, changes);

export { removeTeam } from './team-removal.js';
