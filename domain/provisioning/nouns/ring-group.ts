import { closedOutside } from '../fields/closed-outside.js';
import { choice, describe, destination, destinationList, name, text, whole } from '../fields/description.js';
import { recordRules } from '../fields/record.js';

/** In which order a ring group rings its members. */
export const ringStrategies = [
  'ring-all',
  'in-order',
  'round-robin',
  'random',
  'longest-idle',
  'fewest-calls',
] as const;
export type RingStrategy = (typeof ringStrategies)[number];

/** What a caller hears while phones ring. */
export const ringSounds = ['ringing', 'music'] as const;

/** What can be a member of a ring group. */
export const memberKinds = ['extension', 'agent', 'outside'] as const;

/** Phones that ring for a call without a queue. */
export const ringGroup = describe({
  noun: 'ring-group',
  table: 'ring_groups',
  outlived: true,
  inFiles: true,
  title: 'ring groups: phones that ring for a call without a queue',
  verbs: {
    add: 'create a ring group',
    list: 'list the ring groups of the team',
    show: 'show a ring group',
    set: 'change a ring group',
    remove: 'remove a ring group to which nothing leads',
  },
  key: 'number',
  owner: 'team',
  order: 'length(o.number), o.number',
  fields: {
    number: name('ring-group', { help: 'what phones of the team dial to reach it, for example 7000' }),
    name: text('Front desk', { help: 'what people call it', defaultsToKey: true }),
    members: destinationList(
      {
        of: memberKinds,
        bare: 'extension',
        through: {
          table: 'ring_group_members',
          own: 'ring_group_id',
          their: ['extension_id', 'agent_id', 'outside'],
        },
      },
      {
        placeholder: 'members',
        help: 'who is rung, in their order: 5000,5001,agent:1001,outside:+4915112345678; a number alone is an extension; an agent is rung where they are signed in, not in a pause or wrap-up; set replaces those before',
        required: true,
      },
    ),
    strategy: choice(ringStrategies, {
      help: `who is rung when: ${ringStrategies.join(', ')}`,
      unless: 'ring-all',
    }),
    ringSeconds: whole(
      { from: 3, to: 300 },
      {
        what: 'ring time',
        placeholder: 'seconds',
        help: 'how long one step rings: all at once, or one after the other',
        unless: '20',
      },
    ),
    prefix: name('prefix', {
      placeholder: 'text',
      help: "stands before the caller's name on the phones that ring",
      none: "the caller's name alone",
      listed: false,
    }),
    hears: choice(ringSounds, {
      what: 'what callers hear',
      placeholder: 'what',
      help: 'what the caller hears: ringing or music',
      unless: 'ringing',
      listed: false,
    }),
    record: choice(recordRules, {
      what: 'recording',
      placeholder: 'rule',
      help: 'whether calls from outside that are answered in it are recorded: never or always',
      none: 'as the team says',
      listed: false,
    }),
    ...closedOutside,
    noAnswer: destination({
      help: 'where a call goes that rang, and nobody answered; without it the call ends',
      none: 'a call that nobody answers ends',
    }),
    allBusy: destination({
      help: 'where a call goes for which no phone could be rung; without it as for no answer',
      none: 'as for no answer',
    }),
  },
});
