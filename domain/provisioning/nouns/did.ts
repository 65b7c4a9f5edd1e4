import { choice, describe, name, reference } from '../description.js';
import { features } from './feature-code.js';

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
    number: name('did', { help: 'as the trunk sends it, for example +4930600100' }),
    group: reference(
      { to: 'group', freedBy: '--group <other>' },
      { placeholder: 'name', help: 'calls go to the queue of this group', maybe: true },
    ),
    extension: reference(
      { to: 'extension' },
      { placeholder: 'number', help: 'calls go to this extension', maybe: true },
    ),
    feature: choice(features, {
      placeholder: 'feature',
      help: `for agents who call from their telephones: ${features.join(', ')}`,
      maybe: true,
    }),
  },
});
