import { usage } from '../../domain/errors.js';

/** Asterisk skips a line of 8190 bytes or more without a word, and with it what the line would have forbidden. */
const longestLine = 8000;

/** What a line of any of Asterisk's files may be: nothing, a comment, a section, an include, a value. */
const anyLine = /^\s*(?:;.*|\[[^\]]+\].*|#(?:try)?include .+|[^=\s][^=]*=.*)?$/;
const named = String.raw`(?:\([A-Za-z0-9_-]+\))?`;
/** What leads somewhere: number and priority, or the next one, and what is done there. */
const step = new RegExp(
  String.raw`^\s*(?:exten\s*=>?\s*[^\s,]+\s*,\s*(?:hint|(?:[0-9]+|n)${named})|same\s*=>?\s*n${named})\s*,\s*(\S.*)$`,
);

/**
 * Checks what Asterisk would pass over with a warning at best, and for which it would go on without the line or without
 * the rest of the file: ours are right, one of an operator's own templates may not be. Throws `usage` with file and line.
 */
export function checkLines(path: string, text: string): void {
  const dialplan = path.startsWith('teams/');
  let section = '';
  let number = 0;
  // Not split: of a file of half a million lines they would all be held at once.
  for (let start = 0; start <= text.length;) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? undefined : end);
    start = end < 0 ? text.length + 1 : end + 1;
    number++;
    const wrong = mistakeIn(line, dialplan);
    if (wrong !== undefined) {
      throw usage(
        `Line ${number} of ${path}${section === '' ? '' : `, in [${section}],`} ${wrong}: ${line.slice(0, 200)}\nNothing has been changed. The line comes from a template: mend it there.`,
      );
    }
    section = /^\[([^\]]+)\]/.exec(line)?.[1] ?? section;
  }
}

function mistakeIn(line: string, dialplan: boolean): string | undefined {
  if (line.length > longestLine / 4 && Buffer.byteLength(line) > longestLine)
    return 'is longer than Asterisk reads';
  if (!anyLine.test(line)) {
    return line.trimStart().startsWith('[')
      ? 'opens a section that is not closed'
      : 'is neither a section nor a value';
  }
  if (!dialplan || !/^\s*(?:exten|same)\b/.test(line)) return undefined;
  const done = step.exec(line)?.[1];
  if (done === undefined) return 'has no number, priority and application';
  if (/^\w+\(/.test(done) && !/\)\s*(?:;.*)?$/.test(done))
    return 'has an application whose bracket is not closed';
  return undefined;
}
