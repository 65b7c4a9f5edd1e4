import { destination, reference } from './description.js';

/**
 * The fields of what is only reached while hours are open: a DID, a group, a ring group. Its table has `hours_id`. It is
 * part of a description: the same two fields everywhere.
 */
export const closedOutside = {
  hours: reference(
    { to: 'hours', freedBy: '--no-hours' },
    {
      placeholder: 'name',
      help: 'when calls are taken; at other times they go where --closed says',
      none: 'calls are taken at any time',
      listed: false,
    },
  ),
  closed: destination({
    help: 'where calls go while its hours are closed; without it they end',
    none: 'calls end while its hours are closed',
    listed: false,
  }),
};
