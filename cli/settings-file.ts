import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** A value that was given somewhere. */
export interface Given {
  readonly value: unknown;
  /** Where, for messages: a path, a variable of the environment, an option. */
  readonly source: string;
  /** The directory to which its paths are relative. */
  readonly base: string;
  readonly inFile?: true;
}

export interface SettingsFile {
  /** Which files were looked at, in this order, and what of each: `/etc/star64/star64.yml (not there)`. */
  readonly looked: readonly string[];
  /** What it says, by path: `agi.port`. */
  readonly given: ReadonlyMap<string, Given>;
  /** Why it is no settings file. */
  readonly mistakes: readonly string[];
}

export interface FileSources {
  /** The file that must exist. Without it: `star64.yml` in `cwd` if there is one, else `systemConfig` if there is one. */
  readonly named: string | undefined;
  readonly cwd: string;
  readonly systemConfig: string;
  readonly sections: readonly string[];
  /** Whether root asks, who does not take what anybody may have put into the current directory. */
  readonly root: boolean;
}

/** Reads the one settings file that counts; the first that is there is the only one. */
export async function readSettingsFile({
  named,
  cwd,
  systemConfig,
  sections,
  root,
}: FileSources): Promise<SettingsFile & { readonly worldReadable: boolean; readonly source: string }> {
  const candidates = named === undefined ? ['star64.yml', systemConfig] : [named];
  const looked: string[] = [];
  for (const source of candidates) {
    const path = resolve(cwd, source);
    let text: string;
    let mode: number;
    let uid: number;
    try {
      [text, { mode, uid }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      // Nobody asked for one of the usual files: that it is absent is no mistake. One that is there and closed to us is:
      // what it says would be done otherwise, without a word.
      if (named === undefined && (code === 'ENOENT' || code === 'ENOTDIR')) {
        looked.push(`${path} (not there)`);
        continue;
      }
      const mistakes = [`${source}: cannot be read (${code})`];
      return { looked: [...looked, path], given: new Map(), mistakes, worldReadable: false, source };
    }
    if (root && named === undefined && (uid !== 0 || (mode & 0o022) !== 0)) {
      // It says what root runs, as asterisk.console does.
      const mistakes = [
        `${path}: belongs to or may be written by others than root, who does not take it unasked: name it with --config, or chown root and chmod go-w it`,
      ];
      return { looked: [...looked, path], given: new Map(), mistakes, worldReadable: false, source };
    }
    const read = await parse(text, source, dirname(path), sections);
    return { looked: [...looked, path], ...read, worldReadable: (mode & 0o004) !== 0, source };
  }
  return { looked, given: new Map(), mistakes: [], worldReadable: false, source: '' };
}

async function parse(
  text: string,
  source: string,
  base: string,
  sections: readonly string[],
): Promise<Omit<SettingsFile, 'looked'>> {
  const given = new Map<string, Given>();
  if (text.trim() === '') return { given, mistakes: [] };
  // Loaded only for this, since it costs a tenth of the start of a command.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    // Only place and kind: the parser's own words quote the line, and a secret may stand there.
    const mistakes = document.errors.map(
      ({ code, linePos }) => `${source}: line ${linePos?.[0].line ?? '?'} is not valid YAML (${code})`,
    );
    return { given, mistakes };
  }
  const root: unknown = document.toJS();
  if (root === null || root === undefined) return { given, mistakes: [] };
  if (typeof root !== 'object' || Array.isArray(root)) {
    return { given, mistakes: [`${source}: must hold settings like "log_level: info"`] };
  }
  const mistakes: string[] = [];
  for (const [key, value] of Object.entries(root as Record<string, unknown>)) {
    if (key.includes('.')) {
      mistakes.push(`${source}: ${key} is not a setting; sections are written as indented blocks`);
    } else if (!sections.includes(key)) {
      given.set(key, { value, source, base, inFile: true });
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) {
        given.set(`${key}.${name}`, { value: inner, source, base, inFile: true });
      }
    } else if (value !== null) {
      mistakes.push(`${source}: ${key} must be a section of settings`);
    }
  }
  return { given, mistakes };
}
