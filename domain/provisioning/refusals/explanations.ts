import { givenText, type Attempt } from './attempt.js';
import type { Queryable } from '../../database/pool.js';
import { emergencyIsNumber, numberIsEmergency } from './emergency-space.js';
import type { Star64Error } from '../../errors.js';
import { quoted } from '../../names.js';
import { bare } from '../../telephone-numbers.js';
import { homePlan } from '../values/home-plan.js';
import { codeTaken, numberTaken, prefixTaken, shellCode } from './number-space.js';
import { removalPending } from '../values/removal-pending.js';
import { otherName, taken } from './taken.js';
import {
  didOverlap,
  hoursNumberTaken,
  nameTaken,
  pauseReason,
  trunkGroupTaken,
  trunkTaken,
  userTaken,
} from './taken-names.js';
import { trunkEndpoint, trunkNamed } from '../values/trunk-names.js';

type Explain = (db: Queryable, attempt: Attempt) => Promise<Star64Error>;

/**
 * What each unique constraint means to a person. The database decides, so two commands at the same instant get the
 * same answer as two in a row; who holds the place is looked up afterwards.
 */
const explanations: Readonly<Record<string, Explain>> = {
  teams_identity_key: (_db, attempt) =>
    Promise.resolve(
      taken(attempt, `team ${attempt.name} exists already`, {
        text: 'choose another identity ({0})',
        steps: [{ noun: 'team', verb: 'list' }],
      }),
    ),

  users_username_in_team_key: userTaken,
  users_username_in_system_key: userTaken,

  users_one_administrator_key: async (db, attempt) => {
    const { team, teamId } = attempt.scope;
    const row = await db('users')
      .where({ team_id: teamId, administrator: true, removed_at: null })
      .first<{ username: string } | undefined>('username');
    const holder = row?.username ?? 'another user';
    return taken(
      attempt,
      `team ${team ?? ''} has its single administrator already, ${holder}`,
      {
        text: 'first {0}',
        steps: [{ noun: 'user', verb: 'set', name: holder, options: '--no-administrator', team }],
      },
      { holder },
    );
  },

  announcements_name_key: nameTaken,
  bindings_name_key: nameTaken,
  did_rules_name_key: nameTaken,
  menus_name_key: nameTaken,
  hours_name_key: nameTaken,
  hours_number_key: hoursNumberTaken,
  user_groups_name_key: nameTaken,
  webhooks_name_key: nameTaken,
  user_groups_position_key: async (db, attempt) => {
    const { scope } = attempt;
    const position = Number(attempt.given['position']);
    const row = await db('user_groups')
      .where({ team_id: scope.teamId, position, removed_at: null })
      .first<{ name: string } | undefined>('name');
    const holder = row?.name ?? 'another';
    return taken(
      attempt,
      `user group ${holder} of team ${scope.team ?? ''} has position ${position} already`,
      { text: 'choose another position: of several groups of a user the lowest decides' },
      { holder },
    );
  },
  number_classes_beginning_key: async (db, attempt) => {
    const { scope, name } = attempt;
    const row = await db('number_classes')
      .where({ team_id: scope.teamId, beginning: name })
      .first<{ class: string } | undefined>('class');
    return taken(
      attempt,
      `numbers of team ${scope.team ?? ''} that begin with ${name} are ${row?.class ?? 'of a class'} already`,
      {
        text: 'change it with {0}',
        steps: [{ noun: 'number-class', verb: 'set', name, options: '--class <class>', team: scope.team }],
      },
    );
  },

  extensions_number_key: numberTaken,
  agent_groups_number_key: numberTaken,
  ring_groups_number_key: numberTaken,
  rooms_number_key: numberTaken,
  numbers_pkey: numberTaken,
  numbers_code_prefix: prefixTaken,
  numbers_emergency: numberIsEmergency,
  teams_emergency: emergencyIsNumber,
  feature_codes_pkey: codeTaken,

  call_keys_space: async (db, attempt) => {
    const { team, teamId } = attempt.scope;
    const { name } = attempt;
    const { rows } = await db.raw<{ rows: { keys: string; other: string; action: string }[] }>(
      `with own as (select coalesce(:keys, keys) as keys from call_keys where team_id = :teamId and action = :name)
       select own.keys, c.keys as other, c.action from own, call_keys c
       where c.team_id = :teamId and c.action <> :name and c.enabled
         and (starts_with(c.keys, own.keys) or starts_with(own.keys, c.keys)) limit 1`,
      { teamId, name, keys: givenText(attempt, 'keys') ?? null },
    );
    const [found] = rows;
    const { keys = '', other = '', action = '' } = found ?? {};
    const how = keys === other ? 'are' : keys.length > other.length ? 'begin with' : 'are the beginning of';
    return taken(
      attempt,
      found
        ? `keys ${keys} ${how} ${keys === other ? '' : `${other}, `}those for ${action} in team ${team ?? ''}: what is keyed first would be done`
        : `keys of team ${team ?? ''} would begin with others`,
      {
        text: `choose other keys, or first change those for ${action || 'the other'} with {0}`,
        steps: [{ noun: 'call-key', verb: 'set', name: action, options: "--keys '<other>'", team }],
      },
      { holder: action },
    );
  },

  pause_reasons_pkey: async (db, attempt) => {
    const row = await pauseReason(db, attempt, { digit: attempt.name });
    const says = `digit ${attempt.name} of team ${attempt.scope.team ?? ''} is the pause reason ${quoted(row?.name ?? '')} already`;
    return taken(attempt, says, otherName(attempt, 'digit'));
  },

  pause_reasons_name_key: async (db, attempt) => {
    const label = givenText(attempt, 'name') ?? '';
    const row = await pauseReason(db, attempt, { name: label });
    const at = row ? ` at digit ${row.digit}` : '';
    return taken(
      attempt,
      `pause reason ${quoted(label)} of team ${attempt.scope.team ?? ''} exists already${at}`,
      {
        text: `choose another name than that for digit ${attempt.name}`,
      },
    );
  },

  agents_number_key: async (db, attempt) => {
    const { scope, name } = attempt;
    const row = await db('agents as a')
      .join('users as u', 'u.id', 'a.user_id')
      .where({ 'a.team_id': scope.teamId, 'a.number': name, 'a.removed_at': null })
      .first<{ username: string } | undefined>('u.username');
    const whose = row ? `, it belongs to user ${row.username}` : '';
    return taken(
      attempt,
      `agent ${name} of team ${scope.team ?? ''} exists already${whose}`,
      otherName(attempt, 'number'),
    );
  },

  agent_groups_name_key: async (db, attempt) => {
    const { scope, name } = attempt;
    const row = await db('agent_groups')
      .where({ team_id: scope.teamId, name })
      .whereNotNull('leaving_since')
      .first<{ id: number } | undefined>('id');
    if (row) return removalPending(scope.team, name);
    return taken(
      attempt,
      `group ${name} of team ${scope.team ?? ''} exists already`,
      otherName(attempt, 'name'),
    );
  },

  dids_number_key: async (db, attempt) => {
    const { name } = attempt;
    const row = await db('dids as d')
      .join('teams as t', 't.id', 'd.team_id')
      .leftJoin('destination_targets as p', (on) => on.on('p.from_did_id', 'd.id').andOnVal('p.slot', 'to'))
      .whereRaw(`ltrim(d.number, '+') = ltrim(?, '+')`, [name])
      .first<Record<'team' | 'number' | 'kind' | 'name', string> | undefined>(
        't.identity as team',
        'd.number',
        'p.kind',
        'p.name',
      );
    if (!row) return taken(attempt, `DID ${name} exists already`, { text: 'try again' });
    const same = row.number === name ? '' : `, as ${row.number}`;
    return taken(
      attempt,
      `DID ${name} exists already${same}, in team ${row.team}, and goes to ${row.kind} ${row.name}`,
      {
        text: 'change it with {0}',
        steps: [{ noun: 'did', verb: 'set', name: shellCode(row.number), team: row.team }],
      },
      { team: row.team },
    );
  },

  dids_overlap: didOverlap,

  extensions_telephone_number_key: async (db, attempt) => {
    const { team, teamId } = attempt.scope;
    const telephone = givenText(attempt, 'telephone') ?? '';
    const row = await db('extensions')
      .where({ team_id: teamId, removed_at: null })
      .where({ telephone_key: bare((await homePlan(db, teamId ?? 0)).canonical(telephone)) })
      .first<{ number: string } | undefined>('number');
    const holder = row ? `extension ${row.number}` : 'another extension';
    return taken(attempt, `telephone number ${telephone} is ${holder} of team ${team ?? ''} already`, {
      text: 'choose another: two would be whoever calls in from there',
    });
  },

  extensions_endpoint_key: async (db, attempt) => {
    const endpoint = givenText(attempt, 'endpoint');
    const query = db('extensions as x')
      .join('teams as t', 't.id', 'x.team_id')
      .whereNull('x.removed_at')
      .first<{ number: string; team: string; endpoint: string } | undefined>(
        'x.number',
        't.identity as team',
        'x.endpoint',
      );
    // Of a team that moves to another node, which of its endpoints is taken there is not said.
    const row = endpoint === undefined ? undefined : await query.where({ endpoint });
    return taken(
      attempt,
      row
        ? `endpoint ${row.endpoint} is extension ${row.number} of team ${row.team} already`
        : 'an endpoint of it is an extension of another team there already',
      { text: 'choose another endpoint: a phone belongs to one extension' },
    );
  },

  trunks_name_in_team_key: trunkTaken,
  trunks_name_of_every_team_key: trunkTaken,

  trunk_groups_name_in_team_key: trunkGroupTaken,
  trunk_groups_name_of_every_team_key: trunkGroupTaken,

  trunks_endpoint_key: async (db, attempt) => {
    const { scope, name } = attempt;
    const endpoint = givenText(attempt, 'endpoint') ?? trunkEndpoint(scope.team, name);
    const row = await db('trunks as k')
      .leftJoin('teams as t', 't.id', 'k.team_id')
      .where({ endpoint })
      .first<{ name: string; team: string | null } | undefined>('k.name', 't.identity as team');
    // Of a generated one of that name, of which both is taken.
    if (row?.name === name && row.team === scope.team) return trunkTaken(db, attempt);
    const holder = row ? trunkNamed(row.team, row.name) : 'another trunk';
    return taken(attempt, `endpoint ${endpoint} is ${holder} already`, {
      text: 'choose another endpoint, or use that trunk',
    });
  },

  agents_fixed_extension_key: async (db, attempt) => {
    const { team, teamId } = attempt.scope;
    const extension = givenText(attempt, 'extension') ?? '';
    const row = await db('agents as a')
      .join('extensions as x', 'x.id', 'a.extension_id')
      .where({ 'a.team_id': teamId, 'x.number': extension, 'a.removed_at': null })
      .first<{ number: string } | undefined>('a.number');
    const holder = row ? `agent ${row.number}` : 'another agent';
    return taken(
      attempt,
      `extension ${extension} of team ${team ?? ''} is the fixed phone of ${holder} already`,
      {
        text: 'choose another with --extension',
      },
    );
  },
};

/** The unique constraints that have a sentence. */
export const explained: readonly string[] = Object.keys(explanations);

/** The sentence for a unique constraint; undefined when it says nothing to a person. */
export const explainTaken = (
  db: Queryable,
  constraint: string,
  attempt: Attempt,
): Promise<Star64Error> | undefined => explanations[constraint]?.(db, attempt);
