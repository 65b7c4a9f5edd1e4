import { describe, destination, name, whole } from '../fields/description.js';

/** A sound that a caller hears before the call goes on, or ends. */
export const announcement = describe({
  noun: 'announcement',
  table: 'announcements',
  inFiles: true,
  title: 'announcements: sounds that callers hear before their calls go on, or end',
  verbs: {
    add: 'create an announcement',
    list: 'list the announcements of the team',
    show: 'show an announcement',
    set: 'change an announcement',
    remove: 'remove an announcement to which nothing leads',
  },
  key: 'name',
  owner: 'team',
  order: 'o.name',
  fields: {
    name: name('announcement', { help: 'for example closed' }),
    sound: name('sound', {
      help: 'your own sound file on the Asterisk, without its ending, for example custom/closed; several languages as Asterisk keeps them',
      required: true,
    }),
    times: whole({ from: 1, to: 10 }, { help: 'how often it is played', unless: '1' }),
    then: destination({
      help: 'where the call goes afterwards; without it the call ends',
      none: 'the call ends afterwards',
    }),
  },
});
