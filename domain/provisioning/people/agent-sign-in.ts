import { isIP } from 'node:net';
import { prepared, type Database, type Queryable } from '../../database/pool.js';
import { withDatabaseErrors } from '../../database/sql-errors.js';
import { fail, type Star64Error } from '../../errors.js';
import { askPhoneAddresses, type RegisteredAt } from '../../presence/phone-questions.js';
import { setAgentGroup, signInAgent, type AdminAction } from './admin-action.js';
import { showAgent } from './agent.js';

/** What an agent says who signs in without a telephone. */
export interface SignInWish {
  extension?: string | undefined;
  /** Their current group from now on; without it as after `*64`. */
  group?: string | undefined;
  /** The address from which they ask themselves, with a token of theirs; undefined: somebody else has it done. */
  address?: string | undefined;
  /** What keeps who did it. */
  by: string;
}

/**
 * Signs an agent in as `*64` does, at the phone that goes with their kind (spec 20-22): a fixed one at their only phone, whatever
 * is said; an adaptive one where they say; a dynamic one where they say, or else at the one phone of their user that has
 * registered from the address from which they ask. Who asks themselves gives no PIN, as *64 at the phone wants it, and is perhaps
 * nowhere near: they sign in at phones of their user alone, who pays for their calls.
 *
 * @throws Star64Error as {@link signInAgent} and {@link setAgentGroup}; `phone_wanted` with the `candidates` at that address and
 *   the free `phones` of the agent's user, when it is not one, or not theirs; `no_server` when nobody can say where phones have registered.
 */
export async function signInWhere(
  db: Database,
  team: string,
  agent: string,
  { extension, group, address, by }: SignInWish,
): Promise<AdminAction & { left: string | null; group?: string }> {
  const { kind, extension: own } = await showAgent(db, team, agent);
  const at =
    kind === 'fixed'
      ? (own ?? '')
      : (extension ?? (await phoneAt(db, team, agent, kind === 'dynamic' ? address : undefined)));
  if (kind !== 'fixed' && address !== undefined) await requireOwn(db, team, agent, at);
  return withDatabaseErrors(() =>
    db.transaction(async (trx) => {
      const signedIn = await signInAgent(trx, team, agent, { extension: at, by });
      if (group === undefined) return signedIn;
      await setAgentGroup(trx, team, agent, group);
      return { ...signedIn, group };
    }),
  );
}

/** The one phone of an agent at an address. @throws Star64Error `phone_wanted`, `no_server`. */
async function phoneAt(
  db: Queryable,
  team: string,
  agent: string,
  address: string | undefined,
): Promise<string> {
  const candidates =
    address === undefined ? [] : registeredFrom(await askPhoneAddresses(db, team, agent), address);
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  const why =
    address === undefined
      ? 'signs in at the phone that they name'
      : candidates.length === 0
        ? 'has no phone that has registered from their address'
        : `has several phones that have registered from their address: ${candidates.join(', ')}`;
  throw phoneWanted(team, agent, candidates, await freePhones(db, team, agent), why);
}

/** @throws Star64Error `phone_wanted` for an extension of another user; what is none is refused as it is elsewhere. */
async function requireOwn(db: Queryable, team: string, agent: string, extension: string): Promise<void> {
  const [other] = await withDatabaseErrors(() =>
    prepared(
      db,
      `select from agents a join teams t on t.id = a.team_id join extensions x on x.team_id = t.id and x.removed_at is null
       where t.identity = ? and a.number = ? and a.removed_at is null and x.number = ? and x.user_id <> a.user_id`,
      [team, agent, extension],
    ),
  );
  if (!other) return;
  const phones = await freePhones(db, team, agent);
  throw phoneWanted(team, agent, phones, phones, `has no extension ${extension} that is of their user`);
}

function phoneWanted(
  team: string,
  agent: string,
  candidates: readonly string[],
  phones: readonly string[],
  why: string,
): Star64Error {
  return fail('phone_wanted', {
    noun: 'agent',
    name: agent,
    facts: { team, candidates, phones },
    says: `agent ${agent} of team ${team} ${why}`,
    remedy: { text: 'say at which extension' },
  });
}

/** The extensions that have registered from an address, as it is written by whoever has seen it. */
export function registeredFrom(phones: RegisteredAt, address: string): string[] {
  const asked = canonical(address);
  if (asked === undefined) return [];
  return Object.entries(phones)
    .filter(([, addresses]) => addresses.some((one) => canonical(one) === asked))
    .map(([extension]) => extension);
}

/** An address in its one form; undefined for what is none. */
function canonical(address: string): string | undefined {
  const bare = address.replace(/^::ffff:(?=[0-9.]+$)/i, '').replace(/%.*$/, '');
  if (isIP(bare) === 4) return bare;
  return isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname : undefined;
}

/** Phones of the agent's user at which nobody is signed in. */
async function freePhones(db: Queryable, team: string, agent: string): Promise<string[]> {
  const rows = await prepared<{ number: string }>(
    db,
    `select x.number from agents a join teams t on t.id = a.team_id
       join extensions x on x.user_id = a.user_id and x.team_id = a.team_id and x.removed_at is null
     where t.identity = ? and a.number = ? and a.removed_at is null
       and not exists (select from sign_ins i where i.extension_id = x.id and i.signed_out_at is null)
     order by length(x.number), x.number limit 50`,
    [team, agent],
  );
  return rows.map(({ number }) => number);
}
