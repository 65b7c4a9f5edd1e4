/** ding-dong 0.1.7 as its README uses it. */
declare module 'ding-dong' {
  import type { Server } from 'node:net';

  interface Context {
    onEvent(event: string): Promise<unknown>;
    setVariable(name: string, value: string): Promise<unknown>;
    end(): Promise<void>;
  }
  class AgiServer {
    constructor(handler: (context: Context) => void);
    start(port: number, host: string): Server;
  }
  export = AgiServer;
}
