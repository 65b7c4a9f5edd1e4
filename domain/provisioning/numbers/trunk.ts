import type { Changes } from '../fields/description.js';
import type { Queryable } from '../../database/pool.js';
import { fail } from '../../errors.js';
import { checkCountry } from '../values/check-country.js';
import { trunk } from '../nouns/trunk.js';
import { operationsOf } from '../operations/operations.js';
import { requireOwnDid } from '../values/own-did.js';
import { renumber } from '../operations/renumber.js';
import { endpointColumns } from './trunk-endpoint.js';

export type TrunkChanges = Changes<typeof trunk>;

/** A way to the public network: an endpoint of the operator's, or one that star64 generates. No caller number is trusted unless that is said. */
export const trunks = operationsOf(trunk, {
  columns: async (change) => {
    const { trx, name, scope, before, given } = change;
    const { country, callerId, secret, unknownTeam } = given;
    if (typeof unknownTeam === 'string' && scope.teamId !== null) {
      throw fail('not_applicable', {
        noun: 'trunk',
        name,
        facts: { team: scope.team, field: 'unknownTeam' },
        says: `trunk ${name} is of team ${scope.team ?? ''}, and so are the calls over it for numbers that no team has`,
        remedy: {
          text: 'say where they go with {0}',
          steps: [
            { noun: 'team', verb: 'set', name: scope.team ?? '', options: '--unknown-to <destination>' },
          ],
        },
      });
    }
    const columns: Record<string, unknown> = await endpointColumns(change);
    const endpoint = columns['endpoint'] ?? given.endpoint;
    if (typeof endpoint === 'string' && endpoint !== before?.['endpoint'])
      await refusePhone(trx, name, endpoint);
    if (typeof secret === 'string') await refusePhonesSecret(trx, name, secret);
    // Whose number a trunk for every team may show is decided for each call.
    if (typeof callerId === 'string' && scope.teamId !== null)
      columns['caller_id'] = await requireOwnDid(trx, scope, { noun: 'trunk', name }, callerId);
    if (typeof country === 'string') await checkCountry({ noun: 'trunk', name }, country);
    return columns;
  },
  after: async ({ trx, ready, scope, name, given: { country } }) => {
    if (typeof country === 'string') await renumber({ trx, ready }, { noun: 'trunk', name }, scope.teamId);
    return undefined;
  },
});

export type Trunk = Awaited<ReturnType<typeof trunks.show>>;

export const addTrunk = (
  db: Queryable,
  team: string | null,
  { name, ...values }: { name: string } & TrunkChanges,
): Promise<Trunk> => trunks.add(db, team, name, values);
export const listTrunks = trunks.list;
export const showTrunk = trunks.show;
export const setTrunk = trunks.set;
export const removeTrunk = trunks.remove;

async function refusePhone(trx: Queryable, name: string, endpoint: string): Promise<void> {
  const phone = await trx('extensions as x')
    .join('teams as t', 't.id', 'x.team_id')
    .where({ endpoint, removed_at: null })
    .first<{ number: string; team: string } | undefined>('x.number', 't.identity as team');
  if (!phone) return;
  throw fail('taken', {
    noun: 'trunk',
    name,
    facts: { endpoint, team: phone.team },
    says: `endpoint ${endpoint} is extension ${phone.number} of team ${phone.team} already`,
    remedy: { text: 'choose another endpoint: a phone is no trunk' },
  });
}

/** A provider that knows the secret of a phone could register as it. */
async function refusePhonesSecret(trx: Queryable, name: string, secret: string): Promise<void> {
  const phone = await trx('extensions as x')
    .join('teams as t', 't.id', 'x.team_id')
    .where({ secret, removed_at: null })
    .first<{ number: string; team: string } | undefined>('x.number', 't.identity as team');
  if (!phone) return;
  throw fail('secret_is_password', {
    noun: 'trunk',
    name,
    facts: { extension: phone.number, team: phone.team },
    says: `the secret of trunk ${name} is the SIP secret of extension ${phone.number} of team ${phone.team}`,
    remedy: {
      text: 'first {0}, or have the provider give you another',
      steps: [
        { noun: 'extension', verb: 'set', name: phone.number, options: '--new-secret', team: phone.team },
      ],
    },
  });
}
