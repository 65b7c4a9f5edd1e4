import { callConditions } from '../fields/call-conditions.js';
import { describe, destination, name, whole } from '../fields/description.js';

/** Where calls for the DIDs of a team go on some conditions, instead of where the DID leads. */
export const didRule = describe({
  noun: 'did-rule',
  table: 'did_rules',
  inFiles: true,
  title: 'DID rules: where calls go that meet some conditions, instead of where their DID leads',
  verbs: {
    add: 'create a rule; without conditions it is for every call to a DID of the team',
    list: 'list the rules of the team, in the order in which they are asked',
    show: 'show a rule',
    set: 'change a rule',
    remove: 'remove a rule',
  },
  key: 'name',
  owner: 'team',
  order: 'o.priority desc, o.name',
  fields: {
    name: name('did-rule', { help: 'for example mobiles' }),
    to: destination({ help: 'where these calls go, for example group:support', required: true }),
    queuePriority: whole(
      { from: 0, to: 1000 },
      {
        what: 'priority in queues',
        placeholder: 'number',
        help: 'these callers go ahead of those with a smaller one, also of those who have waited for longer',
        unless: '0',
      },
    ),
    ...callConditions('rules'),
  },
});
