/** The kinds of error, with the exit status of the command line. HTTP has a status for each of them, too. */
export const kinds = {
  usage: { exit: 2, title: 'wrong usage or invalid input' },
  not_found: { exit: 4, title: 'the named thing does not exist' },
  conflict: { exit: 5, title: 'something else stands in the way' },
  database_unreachable: { exit: 6, title: 'PostgreSQL cannot be reached or used' },
  asterisk_unreachable: { exit: 7, title: 'Asterisk cannot be reached' },
  failure: { exit: 1, title: 'anything else' },
  interrupted: { exit: 130, title: 'interrupted' },
} as const;

export type ErrorKind = keyof typeof kinds;

/**
 * Every code of an error: the one list. Codes are public: scripts, HTTP clients and imports depend on them, so one is
 * never renamed and never comes to mean something else. `docs/errors.md` is made from it.
 */
export const codes = {
  // One for each kind, for what has no code of its own: the message says what it is.
  usage: { kind: 'usage', meaning: 'wrong usage or invalid input that has no code of its own' },
  not_found: { kind: 'not_found', meaning: 'something that has no code of its own does not exist' },
  conflict: { kind: 'conflict', meaning: 'something that has no code of its own stands in the way' },
  database_unreachable: { kind: 'database_unreachable', meaning: 'PostgreSQL cannot be reached' },
  database_refused: {
    kind: 'database_unreachable',
    meaning: 'PostgreSQL does not let star64 in, has no such database, or does not give it the rights',
  },
  database_unset: {
    kind: 'database_unreachable',
    meaning:
      'no setting says which PostgreSQL to work on (2 of `serve` and `web`, which starting again does not mend)',
  },
  database_unfit: {
    kind: 'failure',
    meaning: 'the database has the tables of another version, or is behind a pooler that star64 cannot use',
  },
  asterisk_unreachable: { kind: 'asterisk_unreachable', meaning: 'Asterisk cannot be reached' },
  failure: { kind: 'failure', meaning: 'a failure that has no code of its own' },
  interrupted: { kind: 'interrupted', meaning: 'somebody has ended the command' },

  not_readable: { kind: 'failure', meaning: 'Asterisk could not read what was generated' },
  refused_by_asterisk: {
    kind: 'failure',
    meaning: 'Asterisk did not take the generated files; those before them are in force again',
  },
  other_version: {
    kind: 'conflict',
    meaning:
      'the Asterisk that is to read the files has another version than asterisk.version says, or an older one than they are for where it says nothing',
  },
  not_included: {
    kind: 'failure',
    meaning: "a file of Asterisk's own does not take the generated one in",
  },

  invalid_name: { kind: 'usage', meaning: 'a name or number does not follow the rule of its kind' },
  invalid_text: { kind: 'usage', meaning: 'a text is empty, too long, or has control characters' },
  invalid_choice: { kind: 'usage', meaning: 'a word is none of those that are possible' },
  invalid_number: { kind: 'usage', meaning: 'a number is outside its range' },
  invalid_time: { kind: 'usage', meaning: 'a time of day is none' },
  invalid_hours: { kind: 'usage', meaning: 'times, days of the week or dates of hours are none' },
  invalid_time_zone: { kind: 'usage', meaning: 'a time zone has no such IANA name' },
  invalid_destination: { kind: 'usage', meaning: 'a destination is not of the form <kind>:<name>' },
  overflow_to_itself: { kind: 'usage', meaning: 'a group cannot help itself out' },
  invalid_link: {
    kind: 'usage',
    meaning: 'a link is no http(s) URL, or has a placeholder that does not exist',
  },
  invalid_password: {
    kind: 'usage',
    meaning: 'a login password is too short, too long, or has control characters',
  },
  invalid_pin: { kind: 'usage', meaning: 'a PIN has not 4 to 10 digits, or is guessed too easily' },
  invalid_secret: {
    kind: 'usage',
    meaning:
      'the SIP secret of a phone has not 24 to 64 letters and digits, or that of a trunk no form that is sent',
  },
  invalid_address: { kind: 'usage', meaning: 'an address of a trunk is no host, host:port or [IPv6]:port' },
  invalid_rule: {
    kind: 'usage',
    meaning: 'a rule of a trunk group is not of the form <beginning> <what is done>',
  },
  secret_is_password: {
    kind: 'usage',
    meaning: "a SIP secret would be its owner's login password, or the other way round",
  },
  input_missing: { kind: 'usage', meaning: 'a secret was to come from stdin, and nothing came' },
  options_exclude: { kind: 'usage', meaning: 'two options were given of which only one can be' },
  nothing_to_change: { kind: 'usage', meaning: 'a change without anything to change' },
  phone_wanted: {
    kind: 'usage',
    meaning:
      'an agent signs in without saying at which phone, and no phone of theirs is the one that is meant',
  },
  required: { kind: 'usage', meaning: 'a field is missing that the thing cannot do without' },
  not_applicable: { kind: 'usage', meaning: 'a field was given that does not go with the others' },
  unknown_field: { kind: 'usage', meaning: 'the noun has no such field, or one that cannot be given' },
  too_many: { kind: 'usage', meaning: 'a list has more in it than it can' },
  twice: { kind: 'usage', meaning: 'the same thing is named twice in one list' },
  not_a_member: { kind: 'usage', meaning: 'a field is about a member, and the named thing is none' },

  unknown: {
    kind: 'not_found',
    meaning: 'nothing of this noun has that name in the team (or in the system)',
  },
  cursor_too_old: {
    kind: 'not_found',
    meaning: 'the events behind a cursor have been removed for their age (HTTP 410)',
  },
  unknown_callback: { kind: 'not_found', meaning: 'nobody is called back by that id' },
  unknown_call: { kind: 'not_found', meaning: 'no such call is recorded in the team' },
  unknown_popup: { kind: 'not_found', meaning: 'no popup of the team has that id' },
  call_over: { kind: 'conflict', meaning: 'a call is over, and must not be for this' },
  no_server: {
    kind: 'asterisk_unreachable',
    meaning: 'no server of the node has taken a command to a call in time, and none will',
  },
  call_command_refused: { kind: 'conflict', meaning: 'a command to a call could not be carried out' },
  invalid_request_id: {
    kind: 'usage',
    meaning: 'the id of a call that is to be started is not 1 to 100 visible characters without spaces',
  },
  request_taken: {
    kind: 'usage',
    meaning: 'the id of a call that is to be started was given before, with something else to be done',
  },
  not_dialled: {
    kind: 'usage',
    meaning:
      'what is to be called is no number as an agent dials it: digits, with + in front if it is outside',
  },
  no_application: {
    kind: 'conflict',
    meaning: "an agent's current group has no application, or there is no current group",
  },
  call_not_allowed: {
    kind: 'conflict',
    meaning:
      'an agent may not call a number, or it is none that their phone could dial; the fact reason says why',
  },
  phone_unreachable: { kind: 'conflict', meaning: 'a phone is not registered, and cannot ring' },
  phone_is_telephone: {
    kind: 'conflict',
    meaning: 'somebody is at a telephone outside, at which no call is started: it needs a SIP phone',
  },
  not_administrator: {
    kind: 'conflict',
    meaning: 'whose phone it is administers no group, or not the one whose call is to be heard',
  },
  nothing_to_hear: { kind: 'conflict', meaning: 'no call of a group goes on at a phone' },
  call_command_unknown: {
    kind: 'failure',
    meaning: 'the server that was carrying out a command to a call has not said what became of it',
  },
  webhook_disabled: { kind: 'conflict', meaning: 'a webhook is disabled, and is sent nothing' },
  webhook_limit: { kind: 'conflict', meaning: 'a team has as many webhooks as it can' },
  webhook_busy: {
    kind: 'conflict',
    meaning: 'what has happened is being sent to a webhook anew already, and once at a time is enough',
  },

  taken: { kind: 'conflict', meaning: 'the name, number or place belongs to something else already' },
  number_taken: {
    kind: 'conflict',
    meaning: 'a number that phones can dial means something else in the team already',
  },
  code_prefix: {
    kind: 'conflict',
    meaning: 'a number begins with a feature code, or a code is the beginning of a number',
  },
  emergency_number: {
    kind: 'conflict',
    meaning: 'a number that phones can dial is an emergency number of the team, or the beginning of one',
  },
  two_ways_out: {
    kind: 'conflict',
    meaning: 'calls would go out over a trunk and a trunk group at the same time',
  },
  trunk_address_taken: {
    kind: 'conflict',
    meaning: 'calls from an address of a trunk are those of another trunk already',
  },
  foreign_caller_id: { kind: 'conflict', meaning: 'a caller ID is no DID of the team' },
  trunk_not_loaded: { kind: 'not_found', meaning: 'Asterisk has no endpoint of a trunk' },
  trunk_not_working: {
    kind: 'failure',
    meaning: 'a trunk is not registered, not reachable, or carries no call',
  },
  manager_may_not: {
    kind: 'conflict',
    meaning: "the user of Asterisk's manager lacks a class that a command needs",
  },
  still_needed: { kind: 'conflict', meaning: 'something else refers to what is to be removed' },
  has_history: {
    kind: 'conflict',
    meaning: 'a team has recorded calls or sign-ins, which go only if that is said',
  },
  circle: { kind: 'conflict', meaning: 'a destination would lead calls in a circle' },
  removal_pending: {
    kind: 'conflict',
    meaning: 'a removed group keeps its name until its queue in Asterisk is empty',
  },
  signed_in: { kind: 'conflict', meaning: 'an agent is signed in, and must not be for this' },
  not_signed_in: { kind: 'conflict', meaning: 'an agent is not signed in, and must be for this' },
  in_call: { kind: 'conflict', meaning: 'an agent is in a call, or a phone rings' },
  fixed_agent: { kind: 'conflict', meaning: 'a fixed agent is always signed in, at one phone' },
  phone_taken: { kind: 'conflict', meaning: 'another agent is signed in at the phone' },
  settling: { kind: 'conflict', meaning: 'an agent has been signed in elsewhere a moment ago' },
  no_choice: { kind: 'conflict', meaning: 'no group of the agent leaves that choice to them' },
  foreign_asterisk: {
    kind: 'conflict',
    meaning: 'the Asterisk works for another installation of star64, or for another node of this one',
  },
  older_copy: {
    kind: 'conflict',
    meaning: 'the database is a copy of the one whose servers work with the Asterisk',
  },
  server_running: { kind: 'conflict', meaning: 'a server of the node runs, and must not for this' },
  version_changed: {
    kind: 'conflict',
    meaning: 'a thing has been changed since the version that a request names (HTTP 412)',
  },
  operators_own: {
    kind: 'conflict',
    meaning: 'a setting is the operator’s, and a team cannot change it by HTTP (403)',
  },
  not_of_the_team: {
    kind: 'conflict',
    meaning: 'a number, address or secret is taken outside the team, which is told no more of it',
  },
  key_in_use: {
    kind: 'conflict',
    meaning: 'the first request with the same Idempotency-Key is still running',
  },
  key_reused: {
    kind: 'usage',
    meaning: 'an Idempotency-Key was sent before with another request',
  },
  changed_meanwhile: { kind: 'conflict', meaning: 'another command was changing the same thing: try again' },
} as const satisfies Record<string, { kind: ErrorKind; meaning: string }>;

export type ErrorCode = keyof typeof codes;

/** The codes of a question to Asterisk's manager, which `pbx/ami` raises: public like the others. */
export const managerCodes = {
  rejected: {
    kind: 'failure',
    meaning: "Asterisk's manager understood and refused; the message has its words",
  },
  timeout: {
    kind: 'asterisk_unreachable',
    meaning: "Asterisk's manager did not answer in time; whether it has done what it was asked is not known",
  },
  down: {
    kind: 'asterisk_unreachable',
    meaning: "there is no connection to Asterisk's manager, or it went away before the answer",
  },
  syntax: {
    kind: 'usage',
    meaning: "what Asterisk's manager was to be asked cannot be written; nothing was sent",
  },
  protocol: {
    kind: 'failure',
    meaning: "a list of Asterisk's manager is incomplete, or has in it what is no part of it",
  },
} as const satisfies Record<string, { kind: ErrorKind; meaning: string }>;

/** `docs/errors.md`, whole. */
export function errorReference(): string {
  const rows = Object.entries({ ...codes, ...managerCodes }).map(
    ([code, { kind, meaning }]) => `| \`${code}\` | ${kind} | ${kinds[kind].exit} | ${meaning} |`,
  );
  return [
    '# Errors',
    '',
    'Every error that star64 raises on purpose has a `kind`, which decides the exit status of the command line, and a',
    '`code`, which is never renamed. It also names the noun and the thing that it is about, the facts, and the way out.',
    'This page is made from `domain/error-codes.ts`: run `STAR64_UPDATE_FIXTURES=1 npx tap dist/test/cli/reference.test.js`.',
    '',
    '| code | kind | exit status | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
