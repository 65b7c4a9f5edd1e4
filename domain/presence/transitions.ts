/** The states of a signed-in agent; `signed-out` is the absence of an open sign-in. */
export type AgentState = 'idle' | 'ringing' | 'talking' | 'wrap-up' | 'paused';

interface Transition {
  /** Who or what brings it about. */
  readonly by: string;
  readonly from: readonly (AgentState | 'signed-out')[];
  /**
   * States that it does not follow from, and from which it happens all the same, because Asterisk says so: an event
   * before it was lost or is late. Worth a warning.
   */
  readonly unusual?: readonly AgentState[];
  /** `before`: the state that the agent had before, a pause that an offer interrupted for example. */
  readonly to: AgentState | 'signed-out' | 'before';
  readonly why: string;
}

/**
 * The one table of what may happen to an agent: event, from, to, why. Feature codes, admin commands, manager events,
 * deadlines and the reconciliation all go by it; what is not here is refused. `test/presence/transitions.test.ts`
 * prints it to fixtures/transitions.txt.
 */
export const transitions = {
  'sign-in': {
    by: '*64, agent sign-in, a fixed agent by nature',
    from: ['signed-out'],
    to: 'idle',
    why: 'An agent who signs in takes calls at once.',
  },
  move: {
    by: '*64 at another phone, agent sign-in',
    from: ['idle', 'wrap-up', 'paused'],
    to: 'before',
    why: 'The agent is signed out there and signed in here at one instant, and takes a pause of their own or the wrap-up along. Not in a call.',
  },
  'take-over': {
    by: '*64 at another phone, when the phone of the call does not answer Asterisk any more',
    from: ['ringing', 'talking'],
    to: 'before',
    why: 'Nobody can be in a call at a phone without power or network. They are idle, or back in a pause of their own that the call interrupted.',
  },
  'sign-out': {
    by: '*65, agent sign-out, group sign-out-all',
    from: ['idle', 'ringing', 'talking', 'wrap-up', 'paused'],
    to: 'signed-out',
    why: 'Leaving is always allowed: a conversation goes on, a call that rings is offered to the next agent.',
  },
  overdue: {
    by: 'end of shift, idle sign-out, longest pause',
    from: ['idle', 'wrap-up', 'paused'],
    to: 'signed-out',
    why: 'A server signs nobody out of a call.',
  },
  offer: {
    by: 'DialState RINGING after AgentCalled',
    from: ['idle'],
    unusual: ['talking', 'wrap-up', 'paused'],
    to: 'ringing',
    why: 'The phone has said that it rings: one that refuses at once does not. A pause does not stop an offer that is on its way already.',
  },
  connect: {
    by: 'AgentConnect',
    from: ['idle', 'ringing'],
    unusual: ['wrap-up', 'paused'],
    to: 'talking',
    why: 'app_queue has joined the caller to the agent. A phone that picks up by itself need not ring.',
  },
  'offer-end': {
    by: 'Star64OfferEnd without a wrap-up',
    from: ['ringing', 'talking'],
    to: 'before',
    why: 'Nothing keeps the agent: they are as they were before the offer, also back in a pause that it interrupted.',
  },
  'wrap-up': {
    by: 'Star64OfferEnd with a wrap-up',
    from: ['idle', 'ringing', 'talking'],
    to: 'wrap-up',
    why: 'The hangup handler has paused the agent in every queue. A pause of the agent is not overwritten by it.',
  },
  pause: {
    by: '*66, agent pause',
    from: ['idle', 'wrap-up', 'paused'],
    to: 'paused',
    why: 'Only from idle or wrap-up (spec 47), which ends with it; from a pause it is another reason.',
  },
  missed: {
    by: 'the last of so many offers in a row that were refused or not answered',
    from: ['idle', 'ringing', 'wrap-up'],
    to: 'paused',
    why: 'Callers are not kept waiting by a phone at which nobody is. From ringing only for an offer that is over.',
  },
  ready: {
    by: '*67, agent ready',
    from: ['wrap-up', 'paused'],
    to: 'idle',
    why: 'The agent ends a pause or wrap-up before its time (spec 52, 56); from idle it is harmless.',
  },
  deadline: {
    by: 'the end of a wrap-up or pause',
    from: ['wrap-up', 'paused'],
    to: 'idle',
    why: 'The time that the group or the pause reason gives is over.',
  },
  'call-rings': {
    by: 'DialState RINGING after Star64AgentCall of a call to the phone, a call that is started for them, reconciliation',
    from: ['idle'],
    to: 'ringing',
    why: 'A call that no queue gives them. In a wrap-up or pause it only rings: what they do not answer takes neither away.',
  },
  call: {
    by: 'Star64AgentCall: they dial, or answer a call that no queue gives them; Star64Emergency; reconciliation',
    from: ['idle', 'ringing', 'wrap-up', 'paused'],
    to: 'talking',
    why: 'Whoever dials is not free any more. A wrap-up ends with it, a pause is interrupted. A call beside a conversation, on hold, changes nothing; from ringing only what rings.',
  },
  'call-end': {
    by: 'Star64AgentCallEnd without a wrap-up, Star64OutEnd of a call to an emergency number, reconciliation',
    from: ['ringing', 'talking'],
    to: 'before',
    why: 'They are idle, or back in the pause that the call interrupted, whose longest time has stood still.',
  },
  'call-goes-on': {
    by: 'Star64AgentCallEnd of a call beside which they have another one',
    from: ['ringing', 'talking'],
    to: 'talking',
    why: 'The other one, which changed nothing as it began, is the one that they are in; a pause stays interrupted.',
  },
  'call-wrap-up': {
    by: 'Star64AgentCallEnd with a wrap-up, reconciliation',
    from: ['idle', 'ringing', 'talking', 'wrap-up', 'paused'],
    to: 'wrap-up',
    why: 'As after the call of a queue. From a wrap-up, when they were in two calls and this one has ended last; from a pause, which it interrupts, when the beginning of the call was not seen.',
  },
  resume: {
    by: '*67, agent ready, the end of a wrap-up: after a call that interrupted a pause',
    from: ['wrap-up'],
    to: 'before',
    why: 'The wrap-up ends, and not the pause: the same one goes on, with the seconds that are left of its longest time.',
  },
  'seen-idle': {
    by: 'reconciliation',
    from: ['ringing', 'talking', 'wrap-up'],
    to: 'idle',
    why: 'Asterisk has neither an offer for the phone nor a pause: the event that ended the state was lost.',
  },
  'seen-ringing': {
    by: 'reconciliation',
    from: ['idle', 'ringing', 'talking', 'wrap-up'],
    to: 'ringing',
    why: 'Asterisk has an offer for the phone that the state does not tell of, or another one.',
  },
  'seen-talking': {
    by: 'reconciliation',
    from: ['idle', 'ringing', 'talking', 'wrap-up'],
    to: 'talking',
    why: 'Asterisk has joined the phone to a caller that the state does not tell of, or to another one.',
  },
} as const satisfies Record<string, Transition>;

/** What may happen to an agent. */
export type AgentEvent = keyof typeof transitions;

/** Events after which the agent is in a state, and not signed out or back where they were. */
export type StateEvent = {
  [E in AgentEvent]: (typeof transitions)[E]['to'] extends AgentState ? E : never;
}[Exclude<AgentEvent, 'sign-in'>];

/** The states from which an event may happen to a signed-in agent; `unusual` adds those that it does not follow from. */
export function statesBefore(event: AgentEvent, unusual = false): AgentState[] {
  const { from, unusual: strange = [] }: Transition = transitions[event];
  return [...from.filter((state) => state !== 'signed-out'), ...(unusual ? strange : [])];
}

/** The table as text, a line for each event, for people and for the golden file. */
export function transitionTable(): string {
  return (Object.entries(transitions) as [string, Transition][])
    .map(([event, { by, from, unusual = [], to, why }]) =>
      [
        `${event}: ${from.join(' | ')}${unusual.length > 0 ? ` (unusual: ${unusual.join(' | ')})` : ''} -> ${to}`,
        `  by ${by}`,
        `  ${why}`,
      ].join('\n'),
    )
    .join('\n\n');
}
