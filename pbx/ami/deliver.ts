/**
 * Calls every listener with the payload, like emit, except that one which throws, or returns a promise that is
 * rejected, neither keeps the next from being called nor ends the process: `failed` gets the error.
 */
export function deliver(
  listeners: readonly ((payload: never) => unknown)[],
  payload: unknown,
  failed: (error: unknown) => void,
): void {
  for (const listener of listeners) {
    try {
      const result = (listener as (payload: unknown) => unknown)(payload);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
