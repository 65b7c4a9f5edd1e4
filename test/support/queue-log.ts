/**
 * Ends of talks as app_queue has written them, to be held against those that are wanted. Of an agent who leaves a call that goes
 * on it writes ATTENDEDTRANSFER, but COMPLETEAGENT where their channel is gone before it has read of the hang-up, as on a
 * busy machine (`handle_hangup` of app_queue.c looks the channel up by its name): that is taken for the same.
 */
export const asWritten = (wanted: readonly string[], events: readonly string[]): string[] =>
  events.map((event, index) =>
    event === 'COMPLETEAGENT' && wanted[index] === 'ATTENDEDTRANSFER' ? 'ATTENDEDTRANSFER' : event,
  );
