import type { Changes } from './fields/description.js';
import type { Queryable } from '../database/pool.js';
import { conflict } from '../errors.js';
import { registerNode } from './node.js';
import { usualEmergencies } from '../emergency-defaults.js';
import { team } from './nouns/team.js';
import { operationsOf } from './operations/operations.js';
import { checkCountry } from './values/check-country.js';
import { requireOwnDid } from './values/own-did.js';
import { renumber } from './operations/renumber.js';
import { refuseTwoWaysOut } from './operations/way-out.js';

export { requireTeam } from './values/scope.js';

export type TeamChanges = Changes<typeof team>;

/** A system of its own; everything else belongs to exactly one. Its time zone is UTC unless said, its name its identity. */
export const teams = operationsOf(team, {
  // A team may be there before the first server of its Asterisk.
  columns: async ({ trx, name, given, before, refers }) => {
    const { node, country, callerId } = given;
    const owner = { noun: 'team', name } as const;
    refuseTwoWaysOut(owner, { given, before, refers });
    const columns: Record<string, unknown> = emergencyOf(given, before);
    if (typeof country === 'string') await checkCountry(owner, country);
    if (before && typeof callerId === 'string')
      columns['caller_id'] = await requireOwnDid(trx, { team: name, teamId: before.id }, owner, callerId);
    if (typeof node !== 'string') return columns;
    if (before && before['node'] !== node) await refuseWhileAtWork(trx, before.id, name, node);
    await registerNode(trx, node);
    return columns;
  },
  after: async ({ trx, ready, id, name, before, given: { trunk, country } }) => {
    if (before && (typeof trunk === 'string' || typeof country === 'string'))
      await renumber({ trx, ready }, { noun: 'team', name }, id);
    return undefined;
  },
});

/** Emergency numbers go with the country, as long as nobody has said others. */
function emergencyOf(
  given: object,
  before: Readonly<Record<string, unknown>> | undefined,
): { emergency?: string } {
  const { country, emergency } = given as { country?: string | null; emergency?: string | null };
  if (emergency !== undefined || (before && country === undefined)) return {};
  const usual = before && usualEmergencies(before['country'] as string | null);
  return usual === before?.['emergency'] ? { emergency: usualEmergencies(country ?? null) } : {};
}

/** Its queues are gone from the one Asterisk before they are on the other. */
async function refuseWhileAtWork(trx: Queryable, id: number, team: string, node: string): Promise<void> {
  const open = await trx('sign_ins as i')
    .join('agents as a', 'a.id', 'i.agent_id')
    .where('i.team_id', id)
    .whereNull('i.signed_out_at')
    .whereNot('a.kind', 'fixed')
    .select('i.id');
  if (open.length === 0) return;
  throw conflict(
    `team ${team} has ${open.length} agents signed in, and does not move to node ${node} under them: sign them out first (star64 group sign-out-all <group>), and let its callers finish.`,
  );
}

export type Team = Awaited<ReturnType<typeof teams.show>>;

export const addTeam = (db: Queryable, identity: string, values: TeamChanges = {}): Promise<Team> =>
  teams.add(db, null, identity, values);
export const listTeams = (db: Queryable): Promise<Team[]> => teams.list(db, null);
export const showTeam = (db: Queryable, identity: string): Promise<Team> => teams.show(db, null, identity);
export const setTeam = (db: Queryable, identity: string, changes: TeamChanges): Promise<Team> =>
  teams.set(db, null, identity, changes);

export { removeTeam } from './team-removal.js';
