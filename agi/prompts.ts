/**
 * The sounds of each outcome: names of Asterisk's core sounds, played one after the other in the channel's
 * language. `digits:x` reads the digits of the fact x one by one, `number:x` says it as a number. `again` plays them
 * while it listens for digits (agent number, reason, mode, group) and asks once more; `pin` has the server itself ask, for
 * the PIN or a choice; `go` and `nothing` are of star64-supervise.conf.
 * `rest` follows a beep, for whoever keys a digit then. No two outcomes sound the same, and none says the opposite of
 * what it means: an agent who sees nothing knows by this what has happened.
 */
export const prompts = {
  'signed-in': { next: 'done', sounds: ['agent-loginok'] },
  // Not agent-newlocation: that one asks for a new extension.
  moved: { next: 'done', sounds: ['agent-loginok', 'location', 'is-set-to', 'digits:extension'] },
  'agent-wanted': { next: 'again', sounds: ['agent-user'] },
  'unknown-agent': { next: 'again', sounds: ['agent-incorrect'] },
  'agent-elsewhere': { next: 'again', sounds: ['agent-alreadyon'] },
  'agent-in-call': { next: 'done', sounds: ['beeperr', 'extension', 'digits:extension', 'vm-isonphone'] },
  // "Agent" before the number: without it, it could be the extension's.
  'phone-taken': { next: 'done', sounds: ['beeperr', 'extension', 'is-in-use', '*agent'] },
  'wrong-phone': { next: 'done', sounds: ['beeperr', '*own-phone'] },
  // A caller whom we know by nothing; of SIP phones, one that was just removed.
  'unknown-phone': { next: 'done', sounds: ['beeperr', 'privacy-unident'] },
  locked: { next: 'done', sounds: ['beeperr', 'confbridge-pin-bad', 'please-try-call-later'] },
  'pin-wanted': { next: 'pin', sounds: ['agent-pass'] },
  'pin-wrong': { next: 'done', sounds: ['vm-incorrect', 'vm-goodbye'] },
  // Nothing was keyed.
  'pin-silence': { next: 'done', sounds: ['vm-goodbye'] },
  'pin-missing': { next: 'done', sounds: ['beeperr', 'vm-no', 'vm-password', 'vm-for', '*agent'] },
  'signed-out': { next: 'done', sounds: ['agent-loggedoff'] },
  'not-signed-in': { next: 'done', sounds: ['beeperr', 'vm-no', 'spy-agent'] },
  fixed: { next: 'done', sounds: ['beeperr', 'cancelled', '*own-phone'] },
  ready: { next: 'done', sounds: ['activated'] },
  // The wrap-up is over, and the pause before it is not.
  resumed: { next: 'done', sounds: ['vm-Work', 'cancelled', 'dictate/paused'] },
  'resumed-for': { next: 'done', sounds: ['vm-Work', 'cancelled', 'dictate/paused', 'digits:reason'] },
  busy: { next: 'done', sounds: ['beeperr', 'extension', 'is-in-use'] },
  paused: { next: 'done', sounds: ['do-not-disturb'] },
  'paused-for': { next: 'done', sounds: ['do-not-disturb', 'digits:reason'] },
  'reason-wanted': { next: 'again', sounds: ['do-not-disturb', 'number', 'astcc-followed-by-the-pound-key'] },
  'unknown-reason': { next: 'again', sounds: ['privacy-incorrect'] },
  'mode-all': { next: 'done', sounds: ['calling', 'vm-and', 'call-waiting', 'enabled'] },
  'mode-inbound': { next: 'done', sounds: ['calling', 'disabled'] },
  'mode-outbound': { next: 'done', sounds: ['call-waiting', 'disabled'] },
  'mode-wanted': { next: 'again', sounds: ['calling', 'number', 'astcc-followed-by-the-pound-key'] },
  'unknown-mode': { next: 'again', sounds: ['pm-invalid-option'] },
  'no-choice': { next: 'done', sounds: ['beeperr', 'feature-not-avail-line'] },
  'group-set': { next: 'done', sounds: ['is-set-to', 'digits:group'] },
  'group-wanted': { next: 'again', sounds: ['extension', 'number', 'astcc-followed-by-the-pound-key'] },
  'unknown-group': { next: 'again', sounds: ['invalid'] },
  // *60: the state, for how long, how many wait in the current group; then exactly how long, who, where, in which groups.
  // What comes before the beep takes five seconds at most: short words, and rough numbers that are one word each.
  'standing-idle': { next: 'done', sounds: ['activated', '*roughly', '*waiting'], rest: ['*place'] },
  'standing-paused': { next: 'done', sounds: ['dictate/paused', '*roughly', '*waiting'], rest: ['*place'] },
  'standing-paused-for': {
    next: 'done',
    sounds: ['dictate/paused', 'digits:reason', '*roughly', 'ascending-2tone', 'number:waiting'],
    rest: ['*place'],
  },
  'standing-wrap-up': { next: 'done', sounds: ['vm-Work', '*roughly', '*waiting'], rest: ['*place'] },
  'standing-busy': { next: 'done', sounds: ['calling', '*roughly', '*waiting'], rest: ['*place'] },
  // In a call that no queue gave them: to a telephone outside, from one, or between phones of the team.
  'standing-out': {
    next: 'done',
    sounds: ['calling', 'number', '*roughly', 'ascending-2tone', 'number:waiting'],
    rest: ['*place'],
  },
  'standing-direct': {
    next: 'done',
    sounds: ['calling', 'vm-from', '*roughly', 'ascending-2tone', 'number:waiting'],
    rest: ['*place'],
  },
  'standing-internal': {
    next: 'done',
    sounds: ['calling', 'extension', '*roughly', 'ascending-2tone', 'number:waiting'],
    rest: ['*place'],
  },
  // *69
  'queue-waiting': { next: 'done', sounds: ['*queue', '*waiting', 'queue-reporthold', '*duration'] },
  'queue-empty': { next: 'done', sounds: ['*queue', '*waiting'] },
  'queue-wanted': { next: 'again', sounds: ['call-waiting', 'number', 'astcc-followed-by-the-pound-key'] },
  // *61. Open until further notice, closed until further notice, and by the time.
  'hours-day': { next: 'done', sounds: ['hours', 'enabled'] },
  'hours-night': { next: 'done', sounds: ['hours', 'disabled'] },
  'hours-automatic': { next: 'done', sounds: ['hours', 'is-set-to', 'time'] },
  'hours-wanted': { next: 'again', sounds: ['hours', 'number', 'astcc-followed-by-the-pound-key'] },
  'unknown-hours': { next: 'again', sounds: ['hours', 'invalid'] },
  // Says what it is now, as a digit, and asks for another one.
  'position-wanted': {
    next: 'again',
    sounds: ['hours', 'is-set-to', 'digits:position', 'vm-changeto', 'astcc-followed-by-the-pound-key'],
  },
  'unknown-position': { next: 'again', sounds: ['hours', 'pm-invalid-option'] },
  'hours-pin-wanted': { next: 'pin', sounds: ['vm-password'] },
  'hours-refused': { next: 'done', sounds: ['beeperr', 'hours', 'feature-not-avail-line'] },
  // *71 to *73. star64-supervise knows two answers of its own: the call is heard after a beep, and there is none to be heard.
  'supervise-go': { next: 'go', sounds: ['beep'] },
  'supervise-nothing': {
    next: 'nothing',
    sounds: ['beeperr', 'extension', 'digits:extension', 'vm-no', 'calling'],
  },
  'supervise-refused': { next: 'done', sounds: ['beeperr', 'to-listen-to-it', 'feature-not-avail-line'] },
  'extension-wanted': { next: 'again', sounds: ['extension', 'astcc-followed-by-the-pound-key'] },
  'unknown-extension': { next: 'again', sounds: ['extension', 'invalid'] },
  'supervisor-pin-wanted': { next: 'pin', sounds: ['vm-extension', 'vm-password'] },
  // *75. What may be keyed is said word by word, and a key is taken after each.
  'control-wanted': {
    next: 'pin',
    sounds: [
      '*agent',
      'vm-press',
      'digits/1',
      'vm-for',
      'removed',
      'vm-press',
      'digits/2',
      'vm-for',
      'enabled',
    ],
  },
  'control-agent-wanted': {
    next: 'again',
    sounds: ['spy-agent', 'number', 'astcc-followed-by-the-pound-key'],
  },
  'control-unknown-agent': { next: 'again', sounds: ['spy-agent', 'invalid'] },
  'control-unknown-key': { next: 'done', sounds: ['pm-invalid-option', 'vm-goodbye'] },
  'control-refused': { next: 'done', sounds: ['beeperr', 'spy-agent', 'feature-not-avail-line'] },
  'control-signed-out': { next: 'done', sounds: ['*agent', 'removed'] },
  'control-ready': { next: 'done', sounds: ['*agent', 'enabled'] },
  'control-resumed': { next: 'done', sounds: ['*agent', 'vm-Work', 'cancelled', 'dictate/paused'] },
  'control-not-signed-in': { next: 'done', sounds: ['beeperr', 'vm-no', '*agent'] },
  'control-busy': { next: 'done', sounds: ['beeperr', '*agent', 'is-in-use'] },
  'control-fixed': { next: 'done', sounds: ['beeperr', '*agent', 'cancelled'] },
  unavailable: { next: 'done', sounds: ['sorry', 'please-try-call-later'] },
} as const satisfies Record<string, Prompt>;

interface Prompt {
  next: 'done' | 'again' | 'pin' | 'go' | 'nothing';
  sounds: readonly string[];
  rest?: readonly string[];
}

/** What an agent hears before the answer to a code. */
export const notices = {
  // They are paused, since one call after the other was refused or not answered at their phone.
  missed: ['number-not-answering'],
} as const;

/** Parts that several outcomes share. */
const shared: Record<string, readonly string[]> = {
  '*minutes': ['number:minutes', 'minutes'],
  '*seconds': ['number:seconds', 'seconds'],
  '*hours': ['number:hours', 'hours'],
  '*waiting': ['call-waiting', 'number:waiting'],
  '*number': ['number', 'digits:queue'],
  '*agent': ['spy-agent', 'digits:agent'],
  '*own-phone': ['*agent', 'is-set-to', 'extension', 'digits:extension'],
  '*place': ['*duration', '*agent', 'extension', 'digits:extension', '*groups'],
};

export type Outcome = keyof typeof prompts;

/** Facts that the sounds of an outcome read out: numbers, or several of them. */
export type Facts = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/**
 * The sounds of an outcome with its facts put in, ready to be played: files, and `number:<n>`. Durations are given in
 * `seconds`.
 */
export function soundsOf(outcome: Outcome, facts: Facts = {}): string[] {
  return prompts[outcome].sounds.flatMap((sound) => expand(sound, facts));
}

/** What follows for whoever wants to know more; empty for most outcomes. */
export function restOf(outcome: Outcome, facts: Facts = {}): string[] {
  const { rest = [] }: Prompt = prompts[outcome];
  return rest.flatMap((sound) => expand(sound, facts));
}

/** The numbers that are said in one short word. */
const short = [40, 30, 20, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];

/** A number rounded down to one that is said in one short word; 40 for all that is more. */
export const rough = (number: number): number => short.find((one) => one <= number) ?? 0;

function expand(sound: string, facts: Facts): string[] {
  const seconds = Number(facts['seconds'] ?? 0);
  const minutes = Math.floor(seconds / 60);
  if (sound === '*duration') return expand(minutes > 0 ? '*minutes' : '*seconds', { seconds, minutes });
  if (sound === '*roughly') {
    return minutes < 60
      ? expand('*minutes', { minutes: rough(minutes) })
      : expand('*hours', { hours: rough(minutes / 60) });
  }
  if (sound === '*groups') {
    const groups = facts['groups'];
    return Array.isArray(groups) ? groups.flatMap((number: string) => ['number', ...spelled(number)]) : [];
  }
  if (sound === '*queue') return facts['queue'] === '' ? [] : expand('*number', facts);
  const parts = shared[sound];
  if (parts) return parts.flatMap((part) => expand(part, facts));
  const [, kind, name = ''] = /^(digits|number):(.*)$/.exec(sound) ?? [];
  if (kind === undefined) return [sound];
  const value = String(facts[name] ?? '');
  return kind === 'digits' ? spelled(value) : [`number:${value}`];
}

const spelled = (number: string): string[] => Array.from(number, (digit) => `digits/${digit}`);

/** Every sound file that a phone may be sent, for a look whether a language has it. */
export function soundFiles(): string[] {
  const all = [
    ...Object.values(prompts).flatMap(({ sounds, rest = [] }: Prompt) => [...sounds, ...rest]),
    ...Object.values(shared).flat(),
    ...Object.values(notices).flat(),
  ];
  const files = all.filter((sound) => !/^\*|:/.test(sound));
  return [...new Set([...files, ...spelled('0123456789'), 'beep', 'auth-incorrect'])].sort();
}
