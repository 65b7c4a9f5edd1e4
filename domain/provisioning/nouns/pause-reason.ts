import { choice, describe, name, text, whole } from '../fields/description.js';

/** What becomes of an agent who pauses for longer than the reason allows. */
export const pauseEnds = ['ready', 'sign-out'] as const;

/** Why agents of a team may pause. */
export const pauseReason = describe({
  noun: 'pause-reason',
  table: 'pause_reasons',
  title: 'pause reasons: why agents of the team may pause',
  verbs: {
    add: 'create a pause reason',
    list: 'list the pause reasons of the team',
    show: 'show a pause reason',
    set: 'change a pause reason, for pauses that begin from now on',
    remove: 'remove a pause reason; the record of past pauses keeps its name',
  },
  key: 'digit',
  owner: 'team',
  goesWithTeam: true,
  dated: false,
  order: 'o.digit',
  fields: {
    digit: name('pause-reason', { help: 'what is keyed for it after *66, from 1 to 9' }),
    name: text('Lunch', {
      what: 'name of a pause reason',
      help: 'what it is called, for example Lunch',
      required: true,
      argument: true,
    }),
    maxSeconds: whole(
      { from: 1, to: 86_400 },
      {
        what: 'longest pause',
        option: 'max',
        placeholder: 'seconds',
        help: 'longest pause',
        none: 'as long as they like',
      },
    ),
    atEnd: choice(pauseEnds, {
      what: 'end of a pause',
      placeholder: 'what',
      help: 'after the longest pause the agent is ready, or sign-out',
      unless: 'ready',
    }),
  },
});
