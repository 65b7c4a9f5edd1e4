import { prepared, type Queryable } from '../database/pool.js';
import type { ExtensionKind } from './phone.js';

/** An agent at a phone. */
export interface SignIn {
  id: number;
  teamId: number;
  team: string;
  /** The Asterisk on which the team lives. */
  node: string;
  agentId: number;
  agent: string;
  extension: string;
  extensionKind: ExtensionKind;
  endpoint: string | null;
}

/** An agent as a command names them: by the phone where they are signed in, or by their number. */
export type Who = { extension: string } | { agent: string };

/** The open sign-in at a phone or of an agent. */
export function openSignIn(db: Queryable, team: string, who: Who): Promise<SignIn | undefined> {
  return find(db, team, who, 'i.signed_out_at is null', {});
}

/** Whether the team has this agent, signed in or not. */
export async function isAgent(db: Queryable, team: string, agent: string): Promise<boolean> {
  const [row] = await prepared<{ there: boolean }>(
    db,
    `select exists (select from agents a join teams t on t.id = a.team_id
       where t.identity = ? and a.number = ? and a.removed_at is null) as there`,
    [team, agent],
  );
  return row?.there === true;
}

/** The last sign-in that this command or call has ended: a question asked twice is recognised by it. */
export function signInEndedBy(
  db: Queryable,
  team: string,
  who: Who,
  by: string,
): Promise<SignIn | undefined> {
  return find(db, team, who, 'i.signed_out_by = :by', { by });
}

/** A sign-in, open or ended; `offer`: the call for which the phone rang when it was ended. */
export type ChangedSignIn = SignIn & { offer: string | null };

/** The sign-ins of these ids that there are. */
export async function signInsOf(db: Queryable, ids: readonly number[]): Promise<ChangedSignIn[]> {
  const { rows } = await db.raw<{ rows: ChangedSignIn[] }>(
    `select ${signInColumns}, (
       select case when i.signed_out_at is not null and s.state = 'ringing' then s.offer_id end
       from agent_states s where s.sign_in_id = i.id order by s.id desc limit 1) as offer
     ${joins} where i.id = any(?::integer[]) order by i.id`,
    [[...ids]],
  );
  return rows;
}

/**
 * The open sign-ins of the agents of a group, locked (FOR NO KEY UPDATE) until the end of the transaction. In the order of
 * their ids: two transactions that end several sign-ins lock them in the same order, and never wait for each other.
 */
export async function lockSignInsOfGroup(
  trx: Queryable,
  team: string,
  group: string,
): Promise<(SignIn & { fixed: boolean })[]> {
  const { rows } = await trx.raw<{ rows: (SignIn & { fixed: boolean })[] }>(
    `select ${signInColumns}, a.kind = 'fixed' as fixed ${joins}
       join agent_group_members m on m.agent_id = a.id join agent_groups g on g.id = m.group_id
     where t.identity = ? and g.name = ? and g.removed_at is null and i.signed_out_at is null
     order by i.id for no key update of i`,
    [team, group],
  );
  return rows;
}

/** SQL: the columns of a {@link SignIn}, of `i` sign_ins, `t` teams, `a` agents and `x` extensions. */
export const signInColumns = `i.id, i.team_id as "teamId", t.identity as team, t.node, i.agent_id as "agentId", a.number as agent,
  x.number as extension, x.kind as "extensionKind", x.endpoint`;
const joins = `from sign_ins i join teams t on t.id = i.team_id join agents a on a.id = i.agent_id
  join extensions x on x.id = i.extension_id`;

async function find(
  db: Queryable,
  team: string,
  who: Who,
  condition: string,
  values: Record<string, string>,
): Promise<SignIn | undefined> {
  const [of, number] = 'agent' in who ? ['a', who.agent] : ['x', who.extension];
  const [found] = await prepared<SignIn>(
    db,
    `select ${signInColumns} ${joins}
     where t.identity = :team and ${of}.number = :number and ${of}.removed_at is null and ${condition}
     order by i.id desc limit 1`,
    { team, number, ...values },
  );
  return found;
}
