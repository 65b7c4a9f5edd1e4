import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { fail, type Star64Error } from '../../errors.js';
import { agent, type AgentKind } from '../nouns/agent.js';
import { operationsOf, type Change } from '../operations/operations.js';
import { requireReferred, type Stored } from '../values/rows.js';
import { openStateOf } from '../../presence/agent-state.js';
import { statesBefore } from '../../presence/transitions.js';
import { openSignIn } from '../../presence/open-sign-in.js';
import { close } from '../../presence/sign-in.js';
import { forget } from '../operations/forget-failures.js';
import { endLogins } from './login.js';
import { refuseSecretAsPassword } from '../operations/secret-or-password.js';

export { agentKinds, type AgentKind } from '../nouns/agent.js';

export type AgentChanges = Changes<typeof agent>;

/**
 * Who takes queue calls. Kind and extension stay while an agent is signed in, or, for a fixed one, who cannot sign out,
 * in a call. One who is signed in with a current group that they leave gets the first of the new ones. A new PIN
 * forgives the wrong ones that were tried, a new password likewise, and ends the logins with the old one. Removed only while signed out, or fixed; their history stays.
 */
export const agents = operationsOf(agent, {
  check: ({ name, given: { groups } }) => {
    if (Array.isArray(groups) && groups.length === 0) throw needsGroup(name);
  },
  columns: async (change) => {
    const { name, given, before } = change;
    const now = before && (await phoneOf(change.trx, before));
    const kind = (given.kind ?? now?.kind ?? 'adaptive') as AgentKind;
    const extension = extensionFor(name, kind, given.extension, now?.extension ?? null);
    if (now && (kind !== now.kind || extension !== now.extension)) {
      await leavePhone(change, now.kind, 'gets another kind or extension');
    }
    if (typeof given.password === 'string') {
      const owner = change.refers['user']?.id ?? before?.['user_id'];
      await refuseSecretAsPassword(change.trx, Number(owner), given.password, { noun: 'agent', name });
    }
    return { kind, ...(extension === null && { extension_id: null }) };
  },
  after: async ({ trx, scope, name, given, before, id }) => {
    if (before && typeof given.pin === 'string') await forget({ trx, scope, name }, 'agent');
    if (before && given.password !== undefined) await endLogins(trx, scope, { noun: 'agent', name, id });
    if (given.groups) await keepCurrentGroup(trx, id);
    await setPenalties(trx, scope, { id, name }, given.penalties ?? {});
    return undefined;
  },
  remove: async (removal) => {
    await leavePhone(removal, String(removal.row['kind']), 'is removed');
    await forget(removal, 'agent');
    await endLogins(removal.trx, removal.scope, { noun: 'agent', name: removal.name, id: removal.row.id });
    return undefined;
  },
});

export type Agent = Awaited<ReturnType<typeof agents.show>>;

export const addAgent = (
  db: Queryable,
  team: string,
  { number, ...values }: { number: string } & AgentChanges,
): Promise<Agent> => agents.add(db, team, number, values);
export const listAgents = agents.list;
export const showAgent = agents.show;
export const setAgent = agents.set;
export const removeAgent = agents.remove;

const needsGroup = (name: string): Star64Error =>
  fail('required', {
    noun: 'agent',
    name,
    facts: { field: 'groups' },
    says: `agent ${name} needs at least one group`,
    remedy: { text: 'name it with --groups, for example --groups support' },
  });

/** Where an agent stays whose row is this. */
async function phoneOf(trx: Queryable, row: Stored): Promise<{ kind: AgentKind; extension: string | null }> {
  const extension =
    row['extension_id'] === null
      ? undefined
      : await trx('extensions')
          .where({ id: row['extension_id'] })
          .first<{ number: string } | undefined>('number');
  return { kind: row['kind'] as AgentKind, extension: extension?.number ?? null };
}

/** The extension that goes with a kind: one for a fixed agent, none for the others. */
function extensionFor(
  name: string,
  kind: AgentKind,
  given: string | undefined,
  before: string | null,
): string | null {
  if (kind === 'fixed') {
    const extension = given ?? before;
    if (extension !== null) return extension;
    throw fail('required', {
      noun: 'agent',
      name,
      facts: { field: 'extension', kind },
      says: `agent ${name} is fixed and needs an extension`,
      remedy: { text: 'add for example --extension 5000' },
    });
  }
  if (given === undefined) return null;
  throw fail('not_applicable', {
    noun: 'agent',
    name,
    facts: { field: 'extension', kind },
    says: `agent ${name} is ${kind} and chooses a phone at sign-in`,
    remedy: { text: 'add --kind fixed, or leave --extension out' },
  });
}

/** Refuses while the agent is signed in; a fixed one, who cannot sign out, leaves the phone unless in a call. */
async function leavePhone(
  { trx, scope, name }: Pick<Change<AgentChanges>, 'trx' | 'scope' | 'name'>,
  kind: string,
  what: string,
): Promise<void> {
  const team = scope.team ?? '';
  const open = await openSignIn(trx, team, { agent: name });
  if (!open) return;
  const facts = { team, extension: open.extension };
  if (kind !== 'fixed') {
    throw fail('signed_in', {
      noun: 'agent',
      name,
      facts,
      says: `agent ${name} of team ${team} is signed in at extension ${open.extension}`,
      remedy: { text: `they must sign out first (*65), before the agent ${what}` },
    });
  }
  // Locked, so that no offer begins between the look and the end.
  await trx('sign_ins').where({ id: open.id }).forNoKeyUpdate().select('id');
  const state = (await openStateOf(trx, open.id))?.state;
  if (state !== undefined && !statesBefore('move').includes(state)) {
    throw fail('in_call', {
      noun: 'agent',
      name,
      facts,
      says: `agent ${name} of team ${team} is in a call at extension ${open.extension}`,
      remedy: { text: `try again when it has ended, before the agent ${what}` },
    });
  }
  await close(trx, [open.id], 'agent set');
}

/** A current group is one of the agent's own: the first of them when it was left. */
async function keepCurrentGroup(trx: Queryable, agentId: number): Promise<void> {
  await trx.raw(
    `update sign_ins set current_group_id =
       (select group_id from agent_group_members where agent_id = :agentId order by position, group_id limit 1)
     where agent_id = :agentId and signed_out_at is null
       and (current_group_id is null
         or current_group_id not in (select group_id from agent_group_members where agent_id = :agentId))`,
    { agentId },
  );
}

/** Sets penalties in groups where the agent is. */
async function setPenalties(
  trx: Queryable,
  scope: Change<AgentChanges>['scope'],
  { id, name }: { id: number; name: string },
  penalties: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [group, penalty] of Object.entries(penalties)) {
    const { id: groupId } = await requireReferred(trx, 'group', scope, group);
    const changed = await trx('agent_group_members')
      .where({ agent_id: id, group_id: groupId })
      .update({ penalty });
    if (changed > 0) continue;
    throw fail('not_a_member', {
      noun: 'agent',
      name,
      facts: { team: scope.team, group },
      says: `agent ${name} is not in group ${group} and has no penalty there`,
      remedy: {
        text: 'add the group with {0}',
        steps: [
          { noun: 'agent', verb: 'set', name, options: '--groups <all their groups>', team: scope.team },
        ],
      },
    });
  }
}
