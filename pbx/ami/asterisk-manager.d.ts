/**
 * The part of asterisk-manager 0.2.0 that `wire.ts` works with; the package has no types of its own. What is not
 * declared here (`keepConnected`, `disconnect`, the events named after what Asterisk sent) is deliberately out of reach.
 */
declare module 'asterisk-manager' {
  import type { NetConnectOpts } from 'node:net';

  namespace createClient {
    type Callback = (error?: unknown, response?: unknown) => void;

    interface Client {
      on(event: string, listener: (...args: unknown[]) => void): unknown;
      emit(event: string, ...args: unknown[]): boolean;
      removeAllListeners(event: string): unknown;
      /**
       * The first argument goes to `net.createConnection` as it is, so that net's own options can be given instead of
       * a port: `signal` is the only way to destroy the socket.
       */
      connect(options: NetConnectOpts, host: undefined, connected: () => void): void;
      /** Sends a login through `this.action`; only its success lets later actions through. */
      login(callback: Callback): void;
      /**
       * Writes headers sorted, `ActionID` first taken out of the object (as `actionid`, lower case only), and calls
       * back once when that id is emitted.
       */
      action: (headers: Record<string, string>, callback: Callback) => string;
    }
  }

  /** Without a port it does not connect by itself. */
  function createClient(): createClient.Client;
  export = createClient;
}
