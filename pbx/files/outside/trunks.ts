import type { Queryable } from '../../../domain/database/pool.js';
import { parseTrunkAddress } from '../../../domain/trunk-address.js';
import { SecretValue } from './secret-value.js';

/** A trunk that star64 generates. */
export interface TrunkRow {
  endpoint: string;
  addresses: string[];
  transport: string | null;
  protocol: 'udp' | 'tcp' | 'tls';
  register: boolean;
  byAddress: boolean;
  numberIn: 'request' | 'to';
  username: string | null;
  secret: string | null;
  fromUser: string | null;
  fromDomain: string | null;
  identityHeader: 'none' | 'pai' | 'rpid';
  privacy: boolean;
  codecs: string;
  dtmf: string;
  qualifySeconds: number;
  trusted: boolean;
}

/** Generated trunks by team, of the teams of a node; under null those for every team. */
export async function readTrunks(trx: Queryable, node: string): Promise<Map<string | null, TrunkRow[]>> {
  const rows = await trx('trunks as k')
    .leftJoin('teams as t', 't.id', 'k.team_id')
    .where('k.generated', true)
    .whereRaw('(k.team_id is null or t.node = ?)', [node])
    .orderBy('k.endpoint')
    .select<(TrunkRow & { team: string | null })[]>(
      't.identity as team',
      'k.endpoint',
      'k.addresses',
      'k.transport',
      'k.protocol',
      'k.register',
      'k.by_address as byAddress',
      'k.number_in as numberIn',
      'k.username',
      'k.secret',
      'k.from_user as fromUser',
      'k.from_domain as fromDomain',
      'k.identity_header as identityHeader',
      'k.privacy',
      'k.codecs',
      'k.dtmf',
      'k.qualify_seconds as qualifySeconds',
      'k.trusted_caller_id as trusted',
    );
  const found = new Map<string | null, TrunkRow[]>();
  for (const { team, ...row } of rows) found.set(team, [...(found.get(team) ?? []), row]);
  return found;
}

export type TrunkModel = ReturnType<typeof trunkModel>;

/** What the template of trunks is given for one of a team, or for every team (`star64`). */
export function trunkModel(owner: string, passwordDigest: boolean, row: TrunkRow) {
  const addresses = row.addresses.map((typed) => {
    const { host, port, v6 } = parseTrunkAddress(typed);
    return { host, v6, port: port === null ? '' : String(port) };
  });
  const [user = '', accountDomain] = row.username?.split('@') ?? [];
  const [first] = addresses;
  const domain = row.fromDomain ?? accountDomain;
  return {
    endpoint: row.endpoint,
    inbound: `${owner}-trunk`,
    numberInTo: row.numberIn === 'to',
    addresses,
    registrar: row.register && first ? [first] : [],
    byAddress: row.byAddress,
    transport: row.transport ?? '',
    // UDP is what a URI without a word means.
    protocol: row.protocol === 'udp' ? '' : row.protocol,
    username: row.username ?? '',
    secret: row.secret === null ? '' : new SecretValue(row.secret),
    passwordDigest,
    user,
    domain: domain ?? '',
    fromUser: row.fromUser ?? '',
    fromDomain: row.fromDomain ?? '',
    pai: row.identityHeader === 'pai',
    rpid: row.identityHeader === 'rpid',
    privacy: row.privacy && row.identityHeader !== 'none',
    // Its account stands in From also of a caller who hides their number. Asterisk asks the provider by itself to show
    // nothing only where the number stands in P-Asserted-Identity.
    asksToHide: row.fromUser !== null && !(row.privacy && row.identityHeader === 'pai'),
    codecs: row.codecs,
    dtmf: row.dtmf,
    qualifySeconds: String(row.qualifySeconds),
    trusted: row.trusted,
  };
}
