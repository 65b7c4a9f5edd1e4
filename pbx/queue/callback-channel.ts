/** The channel that stands in a queue for somebody who is to be called back, as its uniqueid names it. */
export interface CallbackChannel {
  /** Of the callback. */
  id: number;
  /** How often somebody was put into the queue for it, this time included. */
  put: number;
}

/**
 * The uniqueid of such a channel. Asterisk takes no second channel of the same one, so that two servers that both put
 * somebody there put one.
 */
export const callbackUniqueid = ({ id, put }: CallbackChannel): string => `star64-callback-${id}-${put}`;

/** Reads it; undefined for every other channel. */
export function callbackChannel(uniqueid: string): CallbackChannel | undefined {
  const [, id, put] = /^star64-callback-([1-9][0-9]{0,14})-([1-9][0-9]{0,8})$/.exec(uniqueid) ?? [];
  return id === undefined || put === undefined ? undefined : { id: Number(id), put: Number(put) };
}

/**
 * Where in astdb the dialplan (star64-callback-reached and -end) leaves what came of a call: `<result>|<epoch>|<uniqueid>`, by
 * the callback and the put.
 */
export const callbackFamily = 'star64-callback';

/** The key of a put there. */
export const callbackKey = ({ id, put }: CallbackChannel): string => `${id}-${put}`;
