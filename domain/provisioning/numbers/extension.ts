import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { checkName } from '../../names.js';
import { generateSecret } from '../../password.js';
import { bare } from '../../telephone-numbers.js';
import { requireOwnDid } from '../values/own-did.js';
import { forget } from '../operations/forget-failures.js';
import { homePlan } from '../values/home-plan.js';
import { extension } from '../nouns/extension.js';
import { operationsOf, type Change, type Removal } from '../operations/operations.js';
import { openSignIn } from '../../presence/open-sign-in.js';
import type { ExtensionKind } from '../../presence/phone.js';
import { refusePasswordAsSecret } from '../operations/secret-or-password.js';
import type { Stored } from '../values/rows.js';
import { trunkNamed } from '../values/trunk-names.js';

export type ExtensionChanges = Changes<typeof extension>;

/**
 * A SIP device or a telephone outside. The secret of a device is generated unless given (spec 17), and is part of the
 * result where it was made new; one that is an endpoint of the operator's own has its secret there. The kind stays while somebody is signed in there; removed only when nobody is.
 */
export const extensions = operationsOf(extension, {
  columns: async (change) => {
    const { trx, given, before, refers } = change;
    const kind = (given.kind ?? before?.['kind'] ?? 'sip') as ExtensionKind;
    if (before && kind !== before['kind']) await refuseWhileSignedIn(change, 'becomes another kind');
    const fields = kindFields(change, kind);
    if (before && fields.endpoint !== before['endpoint'])
      await refuseWhileSignedIn(change, 'becomes another phone');
    if (typeof given.endpoint === 'string') await refuseTrunk(change, given.endpoint);
    const owner = refers['user'] ?? (before && (await ownerOf(trx, before)));
    // A kept secret meets a new owner's password. One that is generated here cannot be anybody's password.
    const kept = owner?.id !== before?.['user_id'] && fields.secret === before?.['secret'];
    if (owner && fields.secret !== null && (given.secret === fields.secret || kept)) {
      await refusePasswordAsSecret(owner, fields.secret);
    }
    const { callerId } = given;
    const shown =
      typeof callerId === 'string'
        ? {
            caller_id: await requireOwnDid(
              trx,
              change.scope,
              { noun: 'extension', name: change.name },
              callerId,
            ),
          }
        : {};
    return { kind, ...fields, ...shown, ...(await derived(change, fields)) };
  },
  after: ({ before, written: { secret, endpoint } }) =>
    Promise.resolve(endpoint !== null || (before && secret === before['secret']) ? undefined : { secret }),
  remove: async (removal) => {
    await refuseWhileSignedIn(removal, 'is removed');
    await forget(removal, 'phone');
    return undefined;
  },
});

export type Extension = Awaited<ReturnType<typeof extensions.show>>;
/** An extension with the secret that its device registers with; null for a telephone outside. */
export type ExtensionWithSecret = Extension & { secret: string | null };

/** Creates an extension of a user; the secret is part of the result this one time. */
export const addExtension = (
  db: Queryable,
  team: string,
  { number, ...values }: { number: string } & ExtensionChanges,
): Promise<ExtensionWithSecret> => extensions.add(db, team, number, values) as Promise<ExtensionWithSecret>;
export const listExtensions = extensions.list;
export const showExtension = extensions.show;
/** One extension with its secret, to set up the device. */
export const showExtensionSecret = extensions.showSecrets as (
  db: Queryable,
  team: string,
  number: string,
) => Promise<ExtensionWithSecret>;
export const setExtension = extensions.set as (
  db: Queryable,
  team: string,
  number: string,
  changes: ExtensionChanges,
) => Promise<Extension | ExtensionWithSecret>;
export const removeExtension = extensions.remove;

async function ownerOf(trx: Queryable, before: Stored): Promise<Stored | undefined> {
  return trx('users').where({ id: before['user_id'] }).forNoKeyUpdate().first<Stored | undefined>('*');
}

interface KindFields {
  secret: string | null;
  telephone_number: string | null;
  endpoint: string | null;
}

/** What follows from them: by what a caller is known, and where an endpoint belongs to this extension alone. */
async function derived(
  { trx, scope, before }: Change<ExtensionChanges>,
  { telephone_number: telephone, endpoint }: KindFields,
): Promise<Record<string, string | null>> {
  const teamId = scope.teamId ?? 0;
  const kept = telephone === null ? null : (await homePlan(trx, teamId)).canonical(telephone);
  const [node] =
    endpoint === null ? [null] : await trx('teams').where({ id: teamId }).pluck<string[]>('node');
  return {
    telephone_key: kept === null ? null : bare(kept),
    endpoint_node: node ?? null,
    // What was seen of another endpoint says nothing of this one.
    ...(endpoint !== before?.['endpoint'] && { endpoint_guarded: null }),
  };
}

/** An endpoint is a phone of one extension or a trunk, never both: calls from a trunk would be that phone's. */
async function refuseTrunk({ trx, name, scope }: Change<ExtensionChanges>, endpoint: string): Promise<void> {
  const row = await trx('trunks as k')
    .leftJoin('teams as t', 't.id', 'k.team_id')
    .where({ endpoint })
    .first<{ name: string; team: string | null } | undefined>('k.name', 't.identity as team');
  if (!row) return;
  throw fail('taken', {
    noun: 'extension',
    name,
    facts: { team: scope.team, endpoint },
    says: `endpoint ${endpoint} is ${trunkNamed(row.team, row.name)} already`,
    remedy: { text: 'choose another endpoint: a trunk is no phone' },
  });
}

/** The columns that depend on the kind, complete; refuses what does not go with it. */
function kindFields({ name, given, before }: Change<ExtensionChanges>, kind: ExtensionKind): KindFields {
  const refuse = (code: 'required' | 'not_applicable', field: string, says: string, text: string) =>
    fail(code, {
      noun: 'extension',
      name,
      facts: { field, kind },
      says: `extension ${name} ${says}`,
      remedy: { text },
    });
  if (kind === 'sip') {
    if (given.telephone !== undefined) {
      throw refuse(
        'not_applicable',
        'telephone',
        'is a SIP device and dials no telephone number',
        'add --kind external, or leave --telephone out',
      );
    }
    const endpoint =
      given.endpoint === undefined ? ((before?.['endpoint'] ?? null) as string | null) : given.endpoint;
    if (endpoint !== null) {
      if (given.secret === undefined) return { secret: null, telephone_number: null, endpoint };
      throw refuse(
        'not_applicable',
        'secret',
        `is endpoint ${endpoint} of your own pjsip.conf, which has its secret`,
        'leave it out, or have the endpoint generated again with --no-endpoint',
      );
    }
    const kept = before?.['secret'] as string | null | undefined;
    return {
      secret: (given.secret as string | undefined) ?? kept ?? generateSecret(),
      telephone_number: null,
      endpoint: null,
    };
  }
  if (typeof given.endpoint === 'string') {
    throw refuse('not_applicable', 'endpoint', 'is a telephone number and no endpoint', 'leave it out');
  }
  if (given.secret !== undefined) {
    throw refuse('not_applicable', 'secret', 'is a telephone number and has no SIP secret', 'leave it out');
  }
  const telephone = given.telephone ?? (before?.['telephone_number'] as string | null | undefined);
  if (telephone === undefined || telephone === null) {
    throw refuse(
      'required',
      'telephone',
      'of kind external needs the number to dial',
      'add for example --telephone +4915112345678',
    );
  }
  return { secret: null, telephone_number: checkName('telephone', telephone), endpoint: null };
}

async function refuseWhileSignedIn(
  { trx, scope, name }: Pick<Removal, 'trx' | 'scope' | 'name'>,
  what: string,
): Promise<void> {
  const team = scope.team ?? '';
  const open = await openSignIn(trx, team, { extension: name });
  if (!open) return;
  const about = { noun: 'extension', name, facts: { team, agent: open.agent } };
  const [fixed] = await trx('agents').where({ id: open.agentId, kind: 'fixed' }).pluck<number[]>('id');
  if (fixed !== undefined) {
    throw fail('fixed_agent', {
      ...about,
      says: `agent ${open.agent} is fixed at extension ${name} of team ${team}, always signed in`,
      remedy: {
        text: `first {0}, before it ${what}`,
        steps: [{ noun: 'agent', verb: 'set', name: open.agent, options: '--extension <other>', team }],
      },
    });
  }
  throw fail('signed_in', {
    ...about,
    says: `agent ${open.agent} is signed in at extension ${name} of team ${team}`,
    remedy: { text: `they must sign out first (*65), before it ${what}` },
  });
}
