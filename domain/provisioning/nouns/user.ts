import { checkPassword, checkPin } from '../../password.js';
import { computed, describe, flag, hashed, name, text } from '../fields/description.js';

/** A login and billing unit, of a team or of the system. */
export const user = describe({
  noun: 'user',
  table: 'users',
  title: 'users: who logs in, and who is billed',
  verbs: {
    add: 'create a user',
    list: 'list the users of the team',
    show: 'show a user',
    set: 'change a user',
    remove: 'remove a user who owns nothing any more; groups that they administer lose them as administrator',
  },
  key: 'username',
  owner: { option: 'system', help: 'a user of the system, of no team', place: 'of the system' },
  outlived: true,
  order: 'o.username',
  fields: {
    username: name('user', { help: 'the login, for example anna' }),
    name: text('Anna Berg', {
      what: 'name of the user',
      help: 'the name of the person',
      defaultsToKey: true,
      unless: 'the user name',
    }),
    administrator: flag({
      help: 'the single administrator of the team',
      none: 'an ordinary user',
    }),
    login: hashed((user, password) => checkPassword('user', user, password), {
      what: 'password',
      column: 'password_hash',
      option: 'password',
      help: 'read the login password from stdin',
      noneOption: 'login',
      none: 'take the login password away',
    }),
    pin: hashed((user, pin) => checkPin('user', user, pin), {
      what: 'PIN',
      column: 'pin_hash',
      help: 'read a PIN of 4 to 10 digits from stdin, for codes that ask a user at any phone who they are',
      none: 'take the PIN away',
      listed: false,
    }),
    extensions: computed<string[]>(
      `array(select x.number from extensions x where x.user_id = o.id and x.removed_at is null
        order by length(x.number), x.number)`,
      { help: 'numbers of the extensions that they own' },
    ),
    agents: computed<string[]>(
      `array(select a.number from agents a where a.user_id = o.id and a.removed_at is null
        order by length(a.number), a.number)`,
      { help: 'numbers of the agents that they are' },
    ),
    administers: computed<string[]>(
      `array(select g.name from agent_group_administrators m join agent_groups g on g.id = m.group_id
        where m.user_id = o.id order by g.name)`,
      { help: 'agent groups that they administer', listed: false },
    ),
  },
});
