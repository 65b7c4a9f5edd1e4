import { numberClasses } from '../../number-classes.js';
import { callerId } from '../fields/caller-id-field.js';
import { describe, name, reference, references, whole, words } from '../fields/description.js';

import { limitFields } from '../fields/limits.js';

/** Users who call out over the same trunks, and may call the same numbers (spec 11, 12). */
export const userGroup = describe({
  noun: 'user-group',
  table: 'user_groups',
  outlived: true,
  inFiles: true,
  title: 'user groups: over which trunks users call out, and which numbers they may call',
  verbs: {
    add: 'create a user group',
    list: 'list the user groups of the team; of several groups of a user the first one that says something decides it',
    show: 'show a user group',
    set: 'change a user group',
    remove: 'remove a user group; its users stay',
  },
  key: 'name',
  owner: 'team',
  order: 'o.position',
  listed: ['name', 'position', 'trunk', 'trunkGroup', 'mayCall', 'callerId', 'users'],
  fields: {
    name: name('user-group', { help: 'for example sales' }),
    position: whole(
      { from: 1, to: 1_000_000 },
      {
        placeholder: 'number',
        help: 'of several groups of a user the one with the lowest position decides that says something',
        unless: 'behind the last',
      },
    ),
    users: references(
      {
        to: 'user',
        through: { table: 'user_group_members', own: 'user_group_id', their: 'user_id' },
        typed: 'one by one',
        leaves: true,
      },
      {
        option: 'user',
        placeholder: 'username',
        help: 'a user of the team, for all extensions that are theirs; may be repeated',
      },
    ),
    trunk: reference(
      { to: 'trunk', orSystem: true, freedBy: '--no-trunk' },
      {
        placeholder: 'name',
        help: "over which its users call out: the team's own, or one for every team; instead of a trunk group",
        none: 'no trunk of its own',
      },
    ),
    trunkGroup: reference(
      { to: 'trunk-group', orSystem: true, freedBy: '--no-trunk-group' },
      {
        placeholder: 'name',
        help: "over which its users call out: the team's own, or one for every team; instead of a trunk",
        none: 'no trunk group of its own',
      },
    ),
    mayCall: words(numberClasses, {
      what: 'class of numbers',
      placeholder: 'classes',
      help: 'what its users may call outside: national,mobile,international,premium, or none',
      none: 'what the team may',
    }),
    callerId: callerId('as the team says', {}),
    hours: reference(
      { to: 'hours', freedBy: '--no-hours' },
      {
        placeholder: 'name',
        help: 'the hours in which its users may call out',
        none: 'at any time',
        listed: false,
      },
    ),
    ...limitFields('of its users together'),
  },
});
