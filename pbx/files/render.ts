import { Star64Error } from '../../domain/errors.js';
import { quoted } from '../../domain/names.js';
import { checkLines } from './lines.js';
import type { TeamModel } from './model/model.js';
import type { BucketModel, SiteModel } from './model/site-model.js';
import type { Templates } from './templates.js';

/** A file below the directory of a generation. */
export interface GeneratedFile {
  path: string;
  text: string;
}

/** The files of one team; the same for the same model: no clock, no host name. */
export function renderTeam({ team }: Templates, model: TeamModel): GeneratedFile[] {
  refuseSyntax(model);
  return team.map(({ folder, parts }) => {
    const text = parts.map((fill) => fill(model)).join('\n');
    return checked(`${folder}/${model.identity}.conf`, text);
  });
}

/** The file of the generated trunks for every team, where there are any. */
export function renderTrunks({ trunks }: Templates, model: SiteModel): GeneratedFile[] {
  if (model.trunks.length === 0) return [];
  refuseSyntax(model);
  return [checked('phones/star64.conf', trunks(model))];
}

/** What is read back from a running Asterisk to know which files it has read to their end. */
export interface Marks {
  /** Names the content of all files: an extension of the context star64-generation. */
  generation: string;
  /** Name the content of the queues and of the phones: a queue without members, and an AOR without contacts. */
  queues: string;
  phones: string;
  /** Names that of the keys within a call: a group of keys that nobody has. */
  features: string;
}

/** Stands where the content that a mark names is not known yet. */
export const noMarks: Marks = {
  generation: 'none',
  queues: 'none',
  phones: 'none',
  features: 'none',
};

/** The files that all teams share and that no mark is in. */
export function renderShared(
  { stable, settings, inbound }: Templates,
  model: SiteModel,
  buckets: Iterable<BucketModel>,
): GeneratedFile[] {
  refuseSyntax(model);
  const names: string[] = [];
  let dids = '';
  for (const bucket of buckets) {
    refuseSyntax(bucket);
    names.push(bucket.name);
    dids += compact(inbound.dids(bucket));
  }
  return [
    ...stable.map(({ file, text }) => checked(file, text)),
    checked(settings.file, settings.fill(model)),
    checked(inbound.file, inbound.fill({ ...model, buckets: names, dids })),
  ];
}

/** The files that all teams share and that have the marks. */
export function renderMarked({ marked }: Templates, model: SiteModel, marks: Marks): GeneratedFile[] {
  refuseSyntax(model);
  const files = `${model.directory}/generations/${marks.generation}`;
  const values = { ...model, generation: marks.generation, marks, files };
  return marked.map(({ file, fill }) => checked(file, fill(values)));
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

/** What is keyed within a call: nothing that can follow makes an include of it. */
const callKeys = /^[*#][0-9*#]{1,4}$/;

/** Where the first text is that cannot be written; undefined when there is none. */
function syntaxIn(value: unknown): string[] | undefined {
  if (typeof value === 'string')
    return value.length <= 500 && (/^[A-Za-z0-9_.+:/@&,* -]*$/.test(value) || callKeys.test(value))
      ? undefined
      : [];
  if (typeof value !== 'object' || value === null) return undefined;
  for (const key of Object.keys(value)) {
    const inner = syntaxIn((value as Record<string, unknown>)[key]);
    if (inner) return [key, ...inner];
  }
  return undefined;
}

function checked(path: string, filled: string): GeneratedFile {
  const text = compact(filled);
  checkLines(path, text);
  return { path, text };
}

/** Without rows of empty lines; and one text in memory, where a template leaves the thousands of pieces that it put together. */
const compact = (filled: string): string => filled.replace(/\n{3,}/g, '\n\n');
