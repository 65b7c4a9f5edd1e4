import { numberClasses } from '../../number-classes.js';
import { announcements, callbacks } from '../fields/caller-fields.js';
import { closedOutside } from '../fields/closed-outside.js';
import {
  choice,
  computed,
  describe,
  destination,
  link,
  name,
  reference,
  references,
  timeOfDay,
  whole,
  words,
  yesNo,
} from '../fields/description.js';
import { keySlots } from '../fields/key-slots.js';
import { recordRules } from '../fields/record.js';

/** In which order Asterisk's queue offers a call to its agents; the words are app_queue's. */
export const queueStrategies = [
  'ringall',
  'leastrecent',
  'fewestcalls',
  'random',
  'rrmemory',
  'rrordered',
  'linear',
  'wrandom',
] as const;

/** After which offers wrap-up begins: any that rang, answered ones, none (spec 53-55). */
export const wrapUpModes = ['ring', 'answer', 'off'] as const;

/**
 * What calls to and from an agent's phone do to them that neither a queue gives them nor lead outside: nothing, make them
 * talking, or have the wrap-up follow, too.
 */
export const directCalls = ['none', 'talking', 'wrap-up'] as const;

/** What the agents of a group do: queue calls, calls to the outside, both, or what each chooses (spec 48-51). */
export const workModes = ['all', 'inbound', 'outbound', 'choice'] as const;

/** Which application has the link that a popup opens (spec 29, 34). */
export const applications = ['campaign', 'customer_service', 'virtual_office', 'third_party'] as const;

/** An agent group: one Asterisk queue, `<team>-<name>`. */
export const group = describe({
  noun: 'group',
  table: 'agent_groups',
  inFiles: true,
  title: 'agent groups: each is one queue',
  verbs: {
    add: 'create an agent group',
    list: 'list the agent groups of the team',
    show: 'show an agent group',
    set: 'change an agent group',
    remove:
      'remove an agent group without agents and DIDs; its number is free at once, its name when its queue is empty',
  },
  key: 'name',
  owner: 'team',
  outlived: true,
  // A removed group is seen until its queue in Asterisk is empty, since its name is not free before.
  there: '(o.removed_at is null or o.leaving_since is not null)',
  order: 'o.name',
  fields: {
    name: name('group', { help: 'for example support' }),
    number: name('queueNumber', {
      placeholder: 'number',
      help: 'what phones of the team dial to reach its queue',
      none: 'not to be dialled any more',
    }),
    strategy: choice(queueStrategies, {
      help: 'who is offered a call next',
      unless: 'rrmemory',
    }),
    ringSeconds: whole(
      { from: 3, to: 300 },
      {
        what: 'ring time',
        placeholder: 'seconds',
        help: 'how long one phone rings before the next is tried',
        unless: '15',
      },
    ),
    wrapUp: choice(wrapUpModes, {
      what: 'wrap-up mode',
      column: 'wrap_up_mode',
      placeholder: 'mode',
      help: 'wrap-up begins after every offer (ring), answered ones (answer) or none (off)',
      unless: 'answer',
    }),
    wrapUpSeconds: whole(
      { from: 0, to: 86_400 },
      {
        what: 'wrap-up time',
        placeholder: 'seconds',
        help: 'longest wrap-up; 0: until the agent ends it',
        unless: '30',
      },
    ),
    directCalls: choice(directCalls, {
      what: 'direct calls',
      placeholder: 'what',
      help: 'what calls to the phone of an agent that no queue gives them, and calls between phones, do: nothing (none), they are talking meanwhile (talking), and in wrap-up after it (wrap-up)',
      unless: 'none',
      listed: false,
    }),
    missedLimit: whole(
      { from: 0, to: 100 },
      {
        what: 'missed limit',
        placeholder: 'offers',
        help: 'pauses an agent after so many offers in a row that were refused or not answered; 0: never',
        unless: '3',
        listed: false,
      },
    ),
    maxWaitSeconds: whole(
      { from: 10, to: 86_400 },
      {
        what: 'longest wait',
        option: 'max-wait',
        placeholder: 'seconds',
        help: 'how long a caller waits at most, and is told then that nobody is available',
        unless: '3600',
        listed: false,
      },
    ),
    maxCallers: whole(
      { from: 1, to: 10_000, zeroIsNone: true },
      {
        what: 'most callers',
        placeholder: 'callers',
        help: 'how many callers may wait at most; one more is told that nobody is available; 0: any number',
        none: 'any number of callers',
        listed: false,
      },
    ),
    greeting: name('sound', {
      what: 'greeting',
      placeholder: 'sound',
      help: 'your own sound file, which a caller hears before they wait, for example custom/welcome',
      none: 'no greeting',
      listed: false,
    }),
    musicClass: name('musicClass', {
      what: 'music class',
      option: 'music',
      placeholder: 'class',
      help: "a class of your musiconhold.conf for those who wait, and for calls that its agents hold; without it the call's own",
      none: "the call's own music",
      listed: false,
    }),
    ...announcements,
    overflow: reference(
      { to: 'group', freedBy: '--no-overflow' },
      {
        placeholder: 'group',
        help: 'the agents of this group help out: they take callers who have waited for long, who keep their place',
        none: 'nobody helps out',
        listed: false,
      },
    ),
    overflowSeconds: whole(
      { from: 1, to: 3600 },
      {
        what: 'time until the overflow',
        option: 'overflow-after',
        placeholder: 'seconds',
        help: 'how long a caller waits before the agents of the other group are called too, once no agent of this one is free',
        unless: '30',
        listed: false,
      },
    ),
    timeout: destination({
      help: 'where a caller goes after the longest wait; without it they are told that nobody is available',
      none: 'callers are told that nobody is available',
      listed: false,
    }),
    full: destination({
      help: 'where a caller goes when the most callers wait already; without it they are told that nobody is available',
      none: 'callers are told that nobody is available',
      listed: false,
    }),
    empty: destination({
      help: 'where callers go when nobody is signed in, also when the last agent leaves, and when all have been paused or unreachable for 30 s; without it they are told that nobody is available',
      none: 'callers are told that nobody is available',
      listed: false,
    }),
    ...keySlots({
      help: (key) => `where a caller goes who presses ${key} while they wait`,
      none: (key) => `key ${key} does nothing`,
    }),
    ...callbacks,
    workMode: choice(workModes, {
      what: 'work mode',
      placeholder: 'mode',
      help: 'its agents take calls (inbound), make calls (outbound), all or choice',
      unless: 'all',
    }),
    signOutAt: timeOfDay({
      what: 'sign-out time',
      placeholder: 'HH:MM',
      help: 'end of the shift: signs out whoever has this as current group, never in a call',
      none: 'no end of the shift',
    }),
    idleSignOutSeconds: whole(
      { from: 60, to: 86_400, zeroIsNone: true },
      {
        what: 'idle time until sign-out (0: never)',
        option: 'idle-sign-out',
        placeholder: 'seconds',
        help: 'signs out whoever has been idle for so long in this as current group; 0: never',
        none: 'idle for as long as they like',
      },
    ),
    mayCall: words(numberClasses, {
      what: 'class of numbers',
      placeholder: 'classes',
      help: 'what whoever has it as current group may call outside at most: national,mobile,international,premium, or none',
      none: 'it takes nothing away from what team and user group allow',
      listed: false,
    }),
    announceAgent: yesNo({
      help: 'whether the caller hears the number of the agent who answers',
      unless: 'off',
    }),
    announceCall: yesNo({
      help: 'whether the agent hears the queue and how long the caller waited',
      unless: 'off',
    }),
    conferenceEnd: yesNo({
      help: 'whether a conference of its calls ends for all when the agent who has made it leaves; else the others stay',
      unless: 'off',
      listed: false,
    }),
    record: choice(recordRules, {
      what: 'recording',
      placeholder: 'rule',
      help: 'whether the conversations of its callers with its agents are recorded: never or always',
      unless: 'never',
      listed: false,
    }),
    application: choice(applications, {
      placeholder: 'application',
      help: 'which application has the link of its popups: campaign, customer_service, virtual_office or third_party',
      none: 'no popups: takes the link away, too',
      listed: false,
    }),
    link: link({
      what: 'link',
      placeholder: 'template',
      help: 'what a popup opens: https://…?number={caller}; {team} {group} {agent} {extension} {caller} {did} {number} {call} {direction}',
      maybe: true,
      listed: false,
    }),
    ...closedOutside,
    administrators: references(
      {
        to: 'user',
        through: { table: 'agent_group_administrators', own: 'group_id', their: 'user_id' },
        typed: 'one by one',
        leaves: true,
      },
      {
        option: 'administrator',
        placeholder: 'username',
        help: 'a user of the team who may supervise its agents; may be repeated',
        listed: false,
      },
    ),
    agents: computed<string[]>(
      `array(select a.number from agent_group_members m join agents a on a.id = m.agent_id
        where m.group_id = o.id order by length(a.number), a.number)`,
      { help: 'numbers of its agents' },
    ),
    dids: computed<string[]>(
      `array(select d.number from destinations e join dids d on d.id = e.from_did_id where e.to_group_id = o.id
        order by d.number)`,
      {
        help: 'DIDs whose calls it takes',
      },
    ),
    leavingSince: computed<Date | null>('o.leaving_since', {
      help: 'set once the group is removed, until its queue is empty in Asterisk',
    }),
  },
});
