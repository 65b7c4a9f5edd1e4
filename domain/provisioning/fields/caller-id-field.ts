import { name } from './description.js';

/** The number that who is called sees, of a team, a user group or an extension; `none`: who says it otherwise. */
export const callerId = <const D extends { readonly on?: 'set'; readonly listed?: false }>(
  none: string,
  details: D,
) =>
  name('telephone', {
    what: 'caller ID',
    option: 'caller-id',
    placeholder: 'number',
    help: 'the number that who is called sees: a DID of the team; of extension, user group, team and trunk the first that says one',
    none,
    ...details,
  });
