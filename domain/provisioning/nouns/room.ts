import { checkPin } from '../../password.js';
import { describe, hashed, name, reference, text, whole, yesNo } from '../fields/description.js';

/** The most parties of a conference (spec 63). */
export const mostParties = 30;

/** A number of the team behind which people talk with each other. */
export const room = describe({
  noun: 'room',
  table: 'rooms',
  inFiles: true,
  title: 'rooms: conference rooms, reached by number',
  verbs: {
    add: 'create a room',
    list: 'list the rooms of the team',
    show: 'show a room',
    set: 'change a room; who is in it stays, as they came in',
    remove: 'remove a room to which nothing leads',
  },
  key: 'number',
  owner: 'team',
  order: 'length(o.number), o.number',
  fields: {
    number: name('room', { help: 'what phones of the team dial to come in, for example 801' }),
    name: text('Sales meeting', { help: 'what people call it', defaultsToKey: true }),
    pin: hashed((room, pin) => checkPin('room', room, pin), {
      what: 'PIN',
      column: 'pin_hash',
      help: 'read a PIN of 4 to 10 digits from stdin, which everybody keys who comes in; the administrator may key their own instead',
      none: 'take the PIN away: whoever dials the number is in',
    }),
    administrator: reference(
      { to: 'user', freedBy: '--no-administrator' },
      {
        placeholder: 'username',
        help: 'the user of the team who leads it, known by a phone of theirs or by their PIN: others hear music until they are there, and they alone lock it',
        none: 'nobody is waited for, and every phone of the team may lock it',
      },
    ),
    most: whole(
      { from: 2, to: mostParties },
      {
        what: 'limit',
        placeholder: 'parties',
        help: 'how many may be in it; one more is told that it is full, and goes back to who sent them',
        unless: String(mostParties),
      },
    ),
    tones: yesNo({ help: 'whether a tone says that somebody comes or goes', unless: 'on' }),
    music: yesNo({ help: 'whether who is alone in it hears music', unless: 'on' }),
  },
});
