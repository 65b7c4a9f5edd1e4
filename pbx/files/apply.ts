import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../domain/database/pool.js';
import { conflict, fail, Star64Error } from '../../domain/errors.js';
import { forgetChanges, noteCallKeys, noteFileChange } from '../../domain/provisioning/generations.js';
import type { Access } from './access.js';
import { markLogs, warningsSince, withLine, type LogMark } from './complaints.js';
import type { Console } from './console.js';
import { leftBehind, readContents, type Contents } from './contents.js';
import { generationPath, readLinks, replaceFile, restoreLinks, setLink, type Links } from './draft.js';
import { exclusively, write, type Generated, type GenerateOptions } from './generate.js';
import { directoriesOf, loadedGeneration, look, reload } from './loaded.js';
import { fileOf, type Part } from './parts.js';
import { refuseOtherVersion } from './version.js';

export interface ApplyOptions extends GenerateOptions {
  /** The console of the Asterisk that reads the files. */
  console: Console;
}

export interface Applied extends Generated {
  /** What Asterisk has read anew, in that order; a part twice if something left it after the dialplan did. */
  reloaded: Part[];
  /**
   * The line that the operator's features.conf lacks, with its path: until it is there, nobody can hold, record, drop or end
   * by key, and everything else works.
   */
  lacks: string | undefined;
}

/** The parts of Asterisk that read configuration, as they sign what they say. */
const ofLoading =
  /^(?:res_sorcery_config|config|config_options|pbx_config|app_queue|(?:res_pjsip\/)?(?:config_auth|location|pjsip_configuration))\.c\b/;

/** What Asterisk found in the files; the generation before is to be put in force again. */
class Refused extends Error {}

/** How often the log is asked again for the reason of something that is missing: its writer is a thread of its own. */
const looksForReason = 20;
const betweenLooksMs = 100;

/**
 * Generates, puts the files in force, has Asterisk read what has changed, and reads back that the generation, every
 * queue and every phone are there. If not, the files before are in force again, Asterisk has read them, and the error
 * names the line. Calls and queue members are untouched by a part that stays the same, and survive one that is read anew.
 * @throws `asterisk_unreachable` before anything has changed.
 */
export function apply(db: Database, options: ApplyOptions): Promise<Applied> {
  const { directory, console } = options;
  return exclusively(options, async (access) => {
    const before = await stateOf(directory, console);
    await refuseOtherVersion(console, options.version, options.passwordDigest);
    const written = await write(db, options, access, before.loaded);
    const { generation, unreachable } = written;
    const changed = await written.draft.putInForce(generation);
    // What Asterisk has is what a rollback goes back to, also when files were generated since that it never read.
    if (before.loaded !== undefined && before.loaded !== generation)
      await setLink(directory, 'previous', before.loaded);
    const { reloaded, notIncluded, lacks } = await bring(options, access, generation, before);
    await forgetChanges(db, notIncluded ? [] : written.changes);
    await noteCallKeys(db, options.node, lacks === undefined);
    if (notIncluded) throw notIncluded;
    return { generation, changed, unreachable, reloaded, lacks };
  });
}

/**
 * Puts the generation before this one in force again, as `apply` does with a new one. A second time comes back. The
 * database stays as it is, so the next `apply` writes what it says.
 */
export function rollback(
  db: Database,
  options: Pick<ApplyOptions, 'directory' | 'console' | 'node' | 'onWait' | 'reader' | 'group'>,
): Promise<Pick<Applied, 'generation' | 'reloaded'>> {
  const { directory, console, node } = options;
  return exclusively(options, async (access) => {
    const before = await stateOf(directory, console);
    const { current, previous: generation } = before.links;
    if (generation === undefined || current === undefined || generation === current)
      throw conflict(`there is no generation before ${current ?? 'the first one'} in ${directory}.`);
    await noteFileChange(db, node);
    await setLink(directory, 'current', generation);
    await setLink(directory, 'previous', current);
    const { reloaded, notIncluded } = await bring(options, access, generation, before);
    if (notIncluded) throw notIncluded;
    return { generation, reloaded };
  });
}

/** What was in force, and where Asterisk has its own files, asked before anything is changed. */
interface Before {
  links: Links;
  /** The generation that Asterisk has loaded, if its files are still there. */
  loaded: string | undefined;
  directories: Awaited<ReturnType<typeof directoriesOf>>;
}

async function stateOf(directory: string, console: Console): Promise<Before> {
  const loaded = await loadedGeneration(console);
  const known = loaded !== undefined && existsSync(generationPath(directory, loaded));
  return {
    links: await readLinks(directory),
    loaded: known ? loaded : undefined,
    directories: await directoriesOf(console),
  };
}

interface Brought {
  reloaded: Part[];
  /** Files that the operator's own do not take in: nothing that going back would mend. */
  notIncluded: Star64Error | undefined;
  lacks: string | undefined;
}

/** Has Asterisk read a generation whose link is set, or sets the links back and has it read the one before. */
async function bring(
  { directory, console }: Pick<ApplyOptions, 'directory' | 'console'>,
  access: Access,
  generation: string,
  before: Before,
): Promise<Brought> {
  const { directories } = before;
  const wanted = await readContents(generationPath(directory, generation), generation);
  const back = before.loaded ?? before.links.current;
  const old =
    back === undefined || back === generation
      ? undefined
      : await readContents(generationPath(directory, back), back);
  const step = new Step(directory, console, access, await markLogs(directories.log));
  try {
    await step.load(wanted, old);
  } catch (error) {
    // Whatever it was: what is in force is what Asterisk has taken.
    throw await goBack(
      step,
      error as Error,
      wanted,
      old && { ...before.links, current: old.generation },
      old,
    );
  }
  const { reloaded, notIncluded } = step;
  const lineOf = (part: Part): string =>
    `${join(directories.configuration, fileOf[part])}:  #tryinclude "${join(directory, 'current', fileOf[part])}"`;
  const lacks = notIncluded.includes('features') ? lineOf('features') : undefined;
  // Without them calls are as they were before there were such keys.
  if (notIncluded.every((part) => part === 'features')) return { reloaded, notIncluded: undefined, lacks };
  const lines = notIncluded.map((part) => `  ${lineOf(part)}`);
  const error = fail('not_included', {
    facts: { parts: notIncluded },
    says: `generation ${generation} is written, but Asterisk has not read all of it, since these files of its own do not take it in. Add to each its line (in queues.conf, pjsip.conf and features.conf at the end), and then \`star64 apply\` again:\n${lines.join('\n')}\n${notIncluded.some((part) => part !== 'rules' && part !== 'features') ? 'nobody can be called' : 'no caller overflows to another group'} before that`,
  });
  return { reloaded, notIncluded: error, lacks };
}

async function goBack(
  step: Step,
  error: Error,
  wanted: Contents,
  links: Links | undefined,
  old: Contents | undefined,
): Promise<Star64Error> {
  const refused = `Asterisk did not take generation ${wanted.generation}: ${error.message}`;
  const kept = `\nWhat it did not take is in ${wanted.path} until the next time.`;
  if (!old || !links) {
    return fail('refused_by_asterisk', { says: `${refused}${kept} There is no generation before it` });
  }
  await restoreLinks(step.directory, links);
  try {
    await step.reloadAgain(old);
  } catch (second) {
    return fail(
      'refused_by_asterisk',
      {
        says: `${refused}${kept} The files of ${old.generation} are in force again, but Asterisk has not read them: ${(second as Error).message}`,
      },
      { cause: second },
    );
  }
  return fail('refused_by_asterisk', {
    facts: { generation: wanted.generation, back: old.generation },
    says: `${refused}${kept} Generation ${old.generation} is in force again`,
  });
}

/** One way from one generation to another. */
class Step {
  readonly reloaded: Part[] = [];
  readonly notIncluded: Part[] = [];

  constructor(
    readonly directory: string,
    private readonly console: Console,
    private readonly access: Access,
    private readonly logs: LogMark,
  ) {}

  /**
   * Phones first, then queues, then the dialplan that leads to them; what is taken away goes the other way round: it stays
   * behind in its file until the dialplan does not lead there any more.
   */
  async load(wanted: Contents, old: Contents | undefined): Promise<void> {
    const gone = {
      phones: old ? leftBehind(old.phones, wanted.phones) : new Map<string, string>(),
      queues: old ? leftBehind(old.queues, wanted.queues) : new Map<string, string>(),
    };
    for (const part of ['phones', 'queues'] as const) {
      if (gone[part].size === 0) await this.#bring(part, wanted);
      else if (hasNews(part, wanted, old)) await this.#withLeftBehind(part, wanted, gone[part]);
    }
    // Read with the queues, unless nothing of those has changed.
    await this.#bring('rules', wanted);
    // Before the dialplan that names them.
    await this.#bring('features', wanted);
    await this.#bring('dialplan', wanted);
    for (const part of ['queues', 'phones'] as const) {
      if (gone[part].size > 0) await this.#bring(part, wanted);
    }
    await this.#refuseComplaints(wanted);
  }

  /** Reads back to an older generation whatever was read. */
  async reloadAgain(old: Contents): Promise<void> {
    for (const part of new Set(this.reloaded)) {
      const refused = await reload(this.console, part);
      if (refused !== undefined) throw new Refused(refused);
      const { marked, missing } = await look(this.console, part, old);
      if (!marked || missing.length > 0)
        throw new Refused(`${fileOf[part]} of ${old.generation} is not read`);
    }
  }

  /** Reads a part if Asterisk has not got it, and reads back that it has. */
  async #bring(part: Part, wanted: Contents): Promise<void> {
    const first = await look(this.console, part, wanted);
    if (first.marked && first.missing.length === 0 && wanted.marks[part] !== undefined) return;
    this.reloaded.push(part);
    const refused = await reload(this.console, part);
    if (refused !== undefined) throw new Refused(refused);
    const { marked, missing, included } = await look(this.console, part, wanted);
    if (marked && missing.length === 0) return;
    // Nobody waits for the log each time that a file is not taken in which may be left out.
    const complaints =
      part === 'features' && !included ? await this.#complaints(wanted) : await this.#reasons(wanted);
    if (!included && complaints.length === 0) {
      this.notIncluded.push(part);
      if (part === 'features') this.reloaded.pop();
      return;
    }
    const some = missing.slice(0, 5).join(', ');
    const what =
      missing.length === 0
        ? `${fileOf[part]} was not read to its end`
        : `${missing.length === 1 ? `${some} is` : `${missing.length} ${part}, such as ${some}, are`} not there${part === 'rules' ? ' (queue show rules)' : ''}`;
    throw new Refused([`${what}. Its log says:`, ...this.#shown(complaints)].join('\n'));
  }

  /** Reads a part with what is to leave it still in it. The mark stands for it only once that has left. */
  async #withLeftBehind(
    part: 'phones' | 'queues',
    wanted: Contents,
    gone: ReadonlyMap<string, string>,
  ): Promise<void> {
    const path = join(wanted.path, fileOf[part]);
    const text = await readFile(path, 'utf8');
    const mark = wanted.marks[part] ?? '';
    const interim = text.replace(`[${mark}]`, `${[...gone.values()].join('\n')}\n[${mark}-leaving]`);
    await replaceFile(path, interim, this.access);
    try {
      await this.#bring(part, { ...wanted, marks: { ...wanted.marks, [part]: `${mark}-leaving` } });
    } finally {
      await replaceFile(path, text, this.access);
    }
  }

  /** What Asterisk has warned of although everything is there: an object that it has kept as it was, a line left out. */
  async #refuseComplaints(wanted: Contents): Promise<void> {
    const complaints = await this.#complaints(wanted);
    if (complaints.length > 0) throw new Refused(['its log says:', ...this.#shown(complaints)].join('\n'));
  }

  async #reasons(wanted: Contents): Promise<string[]> {
    for (let looks = 0; looks < looksForReason; looks++) {
      const complaints = await this.#complaints(wanted);
      if (complaints.length > 0) return complaints;
      await new Promise((resolve) => setTimeout(resolve, betweenLooksMs));
    }
    return [];
  }

  /** Warnings and errors since the beginning that name a file, queue or phone of ours, with the line they are about. */
  async #complaints({ queues, phones }: Contents): Promise<string[]> {
    // A phone that cannot register, too, has its name in the log, and says nothing of the files.
    const ours = (said: string): boolean =>
      said.includes(`${this.directory}/`) ||
      (ofLoading.test(said) &&
        [...said.matchAll(/'([^']+)'/g)].some(([, name = '']) => queues.has(name) || phones.has(name)));
    return Promise.all((await warningsSince(this.logs)).filter(ours).map(withLine));
  }

  #shown(complaints: readonly string[]): string[] {
    if (complaints.length === 0)
      return ['  (nothing that names these files, or it may not be read from here)'];
    const shown = complaints.slice(0, 5).map((line) => `  ${line}`);
    return complaints.length > 5 ? [...shown, `  and ${complaints.length - 5} more`] : shown;
  }
}

/** Whether a part has something that is new or changed, and not only less than before. */
const hasNews = (part: 'phones' | 'queues', wanted: Contents, old: Contents | undefined): boolean =>
  [...wanted[part]].some(([name, text]) => old?.[part].get(name) !== text);
