import type { Queryable } from '../../database/pool.js';
import { canBeName, unknown } from '../../names.js';

/** The team that a command works in, looked up once; with both null what belongs to no team. */
export interface Scope {
  readonly team: string | null;
  readonly teamId: number | null;
}

/** The id of a team; `not_found` when there is none of that identity. */
export async function requireTeam(db: Queryable, identity: string): Promise<number> {
  const row = canBeName('team', identity)
    ? await db('teams').where({ identity }).first<{ id: number } | undefined>('id')
    : undefined;
  if (!row) throw unknown('team', null, identity);
  return row.id;
}

/** Looks a team up; null stands for the system. */
export async function scopeOf(db: Queryable, team: string | null): Promise<Scope> {
  return { team, teamId: team === null ? null : await requireTeam(db, team) };
}
