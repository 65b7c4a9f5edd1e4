import { checkSecret } from '../../password.js';
import { extensionKinds } from '../../presence/phone.js';
import { recordRules } from '../fields/record.js';
import { callerId } from '../fields/caller-id-field.js';
import { limitFields } from '../fields/limits.js';
import {
  choice,
  clearSecret,
  computed,
  describe,
  name,
  reference,
  text,
  yesNo,
} from '../fields/description.js';

/** A SIP device that registers, or a telephone outside under a short number. */
export const extension = describe({
  noun: 'extension',
  table: 'extensions',
  inFiles: true,
  title: 'extensions: SIP devices and telephone numbers',
  verbs: {
    add: 'create an extension; prints the SIP secret that the device needs',
    list: 'list the extensions of the team',
    show: 'show an extension',
    set: 'change an extension',
    remove: 'remove an extension that nothing needs any more; the record of who worked at it stays',
  },
  key: 'number',
  owner: 'team',
  outlived: true,
  order: 'length(o.number), o.number',
  fields: {
    number: name('extension', { help: 'what is dialled to reach it, for example 5000' }),
    user: reference(
      // Locked: a secret and a password set at the same moment must still see each other.
      { to: 'user', lock: 'for no key update' },
      { placeholder: 'username', help: 'whose it is', required: true },
    ),
    kind: choice(
      extensionKinds,
      {
        what: 'kind of extension',
        help: 'sip, a device that registers, or external, a telephone number (phone, as it was called before, means the same)',
        unless: 'sip',
      },
      { phone: 'external' },
    ),
    telephone: name('telephone', {
      column: 'telephone_number',
      placeholder: 'number',
      help: 'what is dialled for kind external',
      maybe: true,
    }),
    endpoint: name('endpoint', {
      placeholder: 'section',
      help: 'a phone that you have in your own pjsip.conf already, for kind sip: nothing is generated for it',
      none: 'the endpoint <team>-<number> is generated for it, with a SIP secret of its own',
      operator: true,
      listed: false,
    }),
    guarded: computed<boolean | null>('o.endpoint_guarded', {
      help: 'whether an endpoint of your own had its line set_var=GROUP(star64)=PJSIP/<section> at the last sign-in; empty: not seen yet',
      listed: false,
    }),
    agentMode: yesNo({
      help: 'whether calls that it makes to the outside, and those that ring it without a queue, get a popup; calls of a queue do in any case',
      unless: 'off',
      listed: false,
    }),
    callerId: callerId('as user group and team say', { listed: false }),
    record: choice(recordRules, {
      what: 'recording',
      placeholder: 'rule',
      help: 'whether calls from outside that it answers, and that no queue gave it, and those that it makes to the outside are recorded: never or always',
      none: 'as the team says',
      listed: false,
    }),
    location: text('2nd floor, room 14', {
      what: 'location',
      help: 'where the phone is, for whoever reads in the log or in the record of an emergency call from it',
      none: 'nobody is told where it is',
      listed: false,
    }),
    ...limitFields('from it', { callsAtOnce: 5, callsPerHour: 120, callsPerDay: 600, minutesPerDay: 600 }),
    secret: clearSecret(
      (_extension, secret) => checkSecret(secret),
      { reveal: 'with its SIP secret', renew: 'generate another SIP secret and print it' },
      { what: 'SIP secret', help: 'read a SIP secret of your own from stdin', unless: 'a generated one' },
    ),
  },
});
