import { closedOutside } from '../closed-outside.js';
import {
  choice,
  computed,
  describe,
  link,
  name,
  references,
  timeOfDay,
  whole,
  yesNo,
} from '../description.js';

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
    announceAgent: yesNo({
      help: 'whether the caller hears the number of the agent who answers',
      unless: 'off',
    }),
    announceCall: yesNo({
      help: 'whether the agent hears the queue and how long the caller waited',
      unless: 'off',
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
      help: 'what a popup opens: https://…?number={caller}; {team} {group} {agent} {extension} {caller} {did} {call} {direction}',
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
