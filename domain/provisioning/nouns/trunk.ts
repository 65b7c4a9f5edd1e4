import { describe, name, reference, yesNo } from '../description.js';

/** A way to the public network, of one team or of every team (spec 6). */
export const trunk = describe({
  noun: 'trunk',
  table: 'trunks',
  inFiles: true,
  title: 'trunks: ways to the public network',
  verbs: {
    add: 'create a trunk, of this team alone unless it is for every team',
    list: 'list the trunks of the team, and those for every team',
    show: 'show a trunk',
    set: 'change a trunk',
    remove: "remove a trunk that is no team's default",
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
      help: 'the endpoint that it has in your own pjsip.conf',
      required: true,
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
        listed: false,
      },
    ),
    trusted: yesNo({
      column: 'trusted_caller_id',
      help: 'whether an agent may sign in by calling from their telephone: on only if the provider checks caller numbers',
      unless: 'off',
    }),
  },
});
