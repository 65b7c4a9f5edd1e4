import { numberClasses } from '../../number-classes.js';
import { callerId } from '../fields/caller-id-field.js';
import {
  choice,
  computed,
  describe,
  destination,
  name,
  reference,
  text,
  timeZone,
  whole,
  words,
  yesNo,
} from '../fields/description.js';
import { recordRules } from '../fields/record.js';
import { limitFields } from '../fields/limits.js';

/** A system of its own; everything else belongs to exactly one. */
export const team = describe({
  noun: 'team',
  table: 'teams',
  inFiles: true,
  title: 'teams: each is a system of its own',
  verbs: {
    add: 'create a team',
    list: 'list the teams',
    show: 'show a team',
    set: 'change a team',
    remove:
      'remove a team that owns nothing any more; --discard-calls takes the record of its calls and sign-ins along, and leaves the files of its recordings',
  },
  key: 'identity',
  owner: 'none',
  order: 'o.identity',
  listed: ['identity', 'name', 'administrator', 'timeZone', 'phonePin', 'language'],
  fields: {
    // Never changes: every device and trunk outside knows it.
    identity: name('team', {
      help: 'first word of all its names in Asterisk, for example astercc; never changes',
    }),
    name: text('Support', {
      what: 'team name',
      help: 'what people call it',
      defaultsToKey: true,
      unless: 'its identity',
    }),
    administrator: computed<string | null>(
      `(select u.username from users u where u.team_id = o.id and u.administrator and u.removed_at is null)`,
      { help: 'user name of its single administrator' },
    ),
    timeZone: timeZone({
      what: 'time zone',
      placeholder: 'name',
      help: 'where its hours are meant, for example Europe/Berlin',
      unless: 'UTC',
    }),
    phonePin: yesNo({ help: 'whether *64 asks for the PIN of the agent', unless: 'off' }),
    language: name('language', {
      placeholder: 'name',
      help: 'in which its phones hear prompts, for example fr or pt_BR',
      none: "hear them in Asterisk's default language",
    }),
    rtpTimeout: whole(
      { from: 0, to: 86_400 },
      {
        what: 'RTP timeout',
        placeholder: 'seconds',
        help: 'ends a call of a phone that sends no voice for so long: it has no power any more; 0: never',
        unless: '60',
        listed: false,
      },
    ),
    rtpTimeoutHold: whole(
      { from: 0, to: 86_400 },
      {
        what: 'RTP timeout on hold',
        placeholder: 'seconds',
        help: 'the same while a phone holds the call, in which most send none: the longest hold; 0: never',
        unless: '600',
        listed: false,
      },
    ),
    record: choice(recordRules, {
      what: 'recording',
      placeholder: 'rule',
      help: 'whether calls that an extension answers from outside or makes to the outside are recorded, unless the extension says otherwise: never or always; a group says it of its queue',
      unless: 'never',
      listed: false,
    }),
    announceSupervision: yesNo({
      help: 'whether an agent hears a tone as an administrator of the group begins to listen (*71 to *73); the caller never does',
      unless: 'off',
      listed: false,
    }),
    keepRecordings: whole(
      { from: 0, to: 3650 },
      {
        what: 'days that recordings are kept',
        column: 'keep_recordings_days',
        placeholder: 'days',
        help: 'days after which a recording is deleted; 0: never',
        unless: '90',
        listed: false,
      },
    ),
    unknownTo: destination({
      help: 'where calls go whose number no team has, over its own trunks and those that say so; without it they are refused',
      none: 'they are refused',
      listed: false,
      on: 'set',
    }),
    transferFallback: destination({
      help: 'where a caller goes whom nobody takes after an agent has sent them on and left, if they came from no queue',
      none: 'the queue of the group in which that agent works',
      listed: false,
      on: 'set',
    }),
    country: name('country', {
      placeholder: 'code',
      help: 'in which its phones dial, for example DE: by it numbers are read, and have their class',
      none: 'that of its trunks',
      listed: false,
    }),
    area: name('area', {
      placeholder: 'code',
      help: 'the area code that is put before a number without one, without the 0 before it: 30',
      none: 'numbers are dialled with their area code',
      listed: false,
    }),
    outsidePrefix: name(
      'outsidePrefix',
      {
        placeholder: 'digits',
        help: 'what its phones dial before a number outside, for example 0; or none, where nothing is',
        none: 'its phones call nobody outside but emergency numbers',
        listed: false,
      },
      { empty: 'none' },
    ),
    callerId: callerId('the trunk says one', { listed: false, on: 'set' }),
    mayCall: words(numberClasses, {
      what: 'class of numbers',
      placeholder: 'classes',
      help: 'what its phones may call outside, where no user group says otherwise: national,mobile,international,premium, or none',
      unless: 'national,mobile',
      listed: false,
    }),
    node: name('node', {
      placeholder: 'name',
      help: 'the Asterisk on which it lives, as asterisk.node of its servers says; `star64 apply` at both after a change',
      operator: true,
      unless: 'default',
      listed: false,
    }),
    emergency: name('emergency', {
      what: 'emergency numbers',
      placeholder: 'numbers',
      help: 'with commas between: its phones reach them at any time, over every trunk that it can use, with the outside prefix or without; with --country those of the country, unless others are said',
      none: 'its phones know no emergency numbers',
      unless: '112,911',
      listed: false,
    }),
    hours: reference(
      { to: 'hours', freedBy: '--no-hours' },
      {
        placeholder: 'name',
        help: 'the hours that *61 without a number switches',
        none: '*61 asks for a number',
        on: 'set',
        listed: false,
      },
    ),
    trunk: reference(
      { to: 'trunk', orSystem: true, freedBy: '--no-trunk' },
      {
        placeholder: 'name',
        help: 'the default trunk for calls to the outside: its own, or one for every team; instead of a trunk group',
        none: 'no trunk of its own: a trunk group, or no calls to the outside',
        on: 'set',
      },
    ),
    trunkGroup: reference(
      { to: 'trunk-group', orSystem: true, freedBy: '--no-trunk-group' },
      {
        placeholder: 'name',
        help: 'the default trunk group for calls to the outside: its own, or one for every team; instead of a trunk',
        none: 'no trunk group: a trunk, or no calls to the outside',
        on: 'set',
        listed: false,
      },
    ),
    ...limitFields(
      'of its phones together',
      { callsAtOnce: 100, callsPerHour: 2000, callsPerDay: 10_000 },
      { operator: true },
    ),
    nightShare: whole(
      { from: 0, to: 100 },
      {
        what: 'share at night',
        placeholder: 'percent',
        help: 'how much of every limit of the team, its user groups and extensions may be used at night; 0: no calls to the outside then',
        none: 'all of it',
        operator: true,
        listed: false,
      },
    ),
    night: name('night', {
      placeholder: 'times',
      help: 'when it is night for --night-share, for example 20:00-06:00',
      none: 'at no time of day',
      operator: true,
      listed: false,
    }),
    nightHours: reference(
      { to: 'hours', freedBy: '--no-night-hours' },
      {
        placeholder: 'name',
        help: 'it is also night for --night-share while these hours are closed',
        none: 'it is night by the time of day only',
        operator: true,
        on: 'set',
        listed: false,
      },
    ),
  },
});
