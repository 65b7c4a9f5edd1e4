import { closedOutside } from '../fields/closed-outside.js';
import { describe, destination, name } from '../fields/description.js';

/** A number of the public network, and the one place where its calls go. */
export const did = describe({
  noun: 'did',
  table: 'dids',
  inFiles: true,
  title: 'DIDs: numbers of the public network, and where their calls go',
  verbs: {
    add: 'create a DID',
    list: 'list the DIDs of the team',
    show: 'show a DID',
    set: 'send the calls of a DID somewhere else',
    remove: 'remove a DID',
  },
  key: 'number',
  owner: 'team',
  order: 'o.number',
  fields: {
    number: name('did', {
      help: "as the trunk sends it: +4930600100, a range +4930600100..+4930600199, or '+49306002*' for all that begin so",
    }),
    to: destination(
      { help: 'where its calls go, for example group:support', required: true },
      { also: ['group', 'extension', 'feature'] },
    ),
    ...closedOutside,
  },
});
