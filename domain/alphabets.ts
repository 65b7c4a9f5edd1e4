/**
 * The alphabets of everything that has a name or a number. They are narrow because these words become section
 * names, extensions and channel names in Asterisk; the database holds the same patterns as check constraints.
 */
export interface Rule {
  /** The word for it in messages. */
  readonly noun: string;
  /** What the string is, in messages. */
  readonly what: string;
  readonly pattern: RegExp;
  readonly rule: string;
  /** Something that is always right. */
  readonly example: string;
  /** Turns what was typed into what may have been meant; proposed only if it follows the pattern. */
  readonly tidy: (typed: string) => string;
}

const digits = (typed: string): string => typed.replace(/[^0-9]/g, '');
const telephone = (typed: string): string => typed.replace(/[^0-9+]/g, '');
const word =
  (strange: RegExp, instead: string) =>
  (typed: string): string =>
    typed
      .normalize('NFKD')
      .replace(/\p{Mn}/gu, '')
      .toLowerCase()
      .replace(strange, instead);

/** One for each kind of name. */
export const rules = {
  node: {
    noun: 'node',
    what: 'name of a node',
    pattern: /^[A-Za-z0-9-]{1,40}$/,
    rule: '1 to 40 letters, digits and -',
    example: 'default',
    tidy: (typed) => typed.replace(/[^A-Za-z0-9-]+/g, '-'),
  },
  team: {
    noun: 'team',
    what: 'team identity',
    pattern: /^(?!star64$)[a-z][a-z0-9]{1,19}$/,
    // Shared contexts are called star64-…, a team's <identity>-…: a team of that name would collide with them.
    rule: '2 to 20 lower-case letters and digits, a letter first; "star64" is reserved',
    example: 'astercc',
    tidy: word(/[^a-z0-9]/g, ''),
  },
  user: {
    noun: 'user',
    what: 'user name',
    pattern: /^[a-z0-9][a-z0-9._@-]{0,63}$/,
    rule: '1 to 64 lower-case letters, digits and . _ @ -, a letter or digit first',
    example: 'anna',
    tidy: word(/[^a-z0-9._@-]+/g, '.'),
  },
  extension: {
    noun: 'extension',
    what: 'extension number',
    pattern: /^[0-9]{2,10}$/,
    rule: '2 to 10 digits',
    example: '5000',
    tidy: digits,
  },
  agent: {
    noun: 'agent',
    what: 'agent number',
    pattern: /^[0-9]{1,10}$/,
    rule: '1 to 10 digits',
    example: '1001',
    tidy: digits,
  },
  group: {
    noun: 'group',
    what: 'group name',
    // One letter and "fax" are extensions to which Asterisk goes by itself, such as h after each hang-up.
    pattern: /^(?!fax$)[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first, but not fax, which Asterisk uses itself',
    example: 'support',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  queueNumber: {
    noun: 'group',
    what: 'group number',
    pattern: /^[0-9]{2,10}$/,
    rule: '2 to 10 digits',
    example: '6000',
    tidy: digits,
  },
  did: {
    noun: 'DID',
    what: 'DID',
    pattern: /^[+]?[0-9]{2,20}([*]|[.]{2}[+]?[0-9]{2,20})?$/,
    rule: '2 to 20 digits, with or without a + in front; two of these with .. between for a range; a * at the end for all that begin so',
    example: '+4930600100',
    tidy: telephone,
  },
  'did-rule': {
    noun: 'DID rule',
    what: 'name of a DID rule',
    pattern: /^[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first',
    example: 'mobiles',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  binding: {
    noun: 'binding',
    what: 'name of a binding',
    pattern: /^[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first',
    example: 'spring_sale',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  webhook: {
    noun: 'webhook',
    what: 'name of a webhook',
    pattern: /^[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first',
    example: 'crm',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  caller: {
    noun: 'caller number',
    what: 'caller number',
    pattern: /^(anonymous|[+]?[0-9]{1,20}([*]|[.]{2}[+]?[0-9]{1,20})?)$/,
    rule: '1 to 20 digits, with or without a + in front; two of these with .. between; a * at the end for all that begin so; or anonymous',
    example: '+49171*',
    tidy: telephone,
  },
  country: {
    noun: 'country',
    what: 'country',
    pattern: /^[A-Z]{2}$/,
    rule: 'two capital letters, as in ISO 3166',
    example: 'DE',
    tidy: (typed) => typed.toUpperCase(),
  },
  language: {
    noun: 'language',
    what: 'language',
    pattern: /^[a-z]{2,3}(_[A-Z]{2})?$/,
    rule: 'as Asterisk names its sound sets: two or three small letters, with a country in capitals if need be',
    example: 'fr',
    tidy: (typed) => typed.replace('-', '_'),
  },
  telephone: {
    noun: 'telephone number',
    what: 'telephone number',
    pattern: /^[+]?[0-9]{2,20}$/,
    rule: '2 to 20 digits, with or without a + in front',
    example: '+4915112345678',
    tidy: telephone,
  },
  emergency: {
    noun: 'emergency number',
    what: 'list of emergency numbers',
    pattern: /^[0-9]{2,6}(,[0-9]{2,6}){0,15}$/,
    rule: '1 to 16 numbers of 2 to 6 digits with commas between, as they are dialled without the outside prefix',
    example: '112,110',
    tidy: (typed) => typed.replace(/[^0-9,]/g, ''),
  },
  'ring-group': {
    noun: 'ring group',
    what: 'number of a ring group',
    pattern: /^[0-9]{2,10}$/,
    rule: '2 to 10 digits',
    example: '7000',
    tidy: digits,
  },
  room: {
    noun: 'room',
    what: 'number of a room',
    pattern: /^[0-9]{2,10}$/,
    rule: '2 to 10 digits',
    example: '801',
    tidy: digits,
  },
  hoursNumber: {
    noun: 'hours',
    what: 'number of hours',
    pattern: /^[0-9]{1,4}$/,
    rule: '1 to 4 digits',
    example: '1',
    tidy: digits,
  },
  night: {
    noun: 'night',
    what: 'night',
    pattern: /^(?!(.{5})-\1$)([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$/,
    rule: 'two different times of day, the second on the next day if it is the earlier one',
    example: '20:00-06:00',
    tidy: (typed) =>
      typed
        .split('-')
        .map((time) => time.trim().replace('.', ':').padStart(5, '0'))
        .join('-'),
  },
  prefix: {
    noun: 'prefix',
    what: 'prefix',
    pattern: /^[A-Za-z0-9]([A-Za-z0-9 _.+:/*-]{0,18}[A-Za-z0-9_.+:/*-])?$/,
    rule: '1 to 20 letters without accents, digits, blanks and _ . + : / * -, a letter or digit first, no blank at the end',
    example: 'Sales:',
    tidy: (typed) =>
      typed
        .normalize('NFKD')
        .replace(/[^A-Za-z0-9 _.+:/*-]/g, '')
        .trim()
        .slice(0, 20),
  },
  hours: {
    noun: 'hours',
    what: 'name of hours',
    pattern: /^(?!fax$)[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first, but not fax, which Asterisk uses itself',
    example: 'office',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  token: {
    noun: 'token',
    what: 'name of a token',
    pattern: /^[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first',
    example: 'crm',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  announcement: {
    noun: 'announcement',
    what: 'name of an announcement',
    pattern: /^(?!fax$)[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first, but not fax, which Asterisk uses itself',
    example: 'closed',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  menu: {
    noun: 'menu',
    what: 'name of a menu',
    pattern: /^(?!fax$)[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first, but not fax, which Asterisk uses itself',
    example: 'welcome',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  sound: {
    noun: 'sound',
    what: 'sound',
    pattern: /^[A-Za-z0-9_/][A-Za-z0-9_/-]{0,119}$/,
    rule: 'a sound file of Asterisk without its ending, below its sounds directory or from the root: letters, digits, _ - and /',
    example: 'custom/closed',
    tidy: (typed) => typed.replace(/\.[A-Za-z0-9]{2,5}$/, ''),
  },
  musicClass: {
    noun: 'music class',
    what: 'music class',
    pattern: /^[A-Za-z0-9_-]{1,40}$/,
    rule: '1 to 40 letters, digits, _ and -, as the section of musiconhold.conf is called',
    example: 'default',
    tidy: word(/[^A-Za-z0-9_-]+/g, '_'),
  },
  'feature-code': {
    noun: 'feature code',
    what: 'feature code',
    pattern: /^[*]{0,2}[0-9]{1,6}$/,
    rule: 'up to two * and then 1 to 6 digits',
    example: '*64',
    tidy: (typed) => typed.replace(/[^0-9*]/g, ''),
  },
  'call-key': {
    noun: 'call key',
    what: 'name of a call key',
    pattern: /^[a-z]{2,20}$/,
    rule: 'what it does: transfer, consult, conference, back, swap, complete, hold, record, drop or end',
    example: 'consult',
    tidy: word(/[^a-z]/g, ''),
  },
  callKeys: {
    noun: 'call key',
    what: 'keys within a call',
    // A digit alone would be taken from whoever answers a menu.
    pattern: /^[*#][0-9*#]{1,4}$/,
    rule: '* or # and then 1 to 4 of 0 to 9, * and #',
    example: '*2',
    tidy: (typed) => typed.replace(/[^0-9*#]/g, ''),
  },
  trunk: {
    noun: 'trunk',
    what: 'trunk name',
    pattern: /^[a-z][a-z0-9_-]{0,31}$/,
    rule: '1 to 32 lower-case letters, digits, _ and -, a letter first',
    example: 'provider',
    tidy: word(/[^a-z0-9_-]+/g, '-'),
  },
  endpoint: {
    noun: 'endpoint',
    what: 'endpoint',
    pattern: /^(?![a-z][a-z0-9]{1,19}-(?:[0-9]{2,10}$|trunk-))[A-Za-z0-9_.-]{1,60}$/,
    rule: 'a section of your own pjsip.conf: 1 to 60 letters, digits, _ . and -; <team>-<number> is a phone of ours, <team>-trunk-<name> a trunk of ours',
    example: 'provider',
    tidy: (typed) => typed.replace(/[^A-Za-z0-9_.-]+/g, ''),
  },
  'trunk-group': {
    noun: 'trunk group',
    what: 'name of a trunk group',
    pattern: /^[a-z][a-z0-9_-]{0,31}$/,
    rule: '1 to 32 lower-case letters, digits, _ and -, a letter first',
    example: 'providers',
    tidy: word(/[^a-z0-9_-]+/g, '-'),
  },
  transport: {
    noun: 'transport',
    what: 'transport',
    pattern: /^[A-Za-z0-9_.-]{1,60}$/,
    rule: 'a section of your own pjsip.conf: 1 to 60 letters, digits, _ . and -',
    example: 'transport-udp',
    tidy: (typed) => typed.replace(/[^A-Za-z0-9_.-]+/g, ''),
  },
  account: {
    noun: 'user name',
    what: 'user name at the provider',
    pattern: /^[A-Za-z0-9_.+-]{1,64}(@[A-Za-z0-9.-]{1,100})?$/,
    rule: '1 to 64 letters, digits and _ . + -, and where the provider says so an @ and its domain',
    example: '4930600100',
    tidy: (typed) => typed.replace(/^sips?:/, '').replace(/[^A-Za-z0-9_.+@-]+/g, ''),
  },
  fromUser: {
    noun: 'user in From',
    what: 'user in From',
    pattern: /^[A-Za-z0-9_.+-]{1,64}$/,
    rule: '1 to 64 letters, digits and _ . + -',
    example: '4930600100',
    tidy: (typed) => typed.replace(/^sips?:/, '').replace(/@.*$/, ''),
  },
  domain: {
    noun: 'domain',
    what: 'domain',
    pattern: /^[A-Za-z0-9.-]{1,100}$/,
    rule: '1 to 100 letters, digits, . and -',
    example: 'sip.example.net',
    tidy: (typed) => typed.replace(/^sips?:/, '').replace(/^.*@/, ''),
  },
  codecs: {
    noun: 'codecs',
    what: 'codecs',
    pattern:
      /^(?:alaw|ulaw|g722|g723|g726|g729|gsm|ilbc|opus|speex|slin)(?:,(?:alaw|ulaw|g722|g723|g726|g729|gsm|ilbc|opus|speex|slin))*$/,
    rule: 'codecs as Asterisk calls them, in their order with , between: alaw, ulaw, g722, g723, g726, g729, gsm, ilbc, opus, speex, slin',
    example: 'alaw,ulaw',
    tidy: (typed) => typed.toLowerCase().replace(/[^a-z0-9]+/g, ','),
  },
  sipAnswers: {
    noun: 'SIP answers',
    what: 'SIP answers',
    pattern: /^[3-6](?:[0-9]{2}|xx)(?:,[3-6](?:[0-9]{2}|xx)){0,39}$/,
    rule: 'three digits from 300 to 699, or 3xx to 6xx for all that begin so, with , between, 40 at most',
    example: '403,488,5xx',
    tidy: (typed) => typed.toLowerCase().replace(/[^0-9x]+/g, ','),
  },
  'user-group': {
    noun: 'user group',
    what: 'name of a user group',
    pattern: /^[a-z][a-z0-9_]{1,31}$/,
    rule: '2 to 32 lower-case letters, digits and underscores, a letter first',
    example: 'sales',
    tidy: word(/[^a-z0-9_]+/g, '_'),
  },
  'number-class': {
    noun: 'number class',
    what: 'beginning of numbers',
    pattern: /^[+]?[0-9]{1,15}$/,
    rule: '1 to 15 digits, with or without a + in front',
    example: '+49900',
    tidy: telephone,
  },
  area: {
    noun: 'area code',
    what: 'area code',
    pattern: /^[0-9]{1,8}$/,
    rule: '1 to 8 digits, without the 0 that is dialled before it',
    example: '30',
    tidy: digits,
  },
  outsidePrefix: {
    noun: 'outside prefix',
    what: 'outside prefix',
    pattern: /^[0-9]{1,3}$/,
    rule: '1 to 3 digits; or none, where nothing is dialled before a number outside',
    example: '0',
    tidy: digits,
  },
  'pause-reason': {
    noun: 'pause reason',
    what: 'digit of a pause reason',
    pattern: /^[1-9]$/,
    rule: 'one digit from 1 to 9; 0 is a pause without a reason',
    example: '1',
    tidy: digits,
  },
} as const satisfies Record<string, Rule>;
