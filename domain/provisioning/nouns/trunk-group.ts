import { checkTrunkRule } from '../../trunk-rules.js';
import { choice, describe, lines, name, references } from '../fields/description.js';

/** Which trunk of a group is tried first; the others follow in their order. */
export const trunkStrategies = ['priority', 'round-robin', 'random'] as const;
export type TrunkStrategy = (typeof trunkStrategies)[number];

const rules = `array(select case r.beginning when '' then '*' else r.beginning end || case
    when r.refused then ' refuse'
    when r.strip = 0 and r.added = '' then ' allow'
    else case when r.strip > 0 then ' strip ' || r.strip else '' end
      || case when r.added <> '' then ' add ' || r.added else '' end
  end from trunk_group_rules r where r.trunk_group_id = o.id order by length(r.beginning) desc, r.beginning)`;

/** Trunks of which one carries a call; the next one is tried where it fails. */
export const trunkGroup = describe({
  noun: 'trunk-group',
  table: 'trunk_groups',
  inFiles: true,
  title: 'trunk groups: trunks that stand in for each other',
  verbs: {
    add: 'create a trunk group, of this team alone unless it is for every team',
    list: 'list the trunk groups of the team, and those for every team',
    show: 'show a trunk group',
    set: 'change a trunk group; --members and --rule say all of them anew',
    remove: 'remove a trunk group over which nobody calls out any more',
  },
  key: 'name',
  owner: {
    option: 'every-team',
    help: 'a trunk group of no team, for every team',
    place: 'for every team',
    listedInTeams: true,
  },
  order: 'o.team_id nulls last, o.name',
  listed: ['name', 'team', 'strategy', 'members'],
  fields: {
    name: name('trunk-group', { help: 'for example providers' }),
    members: references(
      {
        to: 'trunk',
        orSystem: true,
        through: {
          table: 'trunk_group_members',
          own: 'trunk_group_id',
          their: 'trunk_id',
          position: 'position',
        },
        typed: 'all',
        freedBy: '--members <others>',
      },
      {
        placeholder: 'trunks',
        help: 'its trunks in their order, for example main,reserve: of the same team, or for every team; set replaces those before',
        required: true,
      },
    ),
    strategy: choice(trunkStrategies, {
      help: 'which trunk is tried first: priority (the first of its members), round-robin (each in its turn) or random; the next ones follow where it fails',
      unless: 'priority',
    }),
    rules: lines(checkTrunkRule, rules, {
      option: 'rule',
      placeholder: 'rule',
      help: 'what is done with numbers that begin so, in their form +49…: "+1900 refuse", "* refuse", "+49 allow", or how all its trunks are sent them, "+49 strip 3 add 0"; may be repeated. The longest beginning holds and no other, * being the shortest; numbers of no rule are let through',
      none: 'every number is let through, in the format of each trunk',
      listed: false,
    }),
  },
});
