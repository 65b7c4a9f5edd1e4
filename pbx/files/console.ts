import { Star64Error } from '../../domain/errors.js';
import { LabProcess } from '../../domain/machine/processes.js';

/** Answers console commands of the Asterisk on this machine with their text. */
export type Console = (command: string) => Promise<string>;

/** The longest that a reload of a large site takes. */
const longestMs = 120_000;

/**
 * The console as a program of Asterisk's own opens it: these words, then -rx and a command. Its exit status says nothing
 * of the command, so its text is what counts. Throws `asterisk_unreachable` when nobody answers.
 */
export function consoleOf(words: readonly string[], deadlineMs = longestMs): Console {
  const [program = 'asterisk', ...before] = words;
  return async (command) => {
    const child = await LabProcess.launch(program, [...before, '-rx', command]).catch((error: unknown) => {
      throw away(words, (error as Error).message, error);
    });
    const timer = setTimeout(() => void child.kill(), deadlineMs);
    const { status, signal } = await child.exited;
    clearTimeout(timer);
    const { stdout: text, stderr } = child.output();
    if (signal !== null) throw away(words, `no answer to "${command}" within ${deadlineMs / 1000} s`);
    if (status !== 0) throw away(words, (stderr || text).trim().split('\n').slice(-3).join('\n'));
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
