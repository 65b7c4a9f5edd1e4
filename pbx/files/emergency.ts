import { hash } from 'node:crypto';
import type { Queryable } from '../../domain/database/pool.js';
import { readEmergencies } from '../../domain/emergency-defaults.js';
import type { Feature } from '../../domain/provisioning/feature-code.js';

/** What of a team the files need for emergency calls. */
export interface EmergencyRows {
  /** As stored; null: none. */
  numbers: string | null;
  outsidePrefix: string | null;
  callerId: string | null;
  /** All trunks that the team can use, in the order in which they are tried. */
  ways: { endpoint: string; replySeconds: number; callerId: string | null }[];
  /** Phones that are known by a number of their own, or of their user group. */
  callers: { endpoint: string; callerId: string }[];
}

/** Of a team that has none. */
export const noEmergency: EmergencyRows = {
  numbers: null,
  outsidePrefix: null,
  callerId: null,
  ways: [],
  callers: [],
};

/** Reads them for the teams of a node, by identity. */
export async function readEmergency(trx: Queryable, node: string): Promise<Map<string, EmergencyRows>> {
  const rows = await trx('teams as t')
    .where('t.node', node)
    .select<(Omit<EmergencyRows, 'ways' | 'callers'> & { team: string })[]>(
      't.identity as team',
      't.emergency as numbers',
      't.outside_prefix as outsidePrefix',
      't.caller_id as callerId',
    );
  const byTeam = new Map<string, EmergencyRows>(
    rows.map(({ team, ...row }) => [team, { ...row, ways: [], callers: [] }]),
  );
  // Its default first, then its other own ones, then those for every team.
  const ways = await trx.raw<{ rows: (EmergencyRows['ways'][number] & { team: string })[] }>(
    `select t.identity as team, k.endpoint, k.reply_seconds as "replySeconds", k.caller_id as "callerId"
     from teams t join trunks k on k.team_id = t.id or k.team_id is null
     left join trunk_group_members m on m.trunk_group_id = t.trunk_group_id and m.trunk_id = k.id
     where t.node = ?
     order by t.identity, k.id is distinct from t.trunk_id and m.id is null, m.position, k.team_id is null, k.name`,
    [node],
  );
  for (const { team, ...way } of ways.rows) byTeam.get(team)?.ways.push(way);
  const callers = await trx.raw<{ rows: (EmergencyRows['callers'][number] & { team: string })[] }>(
    `select t.identity as team, coalesce(x.endpoint, t.identity || '-' || x.number) as endpoint, c.id as "callerId"
     from extensions x join teams t on t.id = x.team_id
     cross join lateral (select coalesce(x.caller_id, (
       select g.caller_id from user_group_members m join user_groups g on g.id = m.user_group_id
       where m.user_id = x.user_id and g.team_id = x.team_id and g.removed_at is null and g.caller_id is not null order by g.position limit 1)) as id) c
     where t.node = ? and x.removed_at is null and x.kind = 'sip' and c.id is not null
     order by t.identity, x.number`,
    [node],
  );
  for (const { team, ...caller } of callers.rows) byTeam.get(team)?.callers.push(caller);
  return byTeam;
}

/** What team/emergency.hbs and team/phones.hbs are given. */
export function emergencyModel(
  { numbers, outsidePrefix, callerId, ways, callers }: EmergencyRows,
  codes: readonly { code: string; feature: Feature }[],
) {
  const dialled = new Map<string, string>();
  for (const number of readEmergencies(numbers)) {
    dialled.set(number, number);
    // Where a number with the prefix is another emergency number as it is, that one is meant.
    const prefixed = `${outsidePrefix ?? ''}${number}`;
    if (!dialled.has(prefixed)) dialled.set(prefixed, number);
  }
  const plain = [...dialled];
  // Who hides their number from everybody reaches them, too.
  for (const { code } of codes.filter(({ feature }) => feature === 'hide-number'))
    for (const [behind, number] of plain) dialled.set(`${code}${behind}`, number);
  return {
    dialled: [...dialled].map(([dialled, number]) => ({ dialled, number })),
    /** Whether they can be called, and come before everything else. */
    first: dialled.size > 0 && ways.length > 0,
    last: dialled.size > 0 && ways.length === 0,
    ways: ways.map(({ endpoint, replySeconds, callerId }, index) => ({
      place: String(index + 1),
      way: `${endpoint}:${replySeconds}:${callerId ?? ''}`,
    })),
    callers: [
      ...(callerId === null ? [] : [{ key: 'team', callerId }]),
      // By a digest, since an extension's name is the same to Asterisk with a hyphen and without.
      ...callers.map(({ endpoint, callerId }) => ({ key: hash('md5', endpoint), callerId })),
    ],
  };
}
