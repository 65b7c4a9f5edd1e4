import { quoted } from '../../names.js';

/** What of something in a call's story is known, by name; only what is known is there. */
export type Facts = Readonly<Record<string, string | number>>;

/** A value as it stands in a sentence: what is more than a plain word is quoted, since callers choose theirs. */
function word(value: string | number | undefined, unknown = '?'): string {
  if (value === undefined || value === '') return unknown;
  const text = String(value);
  return /^[\p{L}\p{N}+*#._:/@-]{1,60}$/u.test(text) ? text : quoted(text);
}

/** The whole name of a recording, to be found by. */
const fileName = (file: string | number | undefined): string =>
  /^[A-Za-z0-9._/-]{1,250}$/.test(String(file)) ? String(file) : word(file);

/** `3:12`, or `1:02:03`. */
export function minutes(seconds: number): string {
  const [hours, rest] = [Math.floor(seconds / 3600), seconds % 3600];
  const two = (part: number): string => String(part).padStart(2, '0');
  const short = `${hours > 0 ? two(Math.floor(rest / 60)) : Math.floor(rest / 60)}:${two(rest % 60)}`;
  return hours > 0 ? `${hours}:${short}` : short;
}

const lasted = (seconds: string | number | undefined, before: string): string =>
  typeof seconds === 'number' ? `${before}${seconds < 60 ? `${seconds} s` : minutes(seconds)}` : '';

/** Words for a fact that is there, nothing for one that is not. */
const maybe = (value: string | number | undefined, before: string, after = ''): string =>
  value === undefined || value === '' ? '' : `${before}${word(value)}${after}`;

const whom = ({ agent, extension }: Facts): string =>
  agent === undefined
    ? maybe(extension, 'extension ') || 'somebody'
    : `agent ${word(agent)}${maybe(extension, ' at ')}`;

/** In which modes somebody listened, if they did more than that. */
function inModes({ listened, whispered, barged }: Facts): string {
  if (!whispered && !barged) return '';
  const modes = [
    ['listening', listened],
    ['whispering', whispered],
    ['talking with both', barged],
  ] as const;
  return `: ${modes.flatMap(([mode, seconds]) => (seconds ? [`${String(seconds)} s ${mode}`] : [])).join(', ')}`;
}

const offerResults: Readonly<Record<string, string>> = {
  missed: 'missed',
  rejected: 'rejected',
  refused: 'refused before it rang',
  cancelled: 'taken back',
  open: 'rings',
};

/** The same, of whom a colleague asks. */
const askedResults: Readonly<Record<string, string>> = { ...offerResults, answered: 'answered' };

const leftWithout: Readonly<Record<string, string>> = {
  abandoned: 'the caller gave up',
  nobody: 'sent away, since nobody was there',
  timeout: 'sent away after the longest wait',
  full: 'sent away, since the queue was full',
  key: 'on by a key of the caller’s',
  callback: 'to be called back, with the place kept',
  again: 'let go while agents were on their way, and back into the queue',
};

const endings: Readonly<Record<string, string>> = {
  answered: 'answered',
  abandoned: 'the caller gave up before somebody answered',
  nobody: 'nobody was there',
  timeout: 'nobody answered within the longest wait',
  full: 'the queue was full',
  busy: 'busy',
  'no-answer': 'nobody answered',
  refused: 'refused',
  unreachable: 'the phone could not be reached',
  failed: 'no trunk has taken it',
  'no-agent': 'the agent was not reached, and nobody was called',
  callback: 'the caller is to be called back',
  'not-called-back': 'the caller was to be called back, and was not reached',
};

/** The same, of a call to the outside. */
const endingsOutside: Readonly<Record<string, string>> = {
  ...endings,
  abandoned: 'the caller hung up before somebody answered',
  refused: 'it was rejected',
  unreachable: 'the number cannot be reached',
};

const sides: Readonly<Record<string, string>> = {
  caller: 'the caller hung up',
  callee: 'who was called hung up',
  system: 'hung up by neither side',
};

const tryResults: Readonly<Record<string, string>> = {
  answered: 'answered',
  ended: 'the number said no, or nobody answered',
  failed: 'the trunk failed',
  full: 'all its channels are taken',
  unavailable: 'the trunk cannot be reached',
  'set-aside': 'the trunk has just failed, and is passed over for a while',
};

/** Why nobody was reached who was to be asked. */
const noAnswers: Readonly<Record<string, string>> = {
  busy: 'busy',
  'no-answer': 'nobody answers',
  unavailable: 'nobody is there',
  unknown: 'no such number',
  refused: 'not allowed',
};

/** Of how long a talk was, what was none. */
const ofThat = ({ held, consulted }: Facts): string =>
  `${lasted(held, ', of that on hold ')}${lasted(consulted, held === undefined ? ', of that asking somebody ' : ', asking somebody ')}`;

/** What became of an agent's phone that was rung for a call of theirs. */
const clickResults: Readonly<Record<string, string>> = {
  busy: 'their phone is busy',
  rejected: 'they have rejected it',
  'no-answer': 'they do not answer',
  unreachable: 'their phone cannot be reached',
};

const callbackTries: Readonly<Record<string, string>> = {
  answered: 'answered',
  busy: 'busy',
  'no-answer': 'nobody answered',
  unreachable: 'the number cannot be reached',
  left: 'the agent hung up before somebody answered',
  failed: 'no trunk has taken it',
  refused: 'the number may not be called',
};

const callbackEnds: Readonly<Record<string, string>> = {
  unreached: 'nobody was reached at the number',
  expired: 'its time was over',
  closed: 'the group is closed',
  refused: 'the number may not be called',
  removed: 'by an administrator',
  back: 'they wait again in this call',
};

/** How each kind reads. Kinds that have no line here are shown as they are: whoever adds one adds a line. */
const sentences: Readonly<Record<string, (facts: Facts) => string>> = {
  click: (facts) => `${word(facts['to'])} is to be called for ${whom(facts)}${maybe(facts['by'], ' (', ')')}`,
  'click-rings': () => "the agent's phone rings",
  'click-answered': (facts) => `${whom(facts)} has answered`,
  'click-missed': (facts) =>
    `${whom(facts)}: ${clickResults[String(facts['why'])] ?? 'what became of it was not seen'}, so nobody is called`,
  arrived: ({ did, caller }) => `call from ${word(caller, 'an unknown number')}${maybe(did, ' for ')}`,
  dialled: (facts) => {
    const { agent, extension, dialled, number, class: kind, refused } = facts;
    const who = agent === undefined && extension === undefined ? 'the team' : whom(facts);
    const which = number === dialled ? '' : maybe(number, ', which is ');
    return `${who} dials ${word(dialled)}${which}${maybe(kind, ' (', ')')}${maybe(refused, ', and is refused: ')}`;
  },
  'sent-on-refused': (facts) =>
    `${whom(facts)} wants to send it on to ${word(facts['number'])}${maybe(facts['class'], ' (', ')')}, and is refused: ${word(facts['refused'])}`,
  tried: ({ trunk, sent, result, code, cause, milliseconds }) =>
    `trunk ${word(trunk)}${maybe(sent, ' is sent ')}: ${tryResults[String(result)] ?? word(result)}${code === undefined ? maybe(result === 'answered' ? undefined : cause, ' (cause ', ')') : ` (SIP ${word(code)})`}${typeof milliseconds === 'number' ? ` after ${(milliseconds / 1000).toFixed(1)} s` : ''}`,
  rings: () => 'it rings',
  did: ({ did, rule, to }) => `${maybe(did, '', ' ')}leads to ${word(to)}${maybe(rule, ', by rule ')}`,
  hours: ({ hours, state, by, to }) =>
    `hours ${word(hours)}: ${word(state)}${maybe(by, ', by ')}${maybe(to, ', so on to ')}`,
  destination: ({ to, because }) => `on to ${word(to)}${maybe(because, ': ')}`,
  announcement: ({ announcement }) => `hears announcement ${word(announcement)}`,
  menu: ({ menu, key, to }) =>
    `menu ${word(menu)}: ${key === undefined || key === 'timeout' ? 'no key' : key === 'wrong' ? 'a key that leads nowhere' : `key ${word(key)}`}${maybe(to, ', so on to ')}`,
  'ring-group': ({ group, rings, seconds }) =>
    rings === undefined
      ? `comes to ring group ${word(group)}`
      : `ring group ${word(group)} rings ${word(rings)}${maybe(seconds, ' for ', ' s')}`,
  room: ({ room }) => `comes into room ${word(room)}`,
  joined: ({ group, position }) =>
    `joins the queue of ${word(group, 'a removed group')}${maybe(position, ' at place ')}`,
  offered: (facts) =>
    `offered to ${whom(facts)}${maybe(facts['group'], ' of group ')}: ${offerResults[String(facts['result'])] ?? 'what became of it was not seen'}${lasted(facts['seconds'], ' after ')}`,
  answered: (facts) => `answered by ${whom(facts)}${lasted(facts['waited'], ' after a wait of ')}`,
  parted: ({ reason, agent }) =>
    reason === 'caller'
      ? 'the caller hangs up'
      : reason === 'transfer'
        ? `agent ${word(agent)} has sent the caller on`
        : `agent ${word(agent)} hangs up`,
  held: (facts) => `${whom(facts)} puts the call on hold`,
  resumed: (facts) =>
    `${whom(facts)} ${facts['leaves'] === undefined ? 'takes it back' : 'leaves, with the call on hold,'}${lasted(facts['seconds'], ' after ')}`,
  consults: (facts) => `${whom(facts)} puts the call on hold to ask somebody`,
  consulted: (facts) => `${whom(facts)} has asked${lasted(facts['seconds'], ', for ')}`,
  consult: ({ by, to }) => `${maybe(by, '', ' ')}asks ${word(to)}`,
  asked: (facts) =>
    `${whom(facts)} is asked: ${askedResults[String(facts['result'])] ?? 'what became of it was not seen'}${lasted(facts['seconds'], ' after ')}${lasted(facts['talked'], ', and is in the call for ')}`,
  'consult-failed': ({ to, why }) => `${word(to)} is not reached: ${noAnswers[String(why)] ?? word(why)}`,
  'back-to-queue': ({ queue, group }) =>
    `nobody has taken the call: back to the front of the queue${maybe(group ?? queue, ' of ')}`,
  conference: ({ by, to }) => `a conference with ${word(to)}${maybe(by, ', by ')}`,
  'conference-full': () => 'the call is full, and nobody more is let in',
  transferred: ({ how, by, to }) =>
    `sent on${maybe(to, ' to ')}${maybe(by, ' by ')}${how === undefined ? '' : ` (${word(how)})`}`,
  left: (facts) =>
    facts['outcome'] === 'answered'
      ? `the talk with agent ${word(facts['agent'])} is over${lasted(facts['talked'], ' after ')}${ofThat(facts)}`
      : `leaves the queue of ${word(facts['group'], 'a removed group')}${lasted(facts['waited'], ' after ')}: ${leftWithout[String(facts['outcome'])] ?? 'why was not seen'}`,
  supervised: (facts) =>
    `${word(facts['user'])} at ${word(facts['from'])} listens to ${whom(facts)}${lasted(facts['seconds'], ' for ')}${inModes(facts)}${facts['announced'] === 'yes' ? ', announced by a tone' : ''}`,
  'callback-asked': ({ group, number }) =>
    `asks to be called back at ${word(number)}, and keeps the place in the queue of ${word(group)}`,
  'callback-put': ({ group, place }) =>
    `somebody waits for them in the queue of ${word(group)} from now on${maybe(place, ', at place ')}`,
  'callback-tried': ({ result, by }) =>
    `called back (call ${word(by)}): ${callbackTries[String(result)] ?? word(result)}`,
  'callback-over': ({ outcome }) =>
    outcome === 'answered'
      ? 'the callback is done'
      : `nobody is called back any more: ${callbackEnds[String(outcome)] ?? word(outcome)}`,
  'callback-of': ({ call, tries }) =>
    `it is a callback${maybe(call, ', asked for in call ')}${maybe(tries, ', try ')}`,
  recorded: ({ file, seconds, deleted }) =>
    `recorded as ${fileName(file)}${lasted(seconds, ', ')}${deleted === undefined ? '' : ' (deleted, its days are over)'}`,
  'recording-paused': () => 'the recording pauses, by key',
  'recording-resumed': () => 'the recording goes on, by key',
  dropped: ({ channel }) =>
    `${word(channel === undefined ? channel : String(channel).replace(/-[0-9a-f]{8}$/, ''), 'somebody')} is dropped from the call, by key`,
  'ended-for-all': ({ by }) =>
    by === 'leaving' ? 'ended for all, as the agent left the conference' : 'ended for all, by key',
  ended: ({ outcome, seconds, outside, by, cause, talked, ...facts }) =>
    outside === undefined && outcome === 'unknown' && by === 'system'
      ? `over${lasted(seconds, ' after ')}: its way ended there, and nobody was called`
      : `over${lasted(seconds, ' after ')}: ${(outside === undefined ? endings : endingsOutside)[String(outcome)] ?? 'what became of it was not seen'}${lasted(talked, ', talked ')}${ofThat(facts)}${by === undefined ? '' : `, ${sides[String(by)] ?? word(by)}`}${outcome === 'answered' ? '' : maybe(cause, ' (cause ', ')')}`,
};

/** One entry of a story as a sentence, in one line, safe to be shown whatever callers call themselves. */
export function wordsOf({ kind, facts }: { kind: string; facts: Facts }): string {
  const sentence = Object.hasOwn(sentences, kind) ? sentences[kind] : undefined;
  if (sentence) return sentence(facts);
  const told = Object.entries(facts).map(([name, value]) => `${name} ${word(value)}`);
  return [kind.replaceAll('-', ' '), told.join(', ')].filter((part) => part !== '').join(': ');
}
