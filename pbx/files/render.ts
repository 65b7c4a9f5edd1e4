import { Star64Error } from '../../domain/errors.js';
import { quoted } from '../../domain/names.js';
import type { SiteModel, TeamModel } from './model.js';
import type { Templates } from './templates.js';

/** A file below the directory of a generation. */
export interface GeneratedFile {
  path: string;
  text: string;
}

/** Asterisk skips a line of 8190 bytes or more without a word, and with it what the line would have forbidden. */
const longestLine = 8000;

/** The files of one team; the same for the same model: no clock, no host name. */
export function renderTeam({ team }: Templates, model: TeamModel): GeneratedFile[] {
  refuseSyntax(model);
  return team.map(({ folder, parts }) => {
    const text = parts.map((fill) => fill(model)).join('\n');
    return checked(`${folder}/${model.identity}.conf`, text);
  });
}

/** The files that all teams share. `generation` names the content of all files, these included. */
export function renderSite(
  { site, stable }: Templates,
  model: SiteModel,
  generation: string,
): GeneratedFile[] {
  refuseSyntax(model);
  const values = { ...model, generation, files: `${model.directory}/generations/${generation}` };
  return [
    ...stable.map(({ file, text }) => checked(file, text)),
    ...site.map(({ file, fill }) => checked(file, fill(values))),
  ];
}

/**
 * The one place that knows what may stand in an Asterisk configuration file. Every value that we write comes from a
 * narrow alphabet, so anything that is syntax anywhere (`;` and `#` start comments and includes, `$` `{` `[` `\` `"`
 * are read by the dialplan, a line end starts a new statement) is refused rather than escaped.
 */
export function refuseSyntax(model: object): void {
  const path = syntaxIn(model);
  if (path === undefined) return;
  const value = path.reduce<unknown>((at, key) => Reflect.get(at as object, key), model) as string;
  throw new Star64Error(
    'usage',
    `${path.join('.')} cannot be written to an Asterisk file: ${quoted(value.slice(0, 80))} holds something other than letters, digits, blanks and _.+:/@&,*- or is longer than 500.`,
  );
}

/** Where the first text is that cannot be written; undefined when there is none. */
function syntaxIn(value: unknown): string[] | undefined {
  if (typeof value === 'string')
    return value.length <= 500 && /^[A-Za-z0-9_.+:/@&,* -]*$/.test(value) ? undefined : [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const key of Object.keys(value)) {
    const inner = syntaxIn((value as Record<string, unknown>)[key]);
    if (inner) return [key, ...inner];
  }
  return undefined;
}

function checked(path: string, text: string): GeneratedFile {
  const long = text
    .split('\n')
    .findIndex((line) => line.length > longestLine / 4 && Buffer.byteLength(line) > longestLine);
  if (long >= 0)
    throw new Star64Error('failure', `Line ${long + 1} of ${path} is longer than Asterisk reads.`);
  return { path, text: text.replace(/\n{3,}/g, '\n\n') };
}
