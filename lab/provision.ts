import { readFile } from 'node:fs/promises';
import { addAgent } from '../domain/provisioning/people/agent.js';
import type { Database } from '../domain/database/pool.js';
import { addDid } from '../domain/provisioning/numbers/did.js';
import { addExtension } from '../domain/provisioning/numbers/extension.js';
import { addGroup, type GroupChanges } from '../domain/provisioning/people/group.js';
import { addTeam, listTeams } from '../domain/provisioning/team.js';
import { addUser } from '../domain/provisioning/people/user.js';

/** A team as the files under fixtures/ describe it. */
export interface TeamFixture {
  team: string;
  users: { username: string; name?: string }[];
  extensions: { number: string; user: string }[];
  groups: ({ name: string } & GroupChanges)[];
  agents: { number: string; user: string; groups: string[]; kind?: string; extension?: string }[];
  dids: { number: string; to: string }[];
}

export async function readFixture(path: URL): Promise<TeamFixture> {
  return JSON.parse(await readFile(path, 'utf8')) as TeamFixture;
}

/** Adds a team and what it owns, by the same functions as the command line, in one transaction. */
export async function provision(db: Database, fixture: TeamFixture): Promise<void> {
  const { team } = fixture;
  await db.transaction(async (trx) => {
    const known = await listTeams(trx);
    if (!known.some(({ identity }) => identity === team)) await addTeam(trx, team);
    for (const user of fixture.users) await addUser(trx, team, user);
    for (const extension of fixture.extensions) await addExtension(trx, team, extension);
    for (const group of fixture.groups) await addGroup(trx, team, group);
    for (const agent of fixture.agents) await addAgent(trx, team, agent);
    for (const did of fixture.dids) await addDid(trx, team, did);
  });
}

/** A team of `size` agents with one phone each, for tests and benchmarks: agents 1001…, extensions 5001…. */
export function crowd(
  size: number,
  options: { team?: string; groups?: TeamFixture['groups']; did?: string } = {},
): TeamFixture {
  const groups = options.groups ?? [{ name: 'support', number: '6000' }];
  const numbers = Array.from({ length: size }, (_, index) => index + 1);
  return {
    team: options.team ?? 'astercc',
    users: [{ username: 'crowd' }],
    extensions: numbers.map((n) => ({ number: String(5000 + n), user: 'crowd' })),
    groups,
    agents: numbers.map((n) => ({
      number: String(1000 + n),
      user: 'crowd',
      groups: groups.map(({ name }) => name),
    })),
    dids: [{ number: options.did ?? '600100', to: `group:${groups[0]?.name ?? 'support'}` }],
  };
}
