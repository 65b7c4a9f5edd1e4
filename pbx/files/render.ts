import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { Star64Error } from '../../domain/errors.js';
import { quoted } from '../../domain/names.js';
import { packageRoot } from '../../domain/machine/package-root.js';
import type { Model } from './model.js';

/** The files of a generation, in the order in which they are written: the last line of the last one is the marker. */
export const fileNames = ['pjsip.conf', 'queues.conf', 'extensions.conf'] as const;
export type FileName = (typeof fileNames)[number];

export interface Generation {
  /** Names the content: the same model and templates have the same name. */
  name: string;
  files: Record<FileName, string>;
}

/**
 * Turns a checked model into text. Templates hold layout only; one of the operator's own in `templatesDirectory`
 * wins over ours. The result is the same for the same input: no clock, no host name.
 */
export async function render(model: Model, templatesDirectory?: string): Promise<Generation> {
  refuseSyntax(model, []);
  const templates = await Promise.all(fileNames.map((file) => template(`${file}.hbs`, templatesDirectory)));
  const hash = createHash('sha256').update(JSON.stringify(model));
  for (const text of templates) hash.update('\0').update(text);
  const generation = `g${hash.digest('hex').slice(0, 16)}`;
  const texts = templates.map((text) =>
    Handlebars.compile<unknown>(text, { noEscape: true, strict: true })({ ...model, generation }),
  );
  const files = Object.fromEntries(fileNames.map((file, index) => [file, lines(file, texts[index] ?? '')]));
  return { name: generation, files: files as Record<FileName, string> };
}

async function template(file: string, own: string | undefined): Promise<string> {
  if (own !== undefined) {
    try {
      return await readFile(join(own, file), 'utf8');
    } catch (error) {
      // A directory that replaces one file is the usual case: what it does not have is ours.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return readFile(new URL(`dialplan-templates/${file}`, packageRoot), 'utf8');
}

/**
 * The one place that knows what may stand in an Asterisk configuration file. Every value that we write comes from a
 * narrow alphabet, so anything that is syntax anywhere (`;` and `#` start comments and includes, `$` `{` `[` `\` `"`
 * are read by the dialplan, a line end starts a new statement) is refused rather than escaped.
 */
export function refuseSyntax(value: unknown, path: readonly string[]): void {
  if (typeof value === 'string') {
    if (!/^[A-Za-z0-9_.+:/@&,* -]*$/.test(value) || value.length > 500) {
      throw new Star64Error(
        'usage',
        `${path.join('.')} cannot be written to an Asterisk file: ${quoted(value.slice(0, 80))} holds something other than letters, digits, blanks and _.+:/@&,*- or is longer than 500.`,
      );
    }
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => refuseSyntax(item, [...path, String(index)]));
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) refuseSyntax(item, [...path, key]);
  }
}

/** Asterisk skips a line of 8190 bytes or more without a word, and with it what the line would have forbidden. */
function lines(file: string, text: string): string {
  const long = text.split('\n').findIndex((line) => Buffer.byteLength(line) > 8000);
  if (long >= 0)
    throw new Star64Error('failure', `Line ${long + 1} of ${file} is longer than Asterisk reads.`);
  return text.replace(/\n{3,}/g, '\n\n');
}
