import { hash } from 'node:crypto';
import type { Queryable } from '../../../domain/database/pool.js';
import { readEmergencies } from '../../../domain/emergency-defaults.js';
import type { Feature } from '../../../domain/provisioning/features/feature-code.js';

/** What of a team the files need for emergency calls. */
export interface EmergencyRows {
  /** As stored; null: none. */
  numbers: string | null;
  outsidePrefix: string | null;
  /** What some telephones put before them, out of their address book: +49, 0049. Reckoned, not read. */
  withCountry: readonly string[];
  callerId: string | null;
  /** All trunks that the team can use, in the order in which they are tried. */
  ways: { endpoint: string; replySeconds: number; callerId: string | null }[];
  /** Phones that are known by a number of their own, or of a user group: what is said of each, the nearest first. */
  callers: { endpoint: string; callerIds: string[] }[];
}

/** Of a team that has none. */
export const noEmergency: EmergencyRows = {
  numbers: null,
  outsidePrefix: null,
  withCountry: [],
  callerId: null,
  ways: [],
  callers: [],
};

/** Reads them for the teams of a node, by identity. */
export async function readEmergency(trx: Queryable, node: string): Promise<Map<string, EmergencyRows>> {
  const rows = await trx('teams as t')
    .where('t.node', node)
    .select<(Omit<EmergencyRows, 'ways' | 'callers' | 'withCountry'> & { team: string })[]>(
      't.identity as team',
      't.emergency as numbers',
      't.outside_prefix as outsidePrefix',
      't.caller_id as callerId',
    );
  const byTeam = new Map<string, EmergencyRows>(
    rows.map(({ team, ...row }) => [team, { ...row, withCountry: [], ways: [], callers: [] }]),
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
    `select t.identity as team, coalesce(x.endpoint, t.identity || '-' || x.number) as endpoint, c.ids as "callerIds"
     from extensions x join teams t on t.id = x.team_id
     cross join lateral (select array_remove(array[x.caller_id] || array(
       select g.caller_id from user_group_members m join user_groups g on g.id = m.user_group_id
       where m.user_id = x.user_id and g.team_id = x.team_id and g.removed_at is null order by g.position), null) as ids) c
     where t.node = ? and x.removed_at is null and x.kind = 'sip' and c.ids <> '{}'
     order by t.identity, x.number`,
    [node],
  );
  for (const { team, ...caller } of callers.rows) byTeam.get(team)?.callers.push(caller);
  return byTeam;
}

/** What of the team decides with them. */
interface Around {
  codes: readonly { code: string; feature: Feature }[];
  /** What phones of the team dial for something else. */
  numbers: ReadonlySet<string>;
  /** Whether a number is the team's, so that it may be shown. */
  shows: (number: string) => boolean;
}

/** What team/emergency.hbs and team/phones.hbs are given. */
export function emergencyModel(
  { numbers, outsidePrefix, withCountry, callerId, ways, callers }: EmergencyRows,
  around: Around,
) {
  const all = readEmergencies(numbers);
  const dialled = new Map<string, string>();
  // Where a number with something before it is another emergency number as it is, that one is meant.
  const before = (what: string, number: string): void => {
    if (!dialled.has(what + number)) dialled.set(what + number, number);
  };
  const prefix = outsidePrefix ?? '';
  for (const number of all) {
    dialled.set(number, number);
    before(prefix, number);
  }
  // What stands in a number's own way is refused when it is typed (emergency_numbers); these give way to what is there.
  for (const number of all)
    for (const what of withCountry.flatMap((country) => [country, prefix + country]))
      if (!around.numbers.has(what + number)) before(what, number);
  const plain = [...dialled];
  // Who hides their number from everybody reaches them, too.
  for (const { code } of around.codes.filter(({ feature }) => feature === 'hide-number'))
    for (const [behind, number] of plain) dialled.set(`${code}${behind}`, number);
  const shown = (given: readonly (string | null)[]): string | null =>
    given.find((one) => one !== null && around.shows(one)) ?? null;
  const ofTeam = shown([callerId]);
  return {
    dialled: [...dialled].map(([dialled, number]) => ({ dialled, number })),
    /** Whether they can be called, and come before everything else. */
    first: dialled.size > 0 && ways.length > 0,
    last: dialled.size > 0 && ways.length === 0,
    ways: ways.map(({ endpoint, replySeconds, callerId }, index) => ({
      place: String(index + 1),
      way: `${endpoint}:${replySeconds}:${shown([callerId]) ?? ''}`,
    })),
    callers: [
      ...(ofTeam === null ? [] : [{ key: 'team', callerId: ofTeam }]),
      // By a digest, since an extension's name is the same to Asterisk with a hyphen and without.
      ...callers.flatMap(({ endpoint, callerIds }) => {
        const callerId = shown(callerIds);
        return callerId === null ? [] : [{ key: hash('md5', endpoint), callerId }];
      }),
    ],
  };
}
