/**
 * The part of ding-dong 0.1.7 that `session.ts` works with; the package has no types of its own. Its Context has some
 * forty command methods, of which those are declared that a script uses. Each writes its arguments into one line and
 * returns what `this.sendCommand` makes of it. They escape nothing and quote some arguments only: `session.ts` says
 * which it has to quote before. ding-dong's constructor, parser and stream are not declared, and not used.
 */
declare module 'ding-dong/lib/context.js' {
  interface Sender {
    sendCommand(line: string): Promise<string>;
  }
  const Context: {
    prototype: {
      /** Quotes the value, not the name. */
      setVariable(this: Sender, name: string, value: string): Promise<string>;
      /** Quotes nothing. */
      getData(this: Sender, file: string, timeoutMs: number, maxDigits: number): Promise<string>;
      /** Quotes the message. */
      verbose(this: Sender, message: string, level: number): Promise<string>;
      noop(this: Sender): Promise<string>;
    };
  };
  export = Context;
}
