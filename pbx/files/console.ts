import { Star64Error } from '../../domain/errors.js';
import { run } from '../../domain/machine/processes.js';

/** Answers console commands of the Asterisk on this machine with their text. */
export type Console = (command: string) => Promise<string>;

/**
 * The console as a program of Asterisk's own opens it: these words, then -rx and a command. Its exit status says nothing
 * of the command, so its text is what counts. Throws `asterisk_unreachable` when nobody answers.
 */
export function consoleOf(words: readonly string[]): Console {
  const [program = 'asterisk', ...before] = words;
  return async (command) => {
    let text: string;
    try {
      text = (await run(program, [...before, '-rx', command])).stdout;
    } catch (error) {
      throw away(words, (error as Error).message, error);
    }
    if (/^Unable to connect to remote asterisk/m.test(text)) throw away(words, text.trim());
    // eslint-disable-next-line no-control-regex -- colours, where the operator's asterisk.conf has them
    return text.replace(/\u001b\[[0-9;]*m/g, '');
  };
}

const away = (words: readonly string[], reason: string, cause?: unknown): Star64Error =>
  new Star64Error(
    'asterisk_unreachable',
    `Asterisk's console does not answer (${words.join(' ')} -rx …): ${reason}\nIs Asterisk running, and may you use its console, as root or its own user may? Say with asterisk.console (STAR64_ASTERISK_CONSOLE) how to open it, for example "sudo asterisk", or "asterisk -C /opt/asterisk/etc/asterisk.conf".`,
    { cause },
  );
