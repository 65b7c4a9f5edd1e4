import { callConditions } from '../fields/call-conditions.js';
import { choice, describe, link, name, reference } from '../fields/description.js';
import { applications } from './group.js';

/** Which application is told of a call, and what it opens; decided when the call arrives, and kept with it. */
export const binding = describe({
  noun: 'binding',
  table: 'bindings',
  title: 'bindings: which application a call belongs to, and the link that it opens',
  verbs: {
    add: 'create a binding; without conditions it is the default of the team',
    list: 'list the bindings of the team, in the order in which they are asked',
    show: 'show a binding',
    set: 'change a binding',
    remove: 'remove a binding; calls that have it keep it',
  },
  key: 'name',
  owner: 'team',
  order: 'o.priority desc, o.name',
  fields: {
    name: name('binding', { help: 'for example spring_sale' }),
    application: choice(applications, {
      placeholder: 'application',
      help: 'campaign, customer_service, virtual_office or third_party',
      required: true,
    }),
    link: link({
      what: 'link',
      placeholder: 'template',
      help: 'what it opens: https://…?number={caller}; {team} {group} {agent} {extension} {caller} {did} {number} {call} {direction}',
      none: 'no link',
      listed: false,
    }),
    ...callConditions('bindings'),
    group: reference(
      { to: 'group', freedBy: '--no-group' },
      { placeholder: 'name', help: 'only calls that go to this agent group first', none: 'to any group' },
    ),
  },
});
