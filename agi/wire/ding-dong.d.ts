/**
 * The part of ding-dong 0.1.7 that `session.ts` builds on. The package has no types of its own. What is not
 * declared here (its parser, its command builders) is deliberately out of reach: the session replaces it.
 */
declare module 'ding-dong/lib/context.js' {
  import { EventEmitter } from 'node:events';

  class Context extends EventEmitter {
    /** `stream` is wrapped in a readable-stream 2 at once; options.logger replaces console.log. */
    constructor(stream: object, options: { logger: (arrow: string, data: unknown) => void });
    /** The wrapper; every inherited method that writes does it through here. */
    stream: object;
    /** Writes a raw line and waits for whatever comes next. */
    send(line: string, callback: (error: Error | null, reply?: unknown) => void): void;
    /** The same as a promise; all inherited commands end here, unquoted. */
    sendCommand(line: string): Promise<unknown>;
    dial(target: string, timeout?: number, params?: string): Promise<unknown>;
    /** Adds a listener for ever. */
    onEvent(event: string): Promise<unknown>;
    end(): Promise<void>;
  }
  export = Context;
}
