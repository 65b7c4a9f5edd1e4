import { describe, destination, name, whole } from '../fields/description.js';
import { keySlots } from '../fields/key-slots.js';

/** One level of keys: a sound offers them, and each leads somewhere. */
export const menu = describe({
  noun: 'menu',
  table: 'menus',
  inFiles: true,
  title: 'menus: a sound that offers keys, and where each key leads',
  verbs: {
    add: 'create a menu',
    list: 'list the menus of the team',
    show: 'show a menu',
    set: 'change a menu',
    remove: 'remove a menu to which nothing leads',
  },
  key: 'name',
  owner: 'team',
  order: 'o.name',
  fields: {
    name: name('menu', { help: 'for example welcome' }),
    sound: name('sound', {
      help: 'your own sound file on the Asterisk that offers the keys, without its ending, for example custom/welcome',
      required: true,
    }),
    seconds: whole(
      { from: 1, to: 60 },
      { help: 'how long a key is waited for after the sound', unless: '5' },
    ),
    tries: whole(
      { from: 1, to: 10 },
      {
        help: 'how often the sound is played in all to a caller who presses no key, or a wrong one',
        unless: '3',
      },
    ),
    ...keySlots({
      help: (key) => `where key ${key} leads`,
      none: (key) => `key ${key} is a wrong one`,
    }),
    timeout: destination({
      help: 'where the call of a caller goes who presses no key; without it the call ends',
      none: 'the call of a caller who presses no key ends',
    }),
    wrong: destination({
      help: 'where the call of a caller goes who presses wrong keys; without it as for none',
      none: 'as for a caller who presses none',
    }),
  },
});
