import { createHash } from 'node:crypto';
import type { Database } from '../../domain/database/pool.js';
import { Star64Error } from '../../domain/errors.js';
import type { ExtensionKind } from '../../domain/presence/phone.js';
import { features, type Feature } from '../../domain/provisioning/feature-code.js';
import { destinationOf, type Destination } from '../../domain/calls/routing.js';
import { deviceOf, lampOf, memberOf } from '../queue/names.js';

/** What beside the database decides the text of the generated files. */
export interface GenerateSettings {
  /** Where the operator's files look for ours. */
  directory: string;
  /** `host:port` of each server, in the order in which Asterisk asks them. Addresses: a name that hangs in DNS holds a call. */
  servers: readonly string[];
  token: string;
  /** `password_digest` needs Asterisk 20.12, 21.7 or 22.2; older ones read `md5_cred`. */
  passwordDigest: boolean;
  /** What a phone hears when no server answers: sounds joined by `&`. */
  nobodyAnswers: string;
}

/** Seconds that one server has to answer while a caller waits, and while an agent does. */
const callerSeconds = 2;
const agentSeconds = 5;
/** Long enough to key a PIN three times. */
const pinSeconds = 60;

/** Features that take digits, dialled with the code or asked for. */
const takingDigits: ReadonlySet<Feature> = new Set(['sign-in', 'pause', 'work-mode', 'current-group']);

interface Row {
  team: string;
}
interface TeamRow {
  identity: string;
  language: string | null;
}
interface ExtensionRow extends Row {
  number: string;
  kind: ExtensionKind;
  secret: string | null;
  telephone: string | null;
  /** The endpoint of the team's trunk. */
  trunk: string | null;
}
interface GroupRow extends Row {
  name: string;
  number: string | null;
  strategy: string;
  ringSeconds: number;
  wrapUpMode: string;
  announceAgent: boolean;
  announceCall: boolean;
  leaving: boolean;
}
interface CodeRow extends Row {
  code: string;
  feature: Feature;
}
interface DidRow extends Row, Destination {
  number: string;
}

export type Model = Awaited<ReturnType<typeof readModel>>;

/** Everything the templates need, read in one snapshot and sorted, so that the same database gives the same text. */
export async function readModel(db: Database, settings: GenerateSettings) {
  const rows = await db.transaction(
    async (trx) => ({
      teams: await trx('teams').orderBy('identity').select<TeamRow[]>('identity', 'language'),
      extensions: await trx('extensions as e')
        .join('teams as t', 't.id', 'e.team_id')
        .leftJoin('trunks as k', 'k.id', 't.trunk_id')
        .whereNull('e.removed_at')
        .orderBy('e.number')
        .select<ExtensionRow[]>(
          't.identity as team',
          'e.number',
          'e.kind',
          'e.secret',
          'e.telephone_number as telephone',
          'k.endpoint as trunk',
        ),
      groups: await trx('agent_groups as g')
        .join('teams as t', 't.id', 'g.team_id')
        // A removed group stays until its queue is empty.
        .whereRaw('(g.removed_at is null or g.leaving_since is not null)')
        .orderBy('g.name')
        .select<GroupRow[]>(
          't.identity as team',
          'g.name',
          'g.number',
          'g.strategy',
          'g.ring_seconds as ringSeconds',
          'g.wrap_up_mode as wrapUpMode',
          'g.announce_agent as announceAgent',
          'g.announce_call as announceCall',
          trx.raw('g.leaving_since is not null as leaving'),
        ),
      codes: await trx('feature_codes as c')
        .join('teams as t', 't.id', 'c.team_id')
        .orderBy('c.code')
        .select<CodeRow[]>('t.identity as team', 'c.code', 'c.feature'),
      dids: await trx('dids as d')
        .join('teams as t', 't.id', 'd.team_id')
        .leftJoin('agent_groups as g', 'g.id', 'd.group_id')
        .leftJoin('extensions as x', 'x.id', 'd.extension_id')
        .orderBy('d.number')
        .select<DidRow[]>(
          't.identity as team',
          'd.number',
          'g.name as group',
          'x.number as extension',
          'd.feature',
        ),
    }),
    { isolationLevel: 'repeatable read', readOnly: true },
  );
  const teams = rows.teams.map((one) => team(one, rows));
  return {
    directory: settings.directory,
    token: settings.token,
    passwordDigest: settings.passwordDigest,
    servers: servers(settings.servers),
    callerSeconds,
    agentSeconds,
    pinSeconds,
    nobodyAnswers: settings.nobodyAnswers,
    teams,
    queues: teams.flatMap(({ groups }) => groups.map(({ queue }) => queue)),
  };
}

function team(
  { identity, language }: TeamRow,
  rows: { extensions: ExtensionRow[]; groups: GroupRow[]; codes: CodeRow[]; dids: DidRow[] },
) {
  const own = <T extends Row>(list: T[]): T[] => list.filter((row) => row.team === identity);
  const groups = own(rows.groups).map((group) => ({
    ...group,
    queue: `${identity}-${group.name}`,
    // What star64-answered is told: the number to say to the agent, and whether the caller hears the agent's.
    answered:
      group.announceAgent || group.announceCall
        ? `${group.announceCall ? (group.number ?? '') : ''},${group.announceAgent ? 'yes' : ''}`
        : '',
  }));
  const named = own(rows.extensions).map((row) => ({
    ...row,
    name: { team: identity, extension: row.number, extensionKind: row.kind },
  }));
  return {
    identity,
    language: language ?? '',
    extensions: named
      .filter(({ kind, trunk }) => kind === 'sip' || trunk !== null)
      .map(({ number, name }) => ({ number, device: deviceOf(name), dial: memberOf(name) })),
    telephones: named.flatMap(({ number, telephone, trunk }) =>
      telephone === null || trunk === null ? [] : [{ number, dial: `PJSIP/${telephone}@${trunk}` }],
    ),
    // Telephones of a team without a trunk.
    unreachable: named
      .filter(({ kind, trunk }) => kind === 'external' && trunk === null)
      .map(({ number }) => ({ number })),
    lamps: named.map(({ number, name }) => ({ number, lamp: lampOf(name) })),
    features,
    phones: own(rows.extensions).flatMap(({ number, secret }) =>
      secret === null ? [] : [phone(`${identity}-${number}`, number, secret)],
    ),
    codes: own(rows.codes).map(({ code, feature }) => ({
      code,
      feature,
      takesDigits: takingDigits.has(feature),
      length: String(code.length),
    })),
    groups,
    numberedGroups: groups.filter(({ number, leaving }) => number !== null && !leaving),
    dids: own(rows.dids).map(({ number, ...did }) => ({ number, destination: destinationOf(identity, did) })),
  };
}

/** The realm is part of the digest and fixed in pjsip.conf.hbs, so that an operator's default realm does not matter. */
function phone(endpoint: string, number: string, secret: string) {
  return { endpoint, number, digest: createHash('md5').update(`${endpoint}:star64:${secret}`).digest('hex') };
}

function servers(addresses: readonly string[]) {
  if (addresses.length === 0) {
    throw new Star64Error('usage', 'No server for Asterisk to ask: set agi.servers to a list of host:port.');
  }
  return addresses.map((address, index) => ({
    address,
    number: index + 1,
    next: index + 1 < addresses.length ? `server${index + 2}` : 'answered',
  }));
}
