/**
 * What a phone hears for each outcome: names of Asterisk's core sounds, played one after the other in the
 * channel's language. `again` asks for the agent number once more and plays the sound while it listens.
 */
export const prompts = {
  'signed-in': { next: 'done', sounds: ['agent-loginok'] },
  'unknown-agent': { next: 'again', sounds: ['agent-incorrect'] },
  'agent-elsewhere': { next: 'again', sounds: ['agent-alreadyon'] },
  'phone-taken': { next: 'done', sounds: ['beeperr', 'extension', 'is-in-use'] },
  'wrong-phone': { next: 'done', sounds: ['beeperr', 'feature-not-avail-line'] },
  'unknown-phone': { next: 'done', sounds: ['beeperr', 'feature-not-avail-line'] },
  'signed-out': { next: 'done', sounds: ['agent-loggedoff'] },
  'not-signed-in': { next: 'done', sounds: ['beeperr', 'agent-loggedoff'] },
  ready: { next: 'done', sounds: ['activated'] },
  busy: { next: 'done', sounds: ['beeperr', 'extension', 'is-in-use'] },
  unavailable: { next: 'done', sounds: ['sorry', 'please-try-call-later'] },
} as const satisfies Record<string, { next: 'done' | 'again'; sounds: readonly string[] }>;

export type Outcome = keyof typeof prompts;
