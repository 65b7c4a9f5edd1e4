import { fstatSync } from 'node:fs';
import { destination, pino, stdSerializers, type Logger } from 'pino';
import { printable } from './printable.js';
import type { Settings } from './settings.js';

/** The log of `star64 serve`, on stderr: lines for people, or JSON for programs. */
export function createLog(
  { logLevel: level, logFormat }: Pick<Settings, 'logLevel' | 'logFormat'>,
  env: NodeJS.ProcessEnv,
  // Each line at once: the last words of a process that ends are the ones that are needed.
  stream: { write: (text: string) => unknown } = destination(2),
): Logger {
  const serializers = { err: errorOf, error: errorOf };
  if (logFormat === 'json') return pino({ level, serializers }, stream);
  const journal = isJournal(env);
  return pino(
    { level, base: null, serializers },
    { write: (line: string) => void stream.write(textLine(JSON.parse(line) as Entry, journal)) },
  );
}

/** What PostgreSQL adds to an error: whole rows and values, which may be secrets ("Failing row contains (…)"). */
const telling = ['detail', 'where', 'internalQuery', 'hint'];

/** An error without what it must not tell, as are those in it; anything else as it is. */
function errorOf(value: unknown): unknown {
  return value instanceof Error ? without(stdSerializers.err(value)) : value;
}

const without = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(without)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value).flatMap(([key, one]) => (telling.includes(key) ? [] : [[key, without(one)]])),
        )
      : value;

/** An entry of pino. */
type Entry = Record<string, unknown> & { level: number; time: number; msg?: string };

/** Priorities of syslog, which the journal takes from the beginning of a line. */
const levels: readonly (readonly [atLeast: number, word: string, priority: number])[] = [
  [60, 'FATAL', 2],
  [50, 'ERROR', 3],
  [40, 'WARN', 4],
  [30, 'info', 6],
  [0, 'debug', 7],
];

/** A line for people: time, level, sentence, and what it is about. The journal has time and level of its own. */
export function textLine({ level, time, msg = '', ...about }: Entry, journal: boolean): string {
  const [, word, priority] = levels.find(([atLeast]) => level >= atLeast) ?? [0, 'info', 6];
  const head = journal ? `<${priority}>` : `${clock(time)} ${word.padEnd(5)} `;
  const facts = Object.entries(about).map(([key, value]) => `${key}=${shown(value)}`);
  return `${head}${[printable(msg), ...facts].join('  ')}\n`;
}

/** In the zone of the machine, as other logs have it. */
function clock(ms: number): string {
  const at = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const milliseconds = String(at.getMilliseconds()).padStart(3, '0');
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds}`;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'stack' in value) {
    // An error that nobody expected: its stack, in one line.
    return printable(String(value.stack).replace(/\n\s*/g, ' | '));
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"]+$/.test(text) ? printable(text) : JSON.stringify(printable(text));
}

/** Whether stderr goes to the journal of systemd, by what systemd says of it (systemd.exec(5), JOURNAL_STREAM). */
function isJournal({ JOURNAL_STREAM: stream }: NodeJS.ProcessEnv): boolean {
  if (!stream) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
