import type { EventType } from '../event-types.js';

/** Types of events that have the same fields. */
export interface EventFamily {
  /** When each of them is written. */
  when: Partial<Record<EventType, string>>;
  /** What each field says, by its name in JSON; beside {@link envelopeFields}. */
  fields: Readonly<Record<string, string>>;
}

/** What every event has. */
export const envelopeFields: Readonly<Record<string, string>> = {
  type: 'what has happened',
  cursor:
    'names this event and no other: tell events apart by it; also the `id:` of the stream, the header `webhook-id`, and where `--after` goes on',
  id: 'names the thing that it happened to, for whoever reads a log: several events of one call or queue visit have the same',
  at: 'when it happened',
  team: 'identity of the team',
};

const caller = 'number of the caller, as the trunk gave it';
const call = "Asterisk's uniqueid of the call";
const group = 'name of the agent group';
const agent = 'number of the agent';
const extension = 'number of the phone';

const chooser = { agent, name: 'of the person', extension: 'where they are' };

const handling = {
  call: "Asterisk's uniqueid of the call, or linkedid of a call between two phones",
  caller,
  agent: 'whose phone it is',
  extension,
  group: 'of that agent’s call',
};
const asked = 'who is asked, or gets the call, as it was dialled';

/** The one list of what events say; test/monitor/event-fields.test.ts holds it against what the triggers write. */
export const eventFamilies: readonly EventFamily[] = [
  {
    when: { 'agent.state': 'an agent signs in or out, or is in another state' },
    fields: {
      agent,
      name: 'of the person',
      extension: 'where they are',
      state: '`idle`, `ringing`, `talking`, `wrap-up`, `paused`, `signed-out`',
      previous_state: 'the same words',
      previous_since: 'since when; null after `signed-out`',
      reason: 'name of the pause reason',
      until: 'when star64 ends the state by itself',
      group: 'whose call it is, or was before the wrap-up',
      call,
      caller,
      call_kind: '`queue`, `direct`, `out` or `internal`, of `ringing`, `talking` and `wrap-up`',
      by: 'what signed them in or out: uniqueid of their call, or name of a command',
    },
  },
  {
    when: { 'agent.work_mode_changed': 'a signed-in agent does queue calls, calls to the outside, or both' },
    fields: {
      ...chooser,
      work_mode: '`all`, `inbound` or `outbound`',
      previous_work_mode: 'the same words',
    },
  },
  {
    when: { 'agent.group_changed': 'a signed-in agent has another current group' },
    fields: { ...chooser, group: 'its name; null for none', previous_group: 'the same' },
  },
  {
    when: {
      'call.arrived': 'a call comes from outside, or to a queue',
      'call.dialled': 'a phone calls a number outside',
      'call.ended': 'the call is over, whoever was in it',
    },
    fields: {
      call,
      direction: '`in`, `out` or `internal`',
      caller,
      did: 'the DID that was called; null in `call.arrived` where it is not known yet',
      number: 'the number outside, of a call to the outside',
      group,
      extension: 'who has called, or who was called',
      agent: 'who was signed in at the phone that called',
      trunk: 'over which it went out',
      refused: 'why it was not let out',
      outcome: 'as `call list` has it; null until it is over',
    },
  },
  {
    when: {
      'call.queued': 'a call joins the queue of a group',
      'call.answered': 'an agent answers a call of a queue',
      'call.abandoned': 'the caller hangs up in the queue',
    },
    fields: {
      call,
      caller,
      group: 'whose queue it is',
      position: 'place in the queue on joining',
      joined: 'when it joined',
      answered: 'when an agent answered',
      agent: 'who answered',
      outcome: 'of this time in the queue; null while it waits',
    },
  },
  {
    when: {
      'call.held': 'a phone holds its call',
      'call.resumed': 'it is back at the call',
      'consult.answered': 'whom an agent asks has answered',
    },
    fields: handling,
  },
  {
    when: { 'call.transferred': 'an agent sends the call on' },
    fields: { ...handling, number: asked, how: '`attended` or `blind`' },
  },
  {
    when: {
      'consult.began': 'an agent asks somebody by the key or by the API; a button of the phone tells none',
    },
    fields: { ...handling, number: asked },
  },
  {
    when: { 'consult.ended': 'nobody is asked any more' },
    fields: {
      ...handling,
      outcome:
        '`back` at the call, `left` with it; or why nobody was reached: `busy`, `no-answer`, `unavailable`, `unknown`, `refused`',
      'number?': `${asked}; only where nobody was reached`,
    },
  },
  {
    when: { 'call.emergency': 'a phone calls an emergency number' },
    fields: {
      call,
      number: 'that was called',
      extension,
      location: 'where the phone is, as its extension says',
      user: 'name of whose extension it is',
      agent: 'who is signed in there',
    },
  },
  {
    when: {
      'limit.reached': 'a limit keeps the first call to the outside in',
      'limit.over': 'calls are let out again',
    },
    fields: {
      of: '`team`, `user-group` or `extension`',
      name: 'of that',
      limit: 'for example `calls-per-hour`',
      most: 'how much the limit allows',
      at_night: 'whether it is the part that may be used at night',
      reached: 'when it kept the first call in',
      refused: 'how many calls it has kept in so far',
    },
  },
  {
    when: {
      'supervision.began': 'an administrator of a group begins to listen to a call',
      'supervision.over': 'they have ended',
    },
    fields: {
      user: 'user name of the administrator',
      from: 'the phone where they are',
      extension: 'the phone that they listen to',
      agent: 'who is signed in there',
      group,
      call,
      mode: '`listen`, `whisper` or `barge`: of now, or the last',
      announced: 'whether the agent was told by a tone',
      began: 'when it began',
      listened: 'seconds in this mode so far',
      whispered: 'the same',
      barged: 'the same',
    },
  },
  {
    when: {
      'callback.kept': 'a caller is to be called back',
      'callback.called': 'an agent calls them',
      'callback.answered': 'they were reached',
      'callback.expired': 'nobody calls them any more, whatever the reason',
    },
    fields: {
      callback: 'its id in `callback list`',
      group,
      number: 'that is called',
      call: 'the call in which they asked, if it was recorded',
      arrived: 'since when they wait',
      expires: 'until when they are called',
      tries: 'how often they were called and not reached',
      agent: 'who called them last',
      outcome: 'once it is over: `answered`, `unreached`, `expired`, `closed`, `refused`, `removed`, `back`',
    },
  },
  {
    when: {
      'click.began': 'software starts a call for an agent',
      'click.agent_ringing': 'the phone of the agent rings',
      'click.agent_answered': 'the agent picks up, and the number is called',
      'click.agent_missed': 'the agent does not pick up',
      'click.customer_ringing': 'the number called rings',
      'click.customer_answered': 'it has answered',
      'click.ended': 'the call is over',
    },
    fields: {
      call,
      agent,
      extension: 'their phone, which rings first',
      dialled: 'as it was asked for',
      number: 'in its one form, once it is called',
      by: 'who has started it',
      agent_result: 'what became of ringing the agent',
      outcome: 'as `call list` has it, once it is over',
      refused: 'why it was not let out',
    },
  },
  {
    when: {
      'popup.opened': 'an application is to show a call to an agent',
      'popup.answered': 'the phone answers',
      'popup.closed': 'the phone has left the call',
    },
    fields: {
      popup: 'its id in `popup list`',
      kind: '`outbound`, `direct` or `queue`',
      application: 'of the binding or the group',
      binding: 'which held when the call arrived; null: the application is the group’s',
      link: 'what to open, with the facts of the call in it',
      agent: 'who is signed in at the phone',
      extension,
      user: 'user name of whose extension it is',
      group,
      call,
      caller: 'number of the caller',
      number: 'that was called: the DID, or the one outside',
      opened: 'when it opened',
      answered: 'when the phone answered',
      closed: 'when it closed',
      outcome: 'once it is closed: see [popups.md](popups.md)',
    },
  },
  {
    when: { 'webhook.disabled': 'star64 itself disables a webhook' },
    fields: {
      webhook: 'its name',
      reason: '`failures`: nothing but failures for days; `gone`: it has answered 410',
      failing_since: 'since when',
    },
  },
];
