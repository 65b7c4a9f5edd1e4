/**
 * The sounds of each outcome: names of Asterisk's core sounds, played one after the other in the channel's
 * language. `digits:x` reads the digits of the fact x one by one, `number:x` says it as a number. `again` plays them
 * while it listens for digits (agent number, reason, mode, group) and asks once more; `pin` asks for the PIN.
 * No two outcomes sound the same: an agent who sees nothing knows by this what has happened.
 */
export const prompts = {
  'signed-in': { next: 'done', sounds: ['agent-loginok'] },
  // Not agent-newlocation: that one asks for a new extension.
  moved: { next: 'done', sounds: ['agent-loginok', 'location', 'is-set-to', 'digits:extension'] },
  'agent-wanted': { next: 'again', sounds: ['agent-user'] },
  'unknown-agent': { next: 'again', sounds: ['agent-incorrect'] },
  'agent-elsewhere': { next: 'again', sounds: ['agent-alreadyon'] },
  'agent-in-call': { next: 'done', sounds: ['beeperr', 'extension', 'digits:extension', 'vm-isonphone'] },
  'phone-taken': { next: 'done', sounds: ['beeperr', 'extension', 'is-in-use', 'digits:agent'] },
  'wrong-phone': { next: 'done', sounds: ['beeperr', 'feature-not-avail-line'] },
  'unknown-phone': { next: 'done', sounds: ['beeperr', 'ss-noservice'] },
  locked: { next: 'done', sounds: ['beeperr', 'vm-incorrect', 'please-try-call-later'] },
  'pin-wanted': { next: 'pin', sounds: ['agent-pass'] },
  'pin-wrong': { next: 'done', sounds: ['vm-incorrect', 'vm-goodbye'] },
  'pin-missing': { next: 'done', sounds: ['beeperr', 'vm-password', 'disabled'] },
  'signed-out': { next: 'done', sounds: ['agent-loggedoff'] },
  'not-signed-in': { next: 'done', sounds: ['beeperr', 'agent-loggedoff'] },
  fixed: { next: 'done', sounds: ['beeperr', 'agent-loginok'] },
  ready: { next: 'done', sounds: ['activated'] },
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
  'no-choice': { next: 'done', sounds: ['beeperr', 'de-activated'] },
  'group-set': { next: 'done', sounds: ['is-set-to', 'digits:group'] },
  'group-wanted': { next: 'again', sounds: ['extension', 'number', 'astcc-followed-by-the-pound-key'] },
  'unknown-group': { next: 'again', sounds: ['invalid'] },
  // *60: the state, for how long, who, where, in which groups.
  'standing-idle': { next: 'done', sounds: ['activated', '*duration', '*place'] },
  'standing-paused': { next: 'done', sounds: ['do-not-disturb', '*duration', '*place'] },
  'standing-wrap-up': { next: 'done', sounds: ['info-about-last-call', '*duration', '*place'] },
  'standing-busy': { next: 'done', sounds: ['is-in-use', '*duration', '*place'] },
  unavailable: { next: 'done', sounds: ['sorry', 'please-try-call-later'] },
} as const satisfies Record<string, { next: 'done' | 'again' | 'pin'; sounds: readonly string[] }>;

/** What an agent hears before the answer to a code. */
export const notices = {
  // They are paused, since one call after the other was refused or not answered at their phone.
  missed: ['number-not-answering'],
} as const;

/** Parts that several outcomes share. */
const shared: Record<string, readonly string[]> = {
  '*minutes': ['number:minutes', 'minutes'],
  '*seconds': ['number:seconds', 'seconds'],
  '*place': ['digits:agent', 'extension', 'digits:extension', '*groups'],
};

export type Outcome = keyof typeof prompts;

/** Facts that the sounds of an outcome read out: numbers, or several of them. */
export type Facts = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** The sounds of an outcome with its facts put in, ready to be played: files, and `number:<n>`. */
export function soundsOf(outcome: Outcome, facts: Facts = {}): string[] {
  return prompts[outcome].sounds.flatMap((sound) => expand(sound, facts));
}

function expand(sound: string, facts: Facts): string[] {
  if (sound === '*duration') {
    return expand(Number(facts['minutes']) > 0 ? '*minutes' : '*seconds', facts);
  }
  if (sound === '*groups') {
    const groups = facts['groups'];
    return Array.isArray(groups) ? groups.flatMap((number: string) => ['number', ...spelled(number)]) : [];
  }
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
    ...Object.values(prompts).flatMap(({ sounds }) => [...sounds]),
    ...Object.values(shared).flat(),
    ...Object.values(notices).flat(),
  ];
  const files = all.filter((sound) => !/^\*|:/.test(sound));
  return [...new Set([...files, ...spelled('0123456789'), 'vm-goodbye', 'auth-incorrect'])].sort();
}
