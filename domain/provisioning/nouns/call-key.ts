import { describe, name, yesNo } from '../fields/description.js';

/** What can be done within a call by keys; the words are the database's. */
export const callActions = [
  'transfer',
  'consult',
  'conference',
  'back',
  'swap',
  'complete',
  'hold',
  'record',
  'drop',
  'end',
] as const;
export type CallAction = (typeof callActions)[number];

/** What agents key within a call. Every team has each action once, from its beginning on. */
export const callKey = describe({
  noun: 'call-key',
  table: 'call_keys',
  inFiles: true,
  title: 'call keys: what agents of the team key within a call, and what follows',
  verbs: {
    list: 'list the call keys of the team',
    show: 'show a call key',
    set: 'change what is keyed for it, or disable it',
  },
  key: 'action',
  owner: 'team',
  goesWithTeam: true,
  order: `array_position(array[${callActions.map((action) => `'${action}'`).join()}], o.action)`,
  listed: ['action', 'keys', 'enabled'],
  fields: {
    action: name('call-key', { help: callActions.join(', ') }),
    keys: name('callKeys', {
      placeholder: 'keys',
      help: "what is keyed within a call, for example '*2' (in quotes: a shell looks for files with a star)",
      on: 'set',
    }),
    enabled: yesNo({ help: 'whether the keys do anything', unless: 'on', on: 'set' }),
  },
});
