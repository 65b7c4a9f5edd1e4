import { checkTrunkSecret } from '../../password.js';
import { checkTrunkAddress } from '../../trunk-address.js';
import {
  choice,
  clearSecret,
  computed,
  describe,
  lines,
  name,
  reference,
  whole,
  yesNo,
} from '../fields/description.js';

/** How a trunk is sent the number of who is called. */
export const numberFormats = ['e164', 'plain', 'international', 'national'] as const;
export type NumberFormat = (typeof numberFormats)[number];

/** Below SIP: by which protocol. */
export const protocols = ['udp', 'tcp', 'tls'] as const;
/** Where a call that comes in says for which number it is. */
export const numberPlaces = ['request', 'to'] as const;
/** In which header the number of the caller is said, beside From. */
export const identityHeaders = ['none', 'pai', 'rpid'] as const;
export const dtmfModes = ['rfc4733', 'inband', 'info', 'auto', 'auto_info'] as const;

/** Fields that only a trunk has that star64 generates: of another they are in the operator's own file. */
export const generatedFields = [
  'addresses',
  'transport',
  'protocol',
  'register',
  'byAddress',
  'numberIn',
  'username',
  'secret',
  'fromUser',
  'fromDomain',
  'identityHeader',
  'privacy',
  'codecs',
  'dtmf',
  'qualifySeconds',
] as const;

/** A way to the public network, of one team or of every team (spec 6). */
export const trunk = describe({
  noun: 'trunk',
  table: 'trunks',
  inFiles: true,
  title: 'trunks: ways to the public network',
  verbs: {
    add: 'create a trunk, of this team alone unless it is for every team: with --address star64 generates it, with --endpoint it is one of your own pjsip.conf',
    list: 'list the trunks of the team, and those for every team',
    show: 'show a trunk',
    set: 'change a trunk',
    remove: 'remove a trunk over which nobody calls out any more',
  },
  key: 'name',
  owner: {
    option: 'every-team',
    help: 'a trunk of no team, for every team',
    place: 'for every team',
    listedInTeams: true,
  },
  order: 'o.team_id nulls last, o.name',
  listed: ['name', 'team', 'endpoint', 'country', 'trusted'],
  fields: {
    name: name('trunk', { help: 'for example provider' }),
    endpoint: name('endpoint', {
      placeholder: 'section',
      help: 'the endpoint that it has in your own pjsip.conf, instead of one that star64 generates; what was set for a generated one goes, its secret too',
      none: 'star64 generates it, as <team>-trunk-<name> or star64-trunk-<name>: needs --address',
      operator: true,
    }),
    generated: computed<boolean>('o.generated', { help: 'whether star64 generates its endpoint' }),
    addresses: lines(checkTrunkAddress, 'o.addresses', {
      option: 'address',
      placeholder: 'host[:port]',
      help: 'where the provider is: an IP address, [IPv6]:port, or a name, which Asterisk looks up whenever it reads the files; may be repeated, up to 8 of one provider; says all of them anew',
      listed: false,
    }),
    username: name('account', {
      placeholder: 'name',
      help: 'the account at the provider; needs --secret-stdin',
      none: 'no account, and no secret: the provider knows you by your address',
      listed: false,
    }),
    secret: clearSecret(
      checkTrunkSecret,
      { reveal: 'with the secret of its account' },
      { help: "read the account's secret from stdin", none: 'no secret; needs --no-username, too' },
    ),
    register: yesNo({
      help: 'whether Asterisk registers at the provider, so that calls come in wherever you are',
      unless: 'off',
      listed: false,
    }),
    byAddress: yesNo({
      help: 'whether calls that come from its addresses are its calls; off: only those that answer its registration',
      unless: 'on',
      listed: false,
    }),
    numberIn: choice(numberPlaces, {
      placeholder: 'where',
      help: 'where calls that come in say for which number they are: request, or to, where the provider puts the account into the request line',
      unless: 'request',
      listed: false,
    }),
    transport: name('transport', {
      placeholder: 'section',
      help: 'the transport of your own pjsip.conf over which it is reached',
      none: 'Asterisk chooses',
      operator: true,
      listed: false,
    }),
    protocol: choice(protocols, {
      help: 'udp, tcp or tls; its transport must be of that kind',
      unless: 'udp',
      listed: false,
    }),
    fromUser: name('fromUser', {
      placeholder: 'name',
      help: "what stands in From instead of the caller's number, where the provider wants the account there; the number then goes into --identity-header",
      none: "the caller's number",
      listed: false,
    }),
    fromDomain: name('domain', {
      placeholder: 'domain',
      help: 'the domain in From, and of the account that registers',
      none: "Asterisk's own address in From, the provider's where it registers",
      listed: false,
    }),
    identityHeader: choice(identityHeaders, {
      placeholder: 'header',
      help: "in which header the caller's number is said beside From: none, pai (P-Asserted-Identity) or rpid (Remote-Party-ID)",
      unless: 'none',
      listed: false,
    }),
    privacy: yesNo({
      help: 'whether the provider is told a number that the caller hides in --identity-header, with the wish to hide it (Privacy: id); off: it is told none',
      unless: 'on',
      listed: false,
    }),
    codecs: name('codecs', {
      placeholder: 'codecs',
      help: 'in their order, for example alaw,ulaw,g722',
      unless: 'alaw,ulaw',
      listed: false,
    }),
    dtmf: choice(dtmfModes, {
      placeholder: 'mode',
      help: 'how keys are sent: rfc4733, inband, info, auto or auto_info',
      unless: 'rfc4733',
      listed: false,
    }),
    qualifySeconds: whole(
      { from: 0, to: 3600 },
      {
        what: 'time between two questions whether it is there',
        option: 'qualify',
        placeholder: 'seconds',
        help: 'how often each address is asked whether it is there: one that is not is passed over by calls; 0: never',
        unless: '30',
        listed: false,
      },
    ),
    channels: whole(
      { from: 1, to: 10_000 },
      {
        placeholder: 'number',
        help: 'the most calls at a time that star64 sends over it; those that come in do not count',
        none: 'any number',
        listed: false,
      },
    ),
    numberFormat: choice(numberFormats, {
      placeholder: 'form',
      help: 'how it is sent numbers: e164 (+4930…), plain (4930…), international (004930…) or national (030… at home, 0039… abroad)',
      unless: 'e164',
      listed: false,
    }),
    nextOn: name('sipAnswers', {
      what: 'SIP answers for the next trunk',
      placeholder: 'answers',
      help: 'the SIP answers after which the next trunk of a group is tried, for example 403,488,5xx',
      none: 'those that are about the trunk and not about who is called: 401, 402, 403, 407, 408, 488, 5xx',
      listed: false,
    }),
    replySeconds: whole(
      { from: 1, to: 32 },
      {
        what: 'time for a reply',
        placeholder: 'seconds',
        help: 'how long it may say nothing to a call before the next trunk is tried',
        unless: '6',
        listed: false,
      },
    ),
    callerId: name('telephone', {
      what: 'caller ID',
      option: 'caller-id',
      placeholder: 'number',
      help: 'the number that is shown over it where extension, user group and team say none: a DID of the team',
      none: 'it shows none of its own',
      listed: false,
    }),
    country: name('country', {
      placeholder: 'code',
      help: 'whose national numbers it writes, for example DE: 030…, 004930… and +4930… are one number then',
      none: 'numbers are known with + or without, and no further',
    }),
    unknownTeam: reference(
      { to: 'team' },
      {
        placeholder: 'team',
        help: 'of a trunk for every team: the team whose --unknown-to takes the calls for numbers that no team has',
        none: 'no team takes them',
        operator: true,
        listed: false,
      },
    ),
    trusted: yesNo({
      column: 'trusted_caller_id',
      help: 'whether an agent may sign in by calling from their telephone: on only if the provider checks caller numbers; of a generated trunk its P-Asserted-Identity is then believed before From',
      unless: 'off',
    }),
  },
});
