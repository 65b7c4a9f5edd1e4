import { describe, destination, name, whole } from '../description.js';

const key = (digit: string) =>
  destination({
    option: `key-${digit}`,
    help: `where key ${digit} leads`,
    none: `key ${digit} is a wrong one`,
    listed: false,
  });

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
    key1: key('1'),
    key2: key('2'),
    key3: key('3'),
    key4: key('4'),
    key5: key('5'),
    key6: key('6'),
    key7: key('7'),
    key8: key('8'),
    key9: key('9'),
    key0: key('0'),
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
