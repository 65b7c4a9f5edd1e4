/**
 * Resolves once what has arrived by now has been read. After a process has stood still, a timer that is due comes before what
 * is in its sockets: whoever gives something up for being late waits so long more, for an answer that is there already.
 */
export const nextTurn = (): Promise<undefined> =>
  new Promise((resolve) => setImmediate(() => resolve(undefined)));
