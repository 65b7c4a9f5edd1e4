import { readOutboundTeams } from '../../../domain/calls/outbound/outbound-read.js';
import type { OutboundTeam } from '../../../domain/calls/outbound/outbound-team.js';
import type { Database } from '../../../domain/database/pool.js';
import { readCallKeys } from './call-keys.js';
import { callersOf, type TrustedTrunk } from '../outside/caller-forms.js';
import { dialledForms } from '../outside/dialled-forms.js';
import { formsOf, type Forms } from './did-forms.js';
import { spreadAll, type DidRow } from './did-rows.js';
import { noEmergency, readEmergency } from '../outside/emergency.js';
import { readRules } from '../../../domain/provisioning/features/hours.js';
import type { HoursRow } from './hours-model.js';
import { readRingGroups } from './ring-groups.js';
import { readRooms } from './rooms.js';
import { wayPlans } from '../outside/way-plans.js';
import { readWays, type WaysRow } from '../outside/ways-rows.js';
import { readSlots, type AnnouncementRow, type MenuRow, type Slots } from './slots.js';
import type { CodeRow, ExtensionRow, GroupRow, TeamRow, TeamRows } from './team-rows.js';
import type { Destination } from '../../../domain/destination.js';
import { readTrunks, type TrunkRow } from '../outside/trunks.js';
import { changesIn } from '../../../domain/provisioning/generations.js';

/** What generated files are made of, at one moment. */
export interface NodeRows {
  teams: TeamRows[];
  /** Generated trunks for every team. */
  trunks: TrunkRow[];
  /** Ids of the changes that are in these rows: see `forgetChanges`. */
  changes: string[];
  /** Other ways in which a trunk may write a DID of a team. */
  formsOf: (team: TeamRows, number: string) => Forms;
}

/**
 * Reads all teams of a node in one snapshot, in as many statements whatever their number, and gives the connection back. The same
 * database gives the same rows in the same order. `db` must not be a transaction: its isolation would be another's.
 */
export async function readRows(db: Database, node: string): Promise<NodeRows> {
  const { teams, trunks, changes, trusted, ways } = await readSnapshot(db, node);
  // What is reckoned comes when the connection has been given back.
  for (const team of teams) {
    const keyed = team.extensions.flatMap(({ telephoneKey, number }) =>
      telephoneKey === null ? [] : [[telephoneKey, number] as const],
    );
    // Temporal is loaded where there are hours.
    if (team.hours.length > 0)
      team.overlap = (await import('../../../domain/calls/routing/hours.js')).overlapOf(team.timeZone);
    const rows = ways.get(team.identity);
    if (rows) team.ways = { rows, plans: await wayPlans(rows) };
    const { withCountry } = await dialledForms(team.out.plan.country);
    team.emergency = { ...team.emergency, withCountry };
    team.callers = await callersOf(trusted.get(team.identity) ?? [], new Map(keyed));
  }
  await spreadAll(teams);
  return { teams, trunks, changes, formsOf: await formsOf(teams) };
}

interface Snapshot extends Omit<NodeRows, 'formsOf'> {
  /** Trunks of each team whose caller numbers are proof enough. */
  trusted: Map<string, TrustedTrunk[]>;
  /** How the phones of each team call outside; of a team that is not there: they do not. */
  ways: Map<string, WaysRow>;
}

function readSnapshot(db: Database, node: string): Promise<Snapshot> {
  return db.transaction(
    async (trx) => {
      const teams = await trx('teams as t')
        .where('t.node', node)
        .orderBy('t.identity')
        .select<TeamRow[]>(
          't.identity',
          't.language',
          't.rtp_timeout as rtpTimeout',
          't.rtp_timeout_hold as rtpTimeoutHold',
          't.record',
          't.time_zone as timeZone',
          't.calls_at_once as callsAtOnce',
        );
      const out = new Map((await readOutboundTeams(trx, node, undefined)).map((one) => [one.team, one]));
      // Of the same snapshot.
      const outOf = (team: string): OutboundTeam => out.get(team) as OutboundTeam;
      const emergency = await readEmergency(trx, node);
      const byTeam = new Map<string, TeamRows>(
        teams.map((team) => [
          team.identity,
          {
            ...team,
            extensions: [],
            groups: [],
            codes: [],
            callKeys: [],
            dids: [],
            prefixes: [],
            callers: [],
            countries: [],
            ringGroups: [],
            rooms: [],
            announcements: [],
            menus: [],
            trunks: [],
            hours: [],
            overlap: undefined,
            ways: undefined,
            slots: {},
            ruleSlots: [],
            out: outOf(team.identity),
            emergency: emergency.get(team.identity) ?? noEmergency,
            fixedAgents: new Map<string, string>(),
          },
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
          'e.endpoint',
          'e.record',
        );
      for (const { team, ...row } of extensions) of(team).extensions.push(row);
      const groups = await trx('agent_groups as g')
        .join('teams as t', 't.id', 'g.team_id')
        .leftJoin('hours as h', 'h.id', 'g.hours_id')
        .where('t.node', node)
        // A removed group stays until its queue is empty.
        .whereRaw('(g.removed_at is null or g.leaving_since is not null)')
        .orderBy('g.name')
        .select<(Omit<GroupRow, 'slots'> & { team: string })[]>(
          't.identity as team',
          'g.name',
          'g.number',
          'g.strategy',
          'g.ring_seconds as ringSeconds',
          'g.max_wait_seconds as maxWaitSeconds',
          'g.wrap_up_mode as wrapUpMode',
          'g.direct_calls as directCalls',
          'g.announce_agent as announceAgent',
          'g.announce_call as announceCall',
          'g.conference_end as conferenceEnd',
          'g.record',
          'h.name as hours',
          'g.max_callers as maxCallers',
          'g.greeting',
          'g.music_class as musicClass',
          'g.announce_position as announcePosition',
          'g.announce_wait as announceWait',
          'g.announce_seconds as announceSeconds',
          'g.periodic_sound as periodicSound',
          'g.periodic_seconds as periodicSeconds',
          'g.callback_key as callbackKey',
          'g.callback_sound as callbackSound',
          trx.raw('case when g.overflow_id is not null then g.overflow_seconds end as "overflowSeconds"'),
          trx.raw('g.leaving_since is not null as leaving'),
        );
      for (const { team, ...row } of groups) of(team).groups.push({ ...row, slots: {} });
      const codes = await trx('feature_codes as c')
        .join('teams as t', 't.id', 'c.team_id')
        .where('t.node', node)
        .orderBy('c.code')
        .select<(CodeRow & { team: string })[]>('t.identity as team', 'c.code', 'c.feature');
      for (const { team, ...row } of codes) of(team).codes.push(row);
      for (const { team, ...row } of await readCallKeys(trx, node)) of(team).callKeys.push(row);
      const dids = await trx('dids as d')
        .join('teams as t', 't.id', 'd.team_id')
        .join('destination_targets as p', 'p.from_did_id', 'd.id')
        .leftJoin('hours as h', 'h.id', 'd.hours_id')
        .where('t.node', node)
        .orderBy(['d.number', 'p.slot'])
        .select<(Pick<DidRow, 'number' | 'hours'> & { team: string; slot: string } & Destination)[]>(
          't.identity as team',
          'd.number',
          'h.name as hours',
          'p.slot',
          'p.kind',
          'p.name',
        );
      for (const { team, number, hours, slot, kind, name } of dids) {
        const before = of(team).dids.at(-1);
        // The slots of a DID come one after the other.
        if (before?.number === number) before.slots = { ...before.slots, [slot]: { kind, name } };
        else of(team).dids.push({ number, hours, slots: { [slot]: { kind, name } } });
      }
      const slots = await readSlots(trx, node);
      const slotsOf = (team: string, owner: string): Slots => slots.get(`${team} ${owner}`) ?? {};
      for (const team of byTeam.values()) {
        team.slots = slotsOf(team.identity, `team:${team.identity}`);
        for (const group of team.groups) group.slots = slotsOf(team.identity, `group:${group.name}`);
      }
      for (const [key, ofRule] of slots) {
        const [team = '', owner = ''] = key.split(' ');
        if (owner.startsWith('did-rule:')) of(team).ruleSlots.push(ofRule);
      }
      for (const { team, ...row } of await readRingGroups(trx, node))
        of(team).ringGroups.push({ ...row, slots: slotsOf(team, `ring-group:${row.number}`) });
      for (const { team, ...row } of await readRooms(trx, node)) of(team).rooms.push(row);
      const announcements = await trx('announcements as n')
        .join('teams as t', 't.id', 'n.team_id')
        .where('t.node', node)
        .orderBy('n.name')
        .select<(Omit<AnnouncementRow, 'slots'> & { team: string })[]>(
          't.identity as team',
          'n.name',
          'n.sound',
          'n.times',
        );
      for (const { team, ...row } of announcements)
        of(team).announcements.push({ ...row, slots: slotsOf(team, `announcement:${row.name}`) });
      const rules = await readRules(trx, node);
      const hours = await trx('hours as h')
        .join('teams as t', 't.id', 'h.team_id')
        .where('t.node', node)
        .orderBy('h.name')
        .select<(Pick<HoursRow, 'name' | 'number'> & { team: string; id: number })[]>(
          't.identity as team',
          'h.id',
          'h.name',
          'h.number',
        );
      for (const { team, id, ...row } of hours)
        of(team).hours.push({
          ...row,
          rules: rules.get(id) ?? [],
          slots: slotsOf(team, `hours:${row.name}`),
        });
      const menus = await trx('menus as m')
        .join('teams as t', 't.id', 'm.team_id')
        .where('t.node', node)
        .orderBy('m.name')
        .select<(Omit<MenuRow, 'slots'> & { team: string })[]>(
          't.identity as team',
          'm.name',
          'm.sound',
          'm.seconds',
          'm.tries',
        );
      for (const { team, ...row } of menus)
        of(team).menus.push({ ...row, slots: slotsOf(team, `menu:${row.name}`) });
      const fixed = await trx('agents as a')
        .join('teams as t', 't.id', 'a.team_id')
        .join('extensions as x', 'x.id', 'a.extension_id')
        .where('t.node', node)
        .whereNull('a.removed_at')
        .orderBy('a.number')
        .select<{ team: string; agent: string; extension: string }[]>(
          't.identity as team',
          'a.number as agent',
          'x.number as extension',
        );
      for (const { team, agent, extension } of fixed) of(team).fixedAgents.set(agent, extension);
      const used = await trx('trunks as k')
        .join('teams as t', (on) => on.on('t.id', 'k.team_id').orOnNull('k.team_id'))
        .where('t.node', node)
        .whereNotNull('k.country')
        .distinct('t.identity as team', 'k.country')
        .orderBy(['team', 'country'])
        .select<{ team: string; country: string }[]>();
      for (const { team, country } of used) of(team).countries.push(country);
      const trunks = await trx('trunks as k')
        .join('teams as t', (on) => on.onNull('k.team_id').orOn('k.team_id', 't.id'))
        .where({ 't.node': node, 'k.trusted_caller_id': true })
        .orderBy('k.endpoint')
        .select<(TrustedTrunk & { team: string })[]>('t.identity as team', 'k.endpoint', 'k.country');
      const trusted = new Map<string, TrustedTrunk[]>();
      for (const { team, ...trunk } of trunks) trusted.set(team, [...(trusted.get(team) ?? []), trunk]);
      const generated = await readTrunks(trx, node);
      for (const team of byTeam.values()) team.trunks = generated.get(team.identity) ?? [];
      return {
        teams: [...byTeam.values()],
        trunks: generated.get(null) ?? [],
        changes: await changesIn(trx, node),
        trusted,
        ways: await readWays(trx, node),
      };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}
