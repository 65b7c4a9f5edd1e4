import type { Database } from '../../domain/database/pool.js';
import type { ExtensionKind } from '../../domain/presence/phone.js';
import type { Feature } from '../../domain/provisioning/feature-code.js';
import { callersOf, type CallerRow, type TrustedTrunk } from './caller-forms.js';
import { formsOf } from './did-forms.js';
import type { Destination } from '../../domain/calls/routing.js';
import type { RecordRule } from '../../domain/provisioning/record.js';
import { changesIn } from '../../domain/provisioning/generations.js';

export interface TeamRow {
  identity: string;
  language: string | null;
  /** Seconds; 0: never. */
  rtpTimeout: number;
  rtpTimeoutHold: number;
  record: RecordRule;
}
export interface ExtensionRow {
  number: string;
  kind: ExtensionKind;
  secret: string | null;
  telephone: string | null;
  /** By which a caller is known; see `extensions.telephone_key`. */
  telephoneKey: string | null;
  /** The endpoint of the team's trunk. */
  trunk: string | null;
  /** The endpoint of the operator's own that it is; null: one is generated. */
  endpoint: string | null;
  /** Null: as the team says. */
  record: RecordRule | null;
}
export interface GroupRow {
  name: string;
  number: string | null;
  strategy: string;
  ringSeconds: number;
  maxWaitSeconds: number;
  wrapUpMode: string;
  announceAgent: boolean;
  announceCall: boolean;
  record: RecordRule;
  leaving: boolean;
}
export interface CodeRow {
  code: string;
  feature: Feature;
}
export interface DidRow extends Destination {
  number: string;
  /** Other ways in which a trunk may write it. */
  forms: string[];
  /** Those of them that no other team's number has. */
  formsForAll: string[];
}

/** One team with everything of it that reaches a file, each list in a fixed order. */
export interface TeamRows extends TeamRow {
  extensions: ExtensionRow[];
  groups: GroupRow[];
  codes: CodeRow[];
  dids: DidRow[];
  callers: CallerRow[];
}

/** What generated files are made of, at one moment. */
export interface NodeRows {
  teams: TeamRows[];
  /** Ids of the changes that are in these rows: see `forgetChanges`. */
  changes: string[];
}

/**
 * Reads all teams of a node in one snapshot, in as many statements whatever their number, and gives the connection back. The same
 * database gives the same rows in the same order. `db` must not be a transaction: its isolation would be another's.
 */
export async function readRows(db: Database, node: string): Promise<NodeRows> {
  const { teams, changes, countries, trusted } = await readSnapshot(db, node);
  const dids = teams.flatMap((team) =>
    team.dids.map((did) => ({
      did,
      team: team.identity,
      number: did.number,
      countries: countries.get(team.identity) ?? [],
    })),
  );
  // Reckoned when the connection has been given back.
  const forms = await formsOf(dids);
  for (const [index, { did }] of dids.entries()) {
    did.forms = forms[index]?.inTeam ?? [];
    did.formsForAll = forms[index]?.forAll ?? [];
  }
  for (const team of teams) {
    const keyed = team.extensions.flatMap(({ telephoneKey, number }) =>
      telephoneKey === null ? [] : [[telephoneKey, number] as const],
    );
    team.callers = await callersOf(trusted.get(team.identity) ?? [], new Map(keyed));
  }
  return { teams, changes };
}

interface Snapshot extends NodeRows {
  /** Of the trunks that each team can use. */
  countries: Map<string, string[]>;
  /** Trunks of each team whose caller numbers are proof enough. */
  trusted: Map<string, TrustedTrunk[]>;
}

function readSnapshot(db: Database, node: string): Promise<Snapshot> {
  return db.transaction(
    async (trx) => {
      const teams = await trx('teams')
        .where({ node })
        .orderBy('identity')
        .select<TeamRow[]>(
          'identity',
          'language',
          'rtp_timeout as rtpTimeout',
          'rtp_timeout_hold as rtpTimeoutHold',
          'record',
        );
      const byTeam = new Map<string, TeamRows>(
        teams.map((team) => [
          team.identity,
          { ...team, extensions: [], groups: [], codes: [], dids: [], callers: [] },
        ]),
      );
      const of = (team: string): TeamRows => {
        const rows = byTeam.get(team);
        // A foreign key of the same snapshot says that it is there.
        if (!rows) throw new Error(`no team ${team} in the snapshot`);
        return rows;
      };
      const extensions = await trx('extensions as e')
        .join('teams as t', 't.id', 'e.team_id')
        .leftJoin('trunks as k', 'k.id', 't.trunk_id')
        .where('t.node', node)
        .whereNull('e.removed_at')
        .orderBy('e.number')
        .select<(ExtensionRow & { team: string })[]>(
          't.identity as team',
          'e.number',
          'e.kind',
          'e.secret',
          'e.telephone_number as telephone',
          'e.telephone_key as telephoneKey',
          'k.endpoint as trunk',
          'e.endpoint',
          'e.record',
        );
      for (const { team, ...row } of extensions) of(team).extensions.push(row);
      const groups = await trx('agent_groups as g')
        .join('teams as t', 't.id', 'g.team_id')
        .where('t.node', node)
        // A removed group stays until its queue is empty.
        .whereRaw('(g.removed_at is null or g.leaving_since is not null)')
        .orderBy('g.name')
        .select<(GroupRow & { team: string })[]>(
          't.identity as team',
          'g.name',
          'g.number',
          'g.strategy',
          'g.ring_seconds as ringSeconds',
          'g.max_wait_seconds as maxWaitSeconds',
          'g.wrap_up_mode as wrapUpMode',
          'g.announce_agent as announceAgent',
          'g.announce_call as announceCall',
          'g.record',
          trx.raw('g.leaving_since is not null as leaving'),
        );
      for (const { team, ...row } of groups) of(team).groups.push(row);
      const codes = await trx('feature_codes as c')
        .join('teams as t', 't.id', 'c.team_id')
        .where('t.node', node)
        .orderBy('c.code')
        .select<(CodeRow & { team: string })[]>('t.identity as team', 'c.code', 'c.feature');
      for (const { team, ...row } of codes) of(team).codes.push(row);
      const dids = await trx('dids as d')
        .join('teams as t', 't.id', 'd.team_id')
        .leftJoin('agent_groups as g', 'g.id', 'd.group_id')
        .leftJoin('extensions as x', 'x.id', 'd.extension_id')
        .where('t.node', node)
        .orderBy('d.number')
        .select<(Omit<DidRow, 'forms'> & { team: string })[]>(
          't.identity as team',
          'd.number',
          'g.name as group',
          'x.number as extension',
          'd.feature',
        );
      for (const { team, ...row } of dids) of(team).dids.push({ ...row, forms: [], formsForAll: [] });
      const used = await trx('trunks as k')
        .join('teams as t', (on) => on.on('t.id', 'k.team_id').orOnNull('k.team_id'))
        .where('t.node', node)
        .whereNotNull('k.country')
        .distinct('t.identity as team', 'k.country')
        .orderBy(['team', 'country'])
        .select<{ team: string; country: string }[]>();
      const countries = new Map<string, string[]>();
      for (const { team, country } of used) countries.set(team, [...(countries.get(team) ?? []), country]);
      const trunks = await trx('trunks as k')
        .join('teams as t', (on) => on.onNull('k.team_id').orOn('k.team_id', 't.id'))
        .where({ 't.node': node, 'k.trusted_caller_id': true })
        .orderBy('k.endpoint')
        .select<(TrustedTrunk & { team: string })[]>('t.identity as team', 'k.endpoint', 'k.country');
      const trusted = new Map<string, TrustedTrunk[]>();
      for (const { team, ...trunk } of trunks) trusted.set(team, [...(trusted.get(team) ?? []), trunk]);
      return { teams: [...byTeam.values()], changes: await changesIn(trx, node), countries, trusted };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}
