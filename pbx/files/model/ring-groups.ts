import { prepared, type Queryable } from '../../../domain/database/pool.js';
import { placeOf } from '../../../domain/calls/routing/routing.js';
import type { RecordRule } from '../../../domain/provisioning/fields/record.js';
import { bare } from '../../../domain/telephone-numbers.js';
import { closedModel, endOf } from './places.js';
import type { Slots } from './slots.js';

/** A member as far as Asterisk alone can ring it: an agent of no phone of their own is not there. */
interface MemberRow {
  /** An extension, or the one of a fixed agent. */
  extension: string | null;
  outside: string | null;
}

export interface RingGroupRow {
  number: string;
  strategy: string;
  ringSeconds: number;
  prefix: string | null;
  hears: string;
  /** Null: as the team says. */
  record: RecordRule | null;
  /** The hours while which its calls are taken. */
  hours: string | null;
  members: MemberRow[];
  slots: Slots;
}

/** The ring groups of a node with their teams, in a fixed order. */
export function readRingGroups(
  trx: Queryable,
  node: string,
): Promise<(Omit<RingGroupRow, 'slots'> & { team: string })[]> {
  return prepared(
    trx,
    `select t.identity as team, r.number, r.strategy, r.ring_seconds as "ringSeconds", r.prefix, r.hears, r.record, h.name as hours,
       (select coalesce(json_agg(json_build_object('extension', x.number, 'outside', m.outside) order by m.position), '[]')
        from ring_group_members m left join agents a on a.id = m.agent_id
        left join extensions x on x.id = coalesce(m.extension_id, a.extension_id)
        where m.ring_group_id = r.id and num_nonnulls(x.id, m.outside) = 1) as members
     from ring_groups r join teams t on t.id = r.team_id left join hours h on h.id = r.hours_id
     where t.node = ? and r.removed_at is null order by r.number`,
    [node],
  );
}

/** What the options of Dial call what a caller hears; see star64-ring.conf. */
const hears: Readonly<Record<string, string>> = { ringing: 'r', music: 'm' };

/** Ring groups as the templates need them. */
export function ringGroupsModel(team: string, ofTeam: RecordRule, rows: readonly RingGroupRow[]) {
  return rows.map(({ number, strategy, ringSeconds, prefix, hears: what, record, hours, members, slots }) => {
    const noAnswer = slots['no-answer'];
    const allBusy = slots['all-busy'] ?? noAnswer;
    return {
      number,
      ...closedModel(team, { hours, slots }, endOf(team, 'normal')),
      strategy,
      seconds: String(ringSeconds),
      hears: hears[what] ?? 'r',
      prefix: prefix ?? '',
      recorded: (record ?? ofTeam) === 'always',
      // A fixed agent's phone may be a member itself.
      members: [...new Set(members.map(tokenOf))],
      noAnswer: noAnswer ? placeOf(team, noAnswer) : endOf(team, 'unanswered'),
      allBusy: allBusy ? placeOf(team, allBusy) : endOf(team, 'busy'),
    };
  });
}

/** Numbers outside that are members, each with how it is called. */
export function ringGroupNumbers<Called extends object>(
  rows: readonly RingGroupRow[],
  calledAs: (number: string) => Called,
) {
  const numbers = rows.flatMap(({ members }) => members.flatMap(({ outside }) => outside ?? []));
  const byDigits = new Map(numbers.sort().map((number) => [bare(number), number]));
  return [...byDigits].map(([digits, number]) => ({ digits, ...calledAs(number) }));
}

const tokenOf = ({ extension, outside }: MemberRow): string => extension ?? `o${bare(outside ?? '')}`;
