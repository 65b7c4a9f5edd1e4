import type { Queryable } from './database.js';
import type { ExtensionKind } from './extension.js';

/** An agent at a phone. */
export interface SignIn {
  id: number;
  teamId: number;
  team: string;
  agentId: number;
  agent: string;
  extension: string;
  extensionKind: ExtensionKind;
}

/** Whom a command means: the agent at a phone, or an agent by his number. */
export type Who = { extension: string } | { agent: string };

/** The open sign-in at a phone or of an agent. */
export function openSignIn(db: Queryable, team: string, who: Who): Promise<SignIn | undefined> {
  return find(db, team, who, 'i.signed_out_at is null', {});
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

async function find(
  db: Queryable,
  team: string,
  who: Who,
  condition: string,
  values: Record<string, string>,
): Promise<SignIn | undefined> {
  const [column, number] = 'agent' in who ? ['a.number', who.agent] : ['x.number', who.extension];
  const { rows } = await db.raw<{ rows: SignIn[] }>(
    `select i.id, i.team_id as "teamId", t.identity as team, i.agent_id as "agentId", a.number as agent,
       x.number as extension, x.kind as "extensionKind"
     from sign_ins i join teams t on t.id = i.team_id join agents a on a.id = i.agent_id
       join extensions x on x.id = i.extension_id
     where t.identity = :team and ${column} = :number and ${condition}
     order by i.id desc limit 1`,
    { team, number, ...values },
  );
  return rows[0];
}
