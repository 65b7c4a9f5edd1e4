import { fail } from '../../errors.js';
import { nounOf } from '../../names.js';
import { parseTrunkAddress } from '../../trunk-address.js';
import type { Changes } from '../fields/description.js';
import { generatedFields, type trunk } from '../nouns/trunk.js';
import type { Change } from '../operations/operations.js';
import { trunkEndpoint, trunkNamed } from '../values/trunk-names.js';

type TrunkChange = Change<Changes<typeof trunk>>;

const mostAddresses = 8;

/**
 * The columns that say what the endpoint of a trunk is: a section of the operator's own, or one that star64 generates.
 * From the one to the other it goes by `--endpoint` and `--no-endpoint`; what does not go together is refused.
 */
export async function endpointColumns(change: TrunkChange): Promise<Record<string, unknown>> {
  const { given, before, scope, name } = change;
  const was = before?.['generated'] === true;
  const generated =
    typeof given.endpoint === 'string' ? false : given.endpoint === null || !before ? true : was;
  if (!generated) {
    refuseGeneratedFields(change);
    return was ? { ...ofOperators, generated } : { generated };
  }
  const columns = whole(change);
  if (columns.by_address) await refuseTakenAddress(change, columns.addresses);
  return { ...columns, generated, endpoint: trunkEndpoint(scope.team, name) };
}

/** What was there for a generated endpoint, the secret above all, goes with it. */
const ofOperators = {
  addresses: [],
  transport: null,
  protocol: 'udp',
  register: false,
  by_address: true,
  number_in: 'request',
  username: null,
  secret: null,
  from_user: null,
  from_domain: null,
  identity_header: 'none',
  privacy: true,
  codecs: 'alaw,ulaw',
  dtmf: 'rfc4733',
  qualify_seconds: 30,
} as const;

const optionOf = (field: string): string =>
  ({ addresses: 'address', secret: 'secret-stdin', qualifySeconds: 'qualify' })[field] ??
  field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function refuseGeneratedFields({ given, before, scope, name }: TrunkChange): void {
  const values = given as Readonly<Record<string, unknown>>;
  const field = generatedFields.find((one) => values[one] !== undefined && values[one] !== null);
  if (field === undefined) return;
  const endpoint = given.endpoint ?? String(before?.['endpoint']);
  throw fail('not_applicable', {
    noun: 'trunk',
    name,
    facts: { team: scope.team, field, endpoint },
    says: `${trunkNamed(scope.team, name)} is endpoint ${endpoint} of your own pjsip.conf, which says that itself`,
    remedy: {
      text: before
        ? `leave --${optionOf(field)} out, or have star64 generate the trunk with --no-endpoint --address <host>`
        : `leave --${optionOf(field)} out, or --endpoint`,
    },
  });
}

/** What a generated trunk is after the change; refuses what would not work. */
function whole({ given, before, scope, name }: TrunkChange): { addresses: string[]; by_address: boolean } {
  const values = given as Readonly<Record<string, unknown>>;
  const after = (field: (typeof generatedFields)[number], column: string): unknown =>
    values[field] === undefined ? before?.[column] : values[field];
  const refuse = (
    code: 'required' | 'not_applicable' | 'too_many' | 'twice',
    field: string,
    says: string,
    text: string,
  ) =>
    fail(code, {
      noun: 'trunk',
      name,
      facts: { team: scope.team, field },
      says: `${trunkNamed(scope.team, name)} ${says}`,
      remedy: { text },
    });
  const addresses = [...((after('addresses', 'addresses') ?? []) as readonly string[])];
  if (addresses.length === 0)
    throw refuse(
      'required',
      'addresses',
      'needs an address or an endpoint',
      'add --address <host[:port]> for a trunk that star64 generates, or --endpoint <section> for one of your own pjsip.conf',
    );
  if (addresses.length > mostAddresses)
    throw refuse(
      'too_many',
      'addresses',
      `can have ${mostAddresses} addresses at most`,
      'make several trunks of it, and a trunk group',
    );
  const twice = addresses.find((one, at) => addresses.indexOf(one) !== at);
  if (twice !== undefined)
    throw refuse('twice', 'addresses', `can have address ${twice} only once`, 'name it once');
  const username = (after('username', 'username') ?? null) as string | null;
  const secret = (after('secret', 'secret') ?? null) as string | null;
  const register = after('register', 'register') === true;
  if (register && username === null)
    throw refuse(
      'required',
      'username',
      'cannot register without an account',
      'add --username <name> --secret-stdin, or --register off if the provider knows you by your address',
    );
  if (username !== null && secret === null)
    throw refuse('required', 'secret', `has user name ${username} and no secret`, 'add --secret-stdin');
  if (username === null && secret !== null)
    throw refuse(
      'required',
      'username',
      'has a secret and no user name',
      'add --username <name>, or take both away with --no-username --no-secret',
    );
  if (secret !== null && secret === username?.replace(/@.*$/, ''))
    throw refuse(
      'not_applicable',
      'secret',
      'has its user name as its secret, and anybody could call over it at your expense',
      'have the provider give you another secret',
    );
  return { addresses, by_address: after('byAddress', 'by_address') !== false };
}

/**
 * Asterisk knows a call by the address from which it comes: of two trunks on one machine that have an address in common it
 * would take either. The port says nothing, since a call may come from another one.
 */
async function refuseTakenAddress(
  { trx, scope, name, before }: TrunkChange,
  addresses: readonly string[],
): Promise<void> {
  // Two that are given one address at the same moment must see each other. Readers do not wait for this lock.
  await trx.raw('lock table trunks in share row exclusive mode');
  const hosts = new Set(addresses.map((address) => parseTrunkAddress(address).host));
  const { rows } = await trx.raw<{ rows: { name: string; team: string | null; addresses: string[] }[] }>(
    `select k.name, t.identity as team, k.addresses from trunks k left join teams t on t.id = k.team_id
     where k.generated and k.by_address and k.id <> :id and (:teamId::integer is null or k.team_id is null
       or t.node = (select o.node from teams o where o.id = :teamId::integer)) order by k.id`,
    { id: before?.id ?? 0, teamId: scope.teamId },
  );
  for (const other of rows) {
    const host = other.addresses
      .map((address) => parseTrunkAddress(address).host)
      .find((one) => hosts.has(one));
    if (host === undefined) continue;
    throw fail('trunk_address_taken', {
      noun: 'trunk',
      name,
      facts: { team: scope.team, address: host, holder: other.name, holderTeam: other.team },
      says: `calls from ${host} are those of ${trunkNamed(other.team, other.name)} already, and ${nounOf('trunk')} ${name} could not be told from it`,
      remedy: {
        text: 'use that trunk; or, if the provider takes registrations, let each register and say --by-address off',
      },
    });
  }
}
